//! The image that a mesh pulls the filter from: built without a container engine and to the same bytes on every machine,
//! pushed to a registry, and pinned in the manifests.

mod contents;
mod digest;
pub mod documents;
mod layer;
mod layout;
pub mod manifest;
pub mod pin;
mod provenance;
pub mod registry;

pub use contents::Contents;
pub use digest::Digest;
pub use layer::Layer;
pub use manifest::Image;
pub use provenance::Provenance;

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// What the artifact's tag ends in.
const ARTIFACT_SUFFIX: &str = "-artifact";

/// An image in a directory.
#[derive(Debug)]
pub struct Built {
    pub layout: PathBuf,
    pub tag: String,
    pub digest: Digest,
    /// The bytes that a proxy pulls.
    pub size: usize,
}

/// Builds both forms of the image into the directory `to`, which is replaced: `compat`, `artifact` and, for the
/// Dockerfile, the `layer`'s files.
pub fn build(contents: &Contents, provenance: &Provenance, to: &Path) -> Result<[Built; 2]> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| to.display().to_string())?;
    }
    layout::write_files(contents, provenance.created, &to.join("layer"))?;
    let build = |image: Image, name: &str, tag: String| {
        let layout = to.join(name);
        layout::write(&image, &tag, &layout)?;
        let blobs = image.layers.iter().chain([&image.config, &image.manifest]);
        anyhow::Ok(Built {
            layout,
            tag,
            digest: image.manifest.digest(),
            size: blobs.map(|blob| blob.bytes.len()).sum(),
        })
    };
    Ok([
        build(
            Image::compat(contents, provenance)?,
            "compat",
            provenance.version.clone(),
        )?,
        build(
            Image::artifact(contents, provenance)?,
            "artifact",
            artifact_tag(&provenance.version),
        )?,
    ])
}

/// The artifact's tag beside an image's.
pub fn artifact_tag(tag: &str) -> String {
    format!("{tag}{ARTIFACT_SUFFIX}")
}
