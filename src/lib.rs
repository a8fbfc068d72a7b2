//! Throughline: a proxy-wasm HTTP filter that keeps B3 and W3C Trace Context on one trace id.
//!
//! - [`trace`]: the vocabulary. Ids and contexts that cannot hold a wrong value.
//! - [`propagation`]: wire formats, a file each, and their composition.
//! - [`policy`]: sampling, the service's name, tags.
//! - [`span`]: the hop's own span, its attributes by convention.
//! - [`export`]: encodings, the bounded queue, retries. Bytes, not HTTP calls.
//! - [`config`]: what the user writes, compiled once.
//! - [`text`]: text that is fit for a log line or a header.
//! - [`engine`]: the corridor. What came in → a plan of writes. Pure.
//! - [`filter`]: carries the plan out over any host.
//! - [`join`]: which request in flight a call without a context belongs to.
//! - `proxy_wasm`: Envoy as that host (only in the wasm build).

// A panic ends the VM of a worker: under FAIL_OPEN the filter is then gone in silence. Whatever can panic is refused.
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects,
        clippy::integer_division_remainder_used,
        clippy::get_unwrap,
        clippy::exit,
        clippy::disallowed_methods
    )
)]

mod base64;
pub mod config;
pub mod engine;
pub mod export;
pub mod filter;
pub mod join;
pub mod policy;
pub mod propagation;
#[cfg(target_arch = "wasm32")]
mod proxy_wasm;
pub mod span;
pub mod text;
pub mod trace;
