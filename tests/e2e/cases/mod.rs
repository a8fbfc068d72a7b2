//! The cases, by what the filter does in them. A new one: a few lines in the file that fits.

mod awkward;
mod continues;
mod repairs;
mod starts;
mod vendors;

use crate::case::Case;

/// Every case.
pub fn all() -> Vec<Case> {
    [
        continues::cases(),
        starts::cases(),
        repairs::cases(),
        awkward::cases(),
        vendors::cases(),
    ]
    .concat()
}

/// A trace id, its lower half, a span id, and what they are in each format.
mod ids {
    pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    pub const LOW: &str = "a3ce929d0e0e4736";
    pub const SPAN: &str = "00f067aa0ba902b7";
    pub const PARENT: &str = "05e3ac9a4f6e3b90";
    pub const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    pub const TRACEPARENT_DENIED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    pub const TRACEPARENT_LOW: &str = "00-0000000000000000a3ce929d0e0e4736-00f067aa0ba902b7-01";
    pub const OTHER_TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    pub const OTHER_SPAN: &str = "e457b5a2e4d86bd1";
}
