//! What is in the layouts, byte by byte.

use super::{MODULE, contents, provenance};
use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use throughline_dev::built;
use throughline_dev::image::manifest;
use throughline_dev::image::registry::fetchable;
use throughline_dev::image::{self, Contents, Digest, Layer};

fn built_contents() -> Result<Contents> {
    Ok(Contents {
        module: fs::read(built::module()?)?,
        ..contents()
    })
}

/// Every file below `directory`.
fn files(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                path.read_dir()?
                    .map(|entry| Ok(entry?.path()))
                    .collect::<Result<Vec<_>>>()?,
            );
        } else {
            let name = path.strip_prefix(directory)?.display().to_string();
            found.insert(name, fs::read(&path)?);
        }
    }
    Ok(found)
}

fn blob(layout: &Path, descriptor: &Value) -> Result<Vec<u8>> {
    let digest = Digest::parse(descriptor["digest"].as_str().context("no digest")?)?;
    let bytes = fs::read(layout.join("blobs/sha256").join(digest.hex()))?;
    assert_eq!(Digest::of(&bytes), digest);
    assert_eq!(descriptor["size"], bytes.len());
    Ok(bytes)
}

fn manifest_of(layout: &Path) -> Result<Value> {
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json"))?)?;
    Ok(serde_json::from_slice(&blob(
        layout,
        &index["manifests"][0],
    )?)?)
}

fn unpack(gzip: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(gzip));
    let mut unpacked = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        unpacked.insert(entry.path()?.display().to_string(), bytes);
    }
    Ok(unpacked)
}

#[test]
fn two_builds_give_the_same_bytes() -> Result<()> {
    let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let contents = built_contents()?;
    image::build(&contents, &provenance(), &one.path().join("image"))?;
    // Into a directory that holds an older image.
    image::build(&super::contents(), &provenance(), &two.path().join("image"))?;
    image::build(&contents, &provenance(), &two.path().join("image"))?;
    assert_eq!(files(one.path())?, files(two.path())?);
    Ok(())
}

/// Noted once: a machine that makes other bytes is found here, and so is a library that compresses in another way.
#[test]
fn the_bytes_are_those_of_every_machine() -> Result<()> {
    let out = tempfile::tempdir()?;
    let patterned = (0..300_000_u32).map(|i| ((i % 1_000).pow(2) >> (i >> 15)) as u8);
    let contents = Contents {
        module: MODULE.iter().copied().chain(patterned).collect(),
        ..contents()
    };
    let [compat, artifact] = image::build(&contents, &provenance(), out.path())?;
    assert_eq!(
        [compat.digest.to_string(), artifact.digest.to_string()],
        [
            "sha256:a937e248949295af8b70445dba9412dd71c39bd6a2249bf51f13f388a836e8d1",
            "sha256:09e636ccb1d099b941c9e0cb6264005c06d4daa54acbf077649f0bff0e14d103"
        ]
    );
    Ok(())
}

/// What Buildah 1.28.2 made of the Dockerfile and the same files.
#[test]
fn the_layer_is_that_of_the_dockerfile() -> Result<()> {
    let layer = Layer::pack(&contents().files(), provenance().created)?;
    assert_eq!(
        layer.diff_id.to_string(),
        "sha256:3bf9306dbce1a7a001ba1e18b7439c90e9c021384aa62e3926728985e9f88979"
    );
    Ok(())
}

#[test]
fn an_ordinary_image_has_the_built_module_in_its_last_layer() -> Result<()> {
    let out = tempfile::tempdir()?;
    let contents = built_contents()?;
    let [compat, _] = image::build(&contents, &provenance(), out.path())?;
    let manifest = manifest_of(&compat.layout)?;
    fetchable(&manifest)?;
    assert_eq!(manifest["mediaType"], manifest::MANIFEST);
    assert_eq!(manifest["config"]["mediaType"], manifest::IMAGE_CONFIG);
    let layers = manifest["layers"].as_array().context("no layers")?;
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0]["mediaType"], manifest::TAR_GZIP);
    let gzip = blob(&compat.layout, &layers[0])?;
    let unpacked = unpack(&gzip)?;
    assert_eq!(
        unpacked,
        BTreeMap::from([
            ("LICENSE".to_owned(), contents.license),
            ("THIRD-PARTY.txt".to_owned(), contents.notices),
            ("plugin.wasm".to_owned(), contents.module),
            ("sbom.cdx.json".to_owned(), contents.sbom),
        ])
    );

    let config: Value = serde_json::from_slice(&blob(&compat.layout, &manifest["config"])?)?;
    let mut tar = Vec::new();
    GzDecoder::new(&gzip[..]).read_to_end(&mut tar)?;
    assert_eq!(config["rootfs"]["diff_ids"], json!([Digest::of(&tar)]));
    assert_eq!(config["created"], "2026-09-21T14:13:20Z");
    Ok(())
}

