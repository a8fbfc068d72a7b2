//! The module under test.

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// `target/throughline.wasm` as `make build` leaves it, or the file that `THROUGHLINE_MODULE` names.
pub fn module() -> Result<PathBuf> {
    if let Some(given) = env::var_os("THROUGHLINE_MODULE").filter(|value| !value.is_empty()) {
        let given = PathBuf::from(given);
        // Envoy is started elsewhere.
        return given
            .canonicalize()
            .with_context(|| format!("THROUGHLINE_MODULE={}", given.display()));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no repository")?;
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
