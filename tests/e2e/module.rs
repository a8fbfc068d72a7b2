//! The module under test, as a file.

use anyhow::Result;
use throughline_dev::{built, module};

/// What users download: how large it may be (docs/decisions/size.md).
const MOST_BYTES: usize = 416 << 10;

#[test]
fn it_is_small_and_asks_for_nothing_but_what_the_filter_needs() -> Result<()> {
    let wasm = std::fs::read(built::module()?)?;
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
            "proxy_call_foreign_function",
            "proxy_define_metric",
            "proxy_done",
            "proxy_get_buffer_bytes",
            "proxy_get_current_time_nanoseconds",
            "proxy_get_header_map_pairs",
            "proxy_get_metric",
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
    let wasm = std::fs::read(built::module()?)?;
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