#[test]
fn an_artifact_has_the_built_module_as_it_is() -> Result<()> {
    let out = tempfile::tempdir()?;
    let contents = built_contents()?;
    let [_, artifact] = image::build(&contents, &provenance(), out.path())?;
    let manifest = manifest_of(&artifact.layout)?;
    fetchable(&manifest)?;
    assert_eq!(manifest["config"]["mediaType"], manifest::WASM_CONFIG);
    let layers = manifest["layers"].as_array().context("no layers")?;
    assert_eq!(
        layers.len(),
        2,
        "Istio's agent takes two, no more and no fewer"
    );
    assert_eq!(layers[1]["mediaType"], manifest::WASM);
    assert_eq!(blob(&artifact.layout, &layers[1])?, contents.module);
    let documents: Vec<_> = unpack(&blob(&artifact.layout, &layers[0])?)?
        .into_keys()
        .collect();
    assert_eq!(documents, ["LICENSE", "THIRD-PARTY.txt", "sbom.cdx.json"]);
    let config: Value = serde_json::from_slice(&blob(&artifact.layout, &manifest["config"])?)?;
    assert_eq!(config["config"]["root_ids"], json!(["throughline"]));
    Ok(())
}

#[test]
fn a_layout_holds_what_its_manifest_names_and_nothing_else() -> Result<()> {
    let out = tempfile::tempdir()?;
    for image in image::build(&contents(), &provenance(), out.path())? {
        let manifest = manifest_of(&image.layout)?;
        let mut named: BTreeSet<_> = [image.digest.hex().to_owned()].into();
        for descriptor in manifest["layers"]
            .as_array()
            .context("no layers")?
            .iter()
            .chain([&manifest["config"]])
        {
            blob(&image.layout, descriptor)?;
            named.insert(
                Digest::parse(descriptor["digest"].as_str().context("no digest")?)?
                    .hex()
                    .to_owned(),
            );
        }
        let there: BTreeSet<_> = files(&image.layout.join("blobs/sha256"))?
            .into_keys()
            .collect();
        assert_eq!(there, named);
        let index: Value = serde_json::from_slice(&fs::read(image.layout.join("index.json"))?)?;
        assert_eq!(
            index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"],
            image.tag
        );
        let size: usize = files(&image.layout.join("blobs"))?
            .values()
            .map(Vec::len)
            .sum();
        assert_eq!(size, image.size);
    }
    Ok(())
}

#[test]
fn both_say_what_they_are() -> Result<()> {
    let out = tempfile::tempdir()?;
    let [compat, artifact] = image::build(&contents(), &provenance(), out.path())?;
    assert_eq!(
        (&compat.tag[..], &artifact.tag[..]),
        ("1.2.3", "1.2.3-artifact")
    );
    let wanted = json!({
        "org.opencontainers.image.created": "2026-09-21T14:13:20Z",
        "org.opencontainers.image.description":
            "A proxy-wasm HTTP filter that keeps B3 and W3C Trace Context on one trace id in every Envoy of an Istio mesh",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": "0123456789abcdef0123456789abcdef01234567",
        "org.opencontainers.image.title": "Throughline",
        "org.opencontainers.image.version": "1.2.3",
    });
    assert_eq!(manifest_of(&artifact.layout)?["annotations"], wanted);
    let manifest = manifest_of(&compat.layout)?;
    let config: Value = serde_json::from_slice(&blob(&compat.layout, &manifest["config"])?)?;
    assert_eq!(config["config"]["Labels"], wanted);
    let mut annotations = manifest["annotations"].clone();
    let variant = annotations
        .as_object_mut()
        .and_then(|all| all.remove("module.wasm.image/variant"));
    assert_eq!(variant, Some(json!("compat")));
    assert_eq!(annotations, wanted);
    Ok(())
}

#[test]
fn the_files_for_a_dockerfile_are_as_in_the_layer() -> Result<()> {
    let out = tempfile::tempdir()?;
    image::build(&contents(), &provenance(), out.path())?;
    let layer = out.path().join("layer");
    assert_eq!(
        files(&layer)?.into_keys().collect::<Vec<_>>(),
        ["LICENSE", "THIRD-PARTY.txt", "plugin.wasm", "sbom.cdx.json"]
    );
    for name in ["LICENSE", "THIRD-PARTY.txt", "plugin.wasm", "sbom.cdx.json"] {
        let metadata = layer.join(name).metadata()?;
        assert_eq!(metadata.permissions().mode() & 0o777, 0o644);
        assert_eq!(
            metadata.modified()?,
            UNIX_EPOCH + Duration::from_secs(1_790_000_000)
        );
    }
    Ok(())
}

#[test]
fn what_istio_cannot_pull_is_known() {
    let layers = |types: &[&str]| json!({"layers": types.iter().map(|t| json!({"mediaType": t})).collect::<Vec<_>>()});
    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    for taken in [
        layers(&[docker]),
        layers(&["application/octet-stream", manifest::TAR_GZIP]),
        layers(&[manifest::WASM, "application/json"]),
    ] {
        fetchable(&taken).unwrap();
    }
    for refused in [
        json!({"manifests": [{"digest": "sha256:0"}]}),
        json!([]),
        layers(&[]),
        layers(&[manifest::WASM]),
        layers(&["a", "b", manifest::WASM]),
        layers(&["application/wasm"]),
        layers(&["application/vnd.oci.image.layer.v1.tar+zstd"]),
        layers(&[manifest::TAR_GZIP, "application/vnd.oci.image.layer.v1.tar"]),
    ] {
        assert!(fetchable(&refused).is_err(), "{refused}");
    }
}
