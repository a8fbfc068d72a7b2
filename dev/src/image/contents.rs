//! The files of an image.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// What Istio's agent looks for.
pub const MODULE: &str = "plugin.wasm";
/// The terms it comes under.
pub const LICENSE: &str = "LICENSE";
/// Those of what is linked into it.
pub const NOTICES: &str = "THIRD-PARTY.txt";
/// What it is made of. Scanners know a CycloneDX document by this ending.
pub const SBOM: &str = "sbom.cdx.json";

/// Checked as they are read, so that nothing else is ever packed.
#[derive(Debug)]
pub struct Contents {
    pub module: Vec<u8>,
    pub license: Vec<u8>,
    pub notices: Vec<u8>,
    pub sbom: Vec<u8>,
}

impl Contents {
    /// Reads the module and the licence; the rest is as [`super::documents`] makes it.
    pub fn read(module: &Path, license: &Path, notices: Vec<u8>, sbom: Vec<u8>) -> Result<Self> {
        let contents = Self {
            module: read(module)?,
            license: read(license)?,
            notices,
            sbom,
        };
        ensure!(
            contents.module.starts_with(b"\0asm\x01\0\0\0"),
            "{} is no WebAssembly module",
            module.display()
        );
        ensure!(
            !contents.license.is_empty(),
            "{} is empty",
            license.display()
        );
        ensure!(
            !contents.notices.is_empty(),
            "the licences of others are empty"
        );
        let document: serde_json::Value =
            serde_json::from_slice(&contents.sbom).context("the bill of materials is no JSON")?;
        ensure!(
            document["bomFormat"] == "CycloneDX",
            "the bill of materials is no CycloneDX document"
        );
        Ok(contents)
    }

    /// By name, in the order of names.
    pub fn files(&self) -> [(&'static str, &[u8]); 4] {
        [
            (LICENSE, &self.license),
            (NOTICES, &self.notices),
            (MODULE, &self.module),
            (SBOM, &self.sbom),
        ]
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
