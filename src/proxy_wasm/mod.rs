//! Envoy through proxy-wasm, ABI 0.2.1: the only code that meets the host, and the only code that is `unsafe`.
//!
//! [`exports`] is what Envoy calls, [`imports`] is what it offers. Why this is ours and not the Rust SDK's:
//! docs/decisions/abi.md.

#![expect(unsafe_code, reason = "the ABI passes pointers")]

mod contexts;
mod exports;
mod imports;
mod randomness;
