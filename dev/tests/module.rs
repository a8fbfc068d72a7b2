//! What may be imported is what a real Envoy offers; and trimming keeps what is needed, and nothing else.

use anyhow::Result;
use serde_json::json;
use throughline_dev::envoy::Release;
use throughline_dev::mesh::{Listener, Node, Plugin, Proxy, Route};
use throughline_dev::module;
use throughline_dev::{built, documentation};

#[test]
fn the_oldest_envoy_offers_what_the_lists_say() -> Result<()> {
    let wasm = wat::parse_str(include_str!("every-import.wat"))?;
    let env = module::HOST_FUNCTIONS
        .iter()
        .map(|name| ("env".to_owned(), (*name).to_owned()));
    let wasi = module::WASI_FUNCTIONS
        .iter()
        .map(|name| ("wasi_snapshot_preview1".to_owned(), (*name).to_owned()));
    assert_eq!(
        module::imports(&wasm)?,
        env.chain(wasi).collect::<Vec<_>>(),
        "every-import.wat and module.rs differ"
    );

    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, wasm)?;
    let plugin = Plugin::new(file.path(), &json!({}));
    let listener = Listener::inbound("inbound")
        .plugin(&plugin)
        .route(Route::answer(200, "ok"));
    Proxy::new(Node::sidecar("app", "app-v1", "default"))
        .listener(listener)
        .start(&Release::OLDEST.binary()?)?;
    Ok(())
}

/// What it may do is what people are told.
#[test]
fn docs_security_lists_what_the_built_module_imports() -> Result<()> {
    let page = std::fs::read_to_string(documentation::root().join("docs/security.md"))?;
    let rows = page.lines().skip_while(|line| *line != "| imports | for |");
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let mut listed: Vec<_> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    listed.sort_unstable();
    let imports = module::imports(&std::fs::read(built::module()?)?)?;
    let mut names: Vec<_> = imports.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(listed, names);
    Ok(())
}

#[test]
fn trimming_keeps_the_exports_and_drops_what_only_others_needed() -> Result<()> {
    let trimmed = module::trim(&filter(&module::EXPORTS, "proxy_done")?)?;
    assert_eq!(module::exports(&trimmed)?, module::EXPORTS);
    assert_eq!(
        module::imports(&trimmed)?,
        [],
        "only an export that went needed the import"
    );
    assert!(
        !trimmed.windows(4).any(|bytes| bytes == b"name"),
        "the names are still there"
    );
    assert_eq!(
        module::trim(&trimmed)?,
        trimmed,
        "trimming again changes something"
    );
    Ok(())
}

#[test]
fn trimming_refuses_what_would_not_work() -> Result<()> {
    let [_, some @ ..] = module::EXPORTS;
    let error = module::trim(&filter(&some, "proxy_done")?)
        .unwrap_err()
        .to_string();
    assert!(error.contains("does not export _initialize"), "{error}");

    let needs = filter(&module::EXPORTS, "fd_sync")?;
    let error = module::trim(&needs).unwrap_err().to_string();
    assert!(
        error.contains("imports wasi_snapshot_preview1.fd_sync"),
        "{error}"
    );

    let error = module::trim(b"no module").unwrap_err().to_string();
    assert!(error.contains("not a WebAssembly module"), "{error}");
    Ok(())
}

/// A module with those exports and one more, `proxy_on_request_body`, which calls `import`; a WASI import is called by
/// all of them.
fn filter(exports: &[&str], import: &str) -> Result<Vec<u8>> {
    let everywhere = !import.starts_with("proxy_");
    let from = if everywhere {
        "wasi_snapshot_preview1"
    } else {
        "env"
    };
    let body = if everywhere { "(call $import)" } else { "" };
    let functions: String = exports
        .iter()
        .filter(|name| **name != "memory")
        .map(|name| format!("(func ${name} (export \"{name}\") {body})"))
        .collect();
    Ok(wat::parse_str(format!(
        "(module (import \"{from}\" \"{import}\" (func $import)) (memory (export \"memory\") 1) {functions}
         (func $dead (export \"proxy_on_request_body\") (call $import)))"
    ))?)
}
