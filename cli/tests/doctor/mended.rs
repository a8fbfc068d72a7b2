//! A log keeps what was wrong before: where something later is known, that counts.

use anyhow::Result;
use std::path::Path;
use throughline_cli::doctor::{Code, diagnose};
use throughline_cli::source::Text;

const REFUSED: &str = "2026-11-21T14:26:30Z\terror\tenvoy wasm context.cc:1157\twasm log throughline: throughline 0.1.0: configuration rejected, requests pass untouched: samplng: unknown field, did you mean sampling?\tthread=22\n";

fn is_rejected(dump: &str, with_statistics: bool) -> Result<bool> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/dumps")
        .join(dump);
    let text = |name: &str| -> Result<Text> {
        Ok(Text {
            name: name.to_owned(),
            bytes: std::fs::read(directory.join(name))?,
        })
    };
    let mut texts = vec![text("config_dump.json")?];
    if with_statistics {
        texts.push(text("stats.txt")?);
    }
    let mut log = text("proxy.log")?;
    log.bytes.extend(REFUSED.bytes());
    let report = diagnose(&texts, Some(&log)).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    Ok(report
        .findings
        .iter()
        .any(|finding| finding.code == Code::ConfigRejected))
}

#[test]
fn a_refused_configuration_that_was_mended_is_history() -> Result<()> {
    assert!(
        !is_rejected("istio-1.29-gateway-healthy", true)?,
        "the gauge is 0"
    );
    assert!(is_rejected("istio-1.29-gateway-healthy", false)?);
    Ok(())
}

#[test]
fn where_no_module_is_none_refuses_anything() -> Result<()> {
    assert!(!is_rejected("istio-1.29-wrong-digest", true)?);
    assert!(!is_rejected("istio-1.29-wrong-digest", false)?);
    Ok(())
}
