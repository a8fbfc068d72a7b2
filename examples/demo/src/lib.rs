//! What `make demo` and `make demo-istio` share.
//!
//! - [`trace`]: spans as trees, and what they connect; [`terminal`]: as text, a waterfall
//! - [`carried`]: the trace headers of a message; [`interrupt`]: Ctrl-C and its kin

pub mod carried;
pub mod interrupt;
pub mod terminal;
pub mod trace;
