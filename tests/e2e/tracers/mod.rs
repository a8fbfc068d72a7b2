//! Beside Envoy's own tracers: which trace ids leave, and who reports, for each of them and each way to run beside it.
//!
//! What each line does is in `seen/`, a file a line; docs/native-tracers.md is made of these files. After a change:
//! `UPDATE=1 ONLY=matrix cargo test --test e2e`, then read what changed.

mod both;
mod cell;
mod docs;
mod learning;
mod matrix;
mod nowhere;
mod setup;
mod untold;

pub use both::report;
pub use learning::{learns, switched};
pub use matrix::matrix;
pub use nowhere::nowhere;
pub use untold::untold;
