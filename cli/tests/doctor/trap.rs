//! Modules that break: one that is no module, and one that ends at its first request.

use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// What a proxy-wasm module of ABI 0.2.1 must have; its request handler traps.
const TRAP: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_log") (param i32))
  (func (export "proxy_on_delete") (param i32)))"#;

/// Ends at its first request, as a panic would make it.
pub fn ends(directory: &Path) -> Result<PathBuf> {
    written(directory, "throughline-ends.wasm", &wat::parse_str(TRAP)?)
}

/// Bytes that no virtual machine takes.
pub fn no_module(directory: &Path) -> Result<PathBuf> {
    written(
        directory,
        "throughline-broken.wasm",
        b"\0asm\x01\0\0\0this is no module",
    )
}

fn written(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = directory.join(name);
    fs::write(&path, bytes)?;
    Ok(path)
}
