//! The two forms of an image that Istio's agent takes, as the Wasm image specification describes them.

use super::contents::{Contents, LICENSE, MODULE, NOTICES, SBOM};
use super::digest::Digest;
use super::layer::Layer;
use super::provenance::Provenance;
use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const WASM_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
pub const WASM: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// Bytes in a registry, and what they are.
#[derive(Debug)]
pub struct Blob {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Blob {
    fn json(media_type: &'static str, value: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(value)?;
        Ok(Self { media_type, bytes })
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    pub fn descriptor(&self, annotations: BTreeMap<String, String>) -> Descriptor {
        Descriptor {
            media_type: self.media_type,
            digest: self.digest(),
            size: self.bytes.len(),
            annotations,
        }
    }
}

/// How one blob names another.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    media_type: &'static str,
    digest: Digest,
    size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

/// A manifest and all that it names.
#[derive(Debug)]
pub struct Image {
    pub manifest: Blob,
    pub config: Blob,
    pub layers: Vec<Blob>,
}

impl Image {
    /// An ordinary image with one layer of files: the form that every registry and container engine knows.
    pub fn compat(contents: &Contents, provenance: &Provenance) -> Result<Self> {
        let layer = Layer::pack(&contents.files(), provenance.created)?;
        let created = provenance.created_text();
        // In the order of the keys, here and below: serde_json's own order depends on its features.
        let config = json!({
            "architecture": "wasm",
            "config": {"Labels": provenance.annotations()},
            "created": created,
            "history": [{"created": created, "created_by": "make image"}],
            "os": "wasip1",
            "rootfs": {"diff_ids": [layer.diff_id], "type": "layers"},
        });
        let mut annotations = provenance.annotations();
        annotations.insert("module.wasm.image/variant".to_owned(), "compat".to_owned());
        Self::new(
            Blob::json(IMAGE_CONFIG, &config)?,
            vec![(
                Blob {
                    media_type: TAR_GZIP,
                    bytes: layer.gzip,
                },
                None,
            )],
            annotations,
        )
    }

    /// An artifact whose second layer is the module itself. Istio's agent takes two layers, no more and no fewer.
    pub fn artifact(contents: &Contents, provenance: &Provenance) -> Result<Self> {
        let documents = [
            (LICENSE, &contents.license[..]),
            (NOTICES, &contents.notices),
            (SBOM, &contents.sbom),
        ];
        let documents = Layer::pack(&documents, provenance.created)?;
        let config = json!({
            "abiVersions": ["v0.2.1"],
            "config": {"root_ids": ["throughline"]},
            "type": "envoy_proxy",
        });
        let module = Blob {
            media_type: WASM,
            bytes: contents.module.clone(),
        };
        Self::new(
            Blob::json(WASM_CONFIG, &config)?,
            vec![
                (
                    Blob {
                        media_type: TAR_GZIP,
                        bytes: documents.gzip,
                    },
                    None,
                ),
                (module, Some(MODULE)),
            ],
            provenance.annotations(),
        )
    }

    fn new(
        config: Blob,
        layers: Vec<(Blob, Option<&str>)>,
        annotations: BTreeMap<String, String>,
    ) -> Result<Self> {
        let title = |title: &str| {
            (
                "org.opencontainers.image.title".to_owned(),
                title.to_owned(),
            )
        };
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST,
            config: config.descriptor(BTreeMap::new()),
            layers: layers
                .iter()
                .map(|(blob, name)| blob.descriptor(name.map(title).into_iter().collect()))
                .collect(),
            annotations,
        };
        Ok(Self {
            manifest: Blob::json(MANIFEST, &manifest)?,
            config,
            layers: layers.into_iter().map(|(blob, _)| blob).collect(),
        })
    }
}
