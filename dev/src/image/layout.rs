//! OCI image layouts: directories that `crane`, `skopeo`, `oras` and others read as they read a registry.

use super::contents::Contents;
use super::manifest::{Blob, Image};
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Writes `image` to the new directory `to`, under the name `tag`.
pub fn write(image: &Image, tag: &str, to: &Path) -> Result<()> {
    let blobs = to.join("blobs/sha256");
    fs::create_dir_all(&blobs).with_context(|| blobs.display().to_string())?;
    for Blob { bytes, .. } in image.layers.iter().chain([&image.config, &image.manifest]) {
        write_file(&blobs.join(super::Digest::of(bytes).hex()), bytes)?;
    }
    let name = (
        "org.opencontainers.image.ref.name".to_owned(),
        tag.to_owned(),
    );
    let index = json!({
        "manifests": [image.manifest.descriptor(BTreeMap::from([name]))],
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "schemaVersion": 2,
    });
    write_file(&to.join("index.json"), &serde_json::to_vec(&index)?)?;
    write_file(&to.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// Writes the files of the layer as they are in it, for a Dockerfile to copy: with its time and its permissions.
pub fn write_files(contents: &Contents, time: u64, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for (name, bytes) in contents.files() {
        let path = to.join(name);
        write_file(&path, bytes)?;
        // Whatever the user's umask is.
        fs::set_permissions(&path, Permissions::from_mode(0o644))?;
        File::options()
            .append(true)
            .open(&path)?
            .set_modified(UNIX_EPOCH + Duration::from_secs(time))?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}
