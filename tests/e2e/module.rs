//! The module under test.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use throughline_dev::module;

/// `target/throughline.wasm` as `make build` leaves it, or the file that `THROUGHLINE_MODULE` names.
pub fn path() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("THROUGHLINE_MODULE") {
        return Ok(given.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let module = root.join("target/throughline.wasm");
    let Ok(built) = module.metadata() else {
        bail!("{} is missing: run `make build` first", module.display());
    };
    // Otherwise yesterday's filter passes for today's.
    if let Some(newer) = newer_than(&root.join("src"), built.modified()?)? {
        bail!(
            "{} is newer than the module: run `make build` first",
            newer.display()
        );
    }
    Ok(module)
}

fn newer_than(directory: &Path, built: SystemTime) -> Result<Option<PathBuf>> {
    for entry in directory
        .read_dir()
        .with_context(|| directory.display().to_string())?
    {
        let path = entry?.path();
        let newer = match path.is_dir() {
            true => newer_than(&path, built)?,
            false => (path.metadata()?.modified()? > built).then_some(path),
        };
        if newer.is_some() {
            return Ok(newer);
        }
    }
    Ok(None)
}

/// What users download: how large it may be.
const MOST_BYTES: usize = 300 << 10;

#[test]
fn it_is_small_and_asks_for_nothing_but_what_the_filter_needs() -> Result<()> {
    let wasm = std::fs::read(path()?)?;
    assert_eq!(module::exports(&wasm)?, module::EXPORTS);
    let imports = module::imports(&wasm)?;
    let from = |wanted: &str| -> Vec<&str> {
        let here = imports.iter().filter(|(module, _)| module == wanted);
        here.map(|(_, name)| name.as_str()).collect()
    };
    let (host, wasi) = (from("env"), from("wasi_snapshot_preview1"));
    assert_eq!(
        host,
        [
            "proxy_define_metric",
            "proxy_done",
            "proxy_get_buffer_bytes",
            "proxy_get_current_time_nanoseconds",
            "proxy_get_header_map_pairs",
            "proxy_get_property",
            "proxy_get_shared_data",
            "proxy_http_call",
            "proxy_increment_metric",
            "proxy_log",
            "proxy_record_metric",
            "proxy_remove_header_map_value",
            "proxy_replace_header_map_value",
            "proxy_set_effective_context",
            "proxy_set_property",
            "proxy_set_shared_data",
            "proxy_set_tick_period_milliseconds",
        ]
    );
    assert!(
        wasi.iter()
            .all(|name| module::WASI_FUNCTIONS.contains(name)),
        "{wasi:?}"
    );
    assert_eq!(host.len() + wasi.len(), imports.len(), "{imports:?}");
    assert!(wasm.len() <= MOST_BYTES, "{} bytes", wasm.len());
    Ok(())
}

#[test]
fn it_holds_no_path_of_the_machine_that_built_it() -> Result<()> {
    let wasm = std::fs::read(path()?)?;
    let of = |name| std::env::var(name).ok();
    let home = of("HOME");
    let cargo = of("CARGO_HOME").or_else(|| Some(format!("{}/.cargo", home.as_deref()?)));
    let repository = Some(env!("CARGO_MANIFEST_DIR").to_owned());
    // "/" as a home is everywhere.
    for path in [home, cargo, repository, of("RUSTUP_HOME")]
        .into_iter()
        .flatten()
        .filter(|path| path.len() > 1)
    {
        assert!(
            !wasm.windows(path.len()).any(|part| part == path.as_bytes()),
            "{path} is in the module"
        );
    }
    Ok(())
}
