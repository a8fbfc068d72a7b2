//! The filter's module.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// `target/throughline.wasm` as `make build` leaves it, or the file that `THROUGHLINE_MODULE` names.
pub fn path() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("THROUGHLINE_MODULE").filter(|value| !value.is_empty()) {
        let given = PathBuf::from(given);
        if !given.is_file() {
            bail!(
                "THROUGHLINE_MODULE={}: there is no such file",
                given.display()
            );
        }
        // Envoy is started elsewhere.
        return Ok(given.canonicalize()?);
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/throughline.wasm");
    match built.canonicalize() {
        Ok(module) => Ok(module),
        Err(_) => {
            bail!("target/throughline.wasm is missing: run `make build` first (`make demo` does)")
        }
    }
}
