//! What the documentation promises, in a form that tests can hold it to.
//!
//! - [`commands`]: every one that people are told to type, with the page and the line where it stands
//! - [`Runner`]: what runs it; [`reasons`]: those that nothing here can run, as docs/versions.md says
//! - [`examples`]: the worked examples of the pages, which `tests/e2e/scenarios/examples.rs` plays
//! - [`Page`]: a page's blocks of code, links and anchors; [`links`], [`book`]: whether they lead somewhere
//!
//! `dev/tests/documentation.rs` sees that each command has one of the two; `dev/tests/istio/scenarios/documented.rs` plays those
//! that a mesh can.

pub mod book;
pub mod example;
pub mod links;
mod markdown;
mod page;
mod runner;
mod variables;

pub use example::{Example, examples};
pub use markdown::{Block, Link, Page, files, pages};
pub use page::{Command, commands, reasons, root};
pub use runner::Runner;
pub use variables::Variables;
