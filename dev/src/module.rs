//! What the built module may export and import, and the trimming to it.
//!
//! Envoy calls each callback that it finds, so one that does nothing still costs a switch into the virtual machine, for
//! every chunk of every body. And a module that imports what Envoy lacks does not load.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::Path;
use walrus::{Module, ModuleConfig};

/// What the filter exports: all that Envoy may call. A callback that the filter starts to use must be added here.
pub const EXPORTS: [&str; 13] = [
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_done",
    "proxy_on_http_call_response",
    "proxy_on_log",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_response_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// What Envoy 1.36 offers a module of ABI 0.2.1 to import from `env`.
pub const HOST_FUNCTIONS: [&str; 39] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_buffer_status",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_size",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

/// What Envoy 1.36 offers to import from `wasi_snapshot_preview1`.
pub const WASI_FUNCTIONS: [&str; 18] = [
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_read",
    "fd_seek",
    "fd_write",
    "path_open",
    "poll_oneoff",
    "proc_exit",
    "random_get",
    "sched_yield",
];

/// The module without what [`EXPORTS`] does not name, without the code that only that needed, and without names.
/// Fails when an export is missing, or an import is one that Envoy does not have.
pub fn trim(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = parse(wasm)?;
    let have: BTreeSet<_> = module
        .exports
        .iter()
        .map(|export| export.name.clone())
        .collect();
    if let Some(missing) = EXPORTS.iter().find(|name| !have.contains(**name)) {
        bail!("the module does not export {missing}: is it a proxy-wasm filter of ABI 0.2.1?");
    }
    for name in have.iter().filter(|name| !EXPORTS.contains(&name.as_str())) {
        module.exports.remove(name)?;
    }
    let custom: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for id in custom {
        module.customs.delete(id);
    }
    walrus::passes::gc::run(&mut module);
    check_imports(&module)?;
    Ok(module.emit_wasm())
}

/// The names of the exports, sorted.
pub fn exports(wasm: &[u8]) -> Result<Vec<String>> {
    let mut names: Vec<_> = parse(wasm)?
        .exports
        .iter()
        .map(|export| export.name.clone())
        .collect();
    names.sort();
    Ok(names)
}

/// The imports as (module, name), sorted.
pub fn imports(wasm: &[u8]) -> Result<Vec<(String, String)>> {
    let mut names: Vec<_> = parse(wasm)?
        .imports
        .iter()
        .map(|import| (import.module.clone(), import.name.clone()))
        .collect();
    names.sort();
    Ok(names)
}

/// Trims the file `from` into the file `to`, which changes at once or not at all. Returns both sizes.
pub fn trim_file(from: &Path, to: &Path) -> Result<(usize, usize)> {
    let wasm = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let trimmed = trim(&wasm).with_context(|| from.display().to_string())?;
    let directory = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> Result<()> {
        let mut file = tempfile::Builder::new()
            .permissions(readable_by_all())
            .tempfile_in(directory)?;
        std::io::Write::write_all(&mut file, &trimmed)?;
        file.persist(to)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", to.display()))?;
    Ok((wasm.len(), trimmed.len()))
}

/// A temporary file is private by default; a module is read by Envoys of other users.
fn readable_by_all() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

fn parse(wasm: &[u8]) -> Result<Module> {
    let mut config = ModuleConfig::new();
    config
        .generate_name_section(false)
        .generate_producers_section(false);
    config.parse(wasm).context("not a WebAssembly module")
}

fn check_imports(module: &Module) -> Result<()> {
    for import in module.imports.iter() {
        let offered = match import.module.as_str() {
            "env" => HOST_FUNCTIONS.contains(&import.name.as_str()),
            "wasi_snapshot_preview1" => WASI_FUNCTIONS.contains(&import.name.as_str()),
            _ => false,
        };
        if !offered {
            bail!(
                "the module imports {}.{}, which Envoy 1.36 does not have: it would not load",
                import.module,
                import.name
            );
        }
    }
    Ok(())
}
