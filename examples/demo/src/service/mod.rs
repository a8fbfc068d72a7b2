//! A service as a process of its own, and how the demo talks to it: JSON, a line each, on its standard input and output.
//!
//! It says `{"listening": "127.0.0.1:…"}`, then answers each order: `{"calls": [{"through", "host", "path", "optional"}]}`
//! and `{"answers": 503}` with `{}`, `{"report": true}` with `{"seen": [{"received", "copied"}]}`. It ends when its input does.

mod process;
mod program;

pub use process::{Seen, Service};
pub use program::run;
