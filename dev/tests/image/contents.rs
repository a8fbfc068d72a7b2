//! Nothing but a module, a licence and a bill of materials is packed.

use super::{MODULE, contents};
use anyhow::Result;
use std::fs;
use throughline_dev::image::Contents;

/// Why these files are refused.
fn refusal(module: &[u8], license: &[u8], notices: &[u8], sbom: &[u8]) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let (module_path, license_path) = (directory.path().join("m.wasm"), directory.path().join("L"));
    fs::write(&module_path, module)?;
    fs::write(&license_path, license)?;
    let error =
        Contents::read(&module_path, &license_path, notices.to_vec(), sbom.to_vec()).unwrap_err();
    Ok(format!("{error:#}"))
}

#[test]
fn what_is_something_else_is_refused() -> Result<()> {
    let good = contents();
    let (license, notices, sbom) = (&good.license[..], &good.notices[..], &good.sbom[..]);
    for module in [
        &b""[..],
        b"\0asm",
        b"\0asm\x0d\0\x01\0",
        b"<html>not found</html>",
    ] {
        assert!(
            refusal(module, license, notices, sbom)?.contains("m.wasm is no WebAssembly module")
        );
    }
    assert!(refusal(MODULE, b"", notices, sbom)?.contains("is empty"));
    assert!(refusal(MODULE, license, b"", sbom)?.contains("licences of others"));
    assert!(refusal(MODULE, license, notices, b"")?.contains("is no JSON"));
    assert!(refusal(MODULE, license, notices, b"[]")?.contains("is no CycloneDX document"));
    assert!(
        refusal(MODULE, license, notices, br#"{"bomFormat": "SPDX"}"#)?
            .contains("is no CycloneDX document")
    );
    Ok(())
}

#[test]
fn what_is_not_there_is_named() {
    let nowhere = std::path::Path::new("/nowhere/throughline.wasm");
    let error = Contents::read(nowhere, nowhere, contents().notices, contents().sbom).unwrap_err();
    assert!(format!("{error:#}").contains("/nowhere/throughline.wasm"));
}
