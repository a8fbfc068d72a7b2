//! HTTP/1.1 in raw bytes, so that a test can send what no polite client would, and see exactly what arrived.

pub mod client;
mod headers;
mod message;
pub mod server;
mod wire;

pub use client::Client;
pub use headers::{Headers, TRACE_HEADERS};
pub use message::{Request, Response};
pub use server::Server;
