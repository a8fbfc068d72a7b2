//! The commands that the documentation tells people to type, and what runs each of them.
//!
//! - [`commands`]: every one, with the page and the line where it stands
//! - [`Runner`]: what runs it; [`reasons`]: those that nothing here can run, as docs/versions.md says
//!
//! `dev/tests/documentation.rs` sees that each has one of the two; `dev/tests/istio/scenarios/documented.rs` plays those that a
//! mesh can.

mod page;
mod runner;

pub use page::{Command, commands, reasons, root};
pub use runner::Runner;
