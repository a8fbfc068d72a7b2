//! A registry, through `crane`: the same library that Istio's agent pulls with, and the user's own docker login.

use super::digest::Digest;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A place for images, such as `registry.example/team/throughline`.
#[derive(Debug)]
pub struct Repository {
    crane: PathBuf,
    name: String,
    insecure: bool,
}

impl Repository {
    /// `insecure` allows plain HTTP and unknown certificates; on localhost plain HTTP goes without.
    pub fn new(name: &str, insecure: bool) -> Result<Self> {
        let name = name.strip_prefix("oci://").unwrap_or(name);
        ensure!(
            !name.contains("://"),
            "REGISTRY={name}: without a scheme, please"
        );
        let (host, path) = name.split_once('/').with_context(|| {
            format!(
                "REGISTRY={name}: expected registry/path, such as registry.example/team/throughline"
            )
        })?;
        // Without a dot or a port it would be a user's name on Docker Hub.
        ensure!(
            host == "localhost" || host.contains(['.', ':']),
            "REGISTRY={name}: {host:?} is no registry's name; begin with the host, as registry.example/team/throughline"
        );
        ensure!(
            !path.is_empty() && !path.contains([':', '@']),
            "REGISTRY={name}: expected a path without tag or digest; the tag is TAG="
        );
        Ok(Self {
            crane: program("crane")?,
            name: name.to_owned(),
            insecure,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Pushes the layout as `tag`, and sees that it is there as `digest`. A tag that is there already with something else
    /// is moved only by `force`: registries delete what no tag holds, and a mesh may be pinned to it.
    pub fn push(&self, layout: &Path, tag: &str, digest: &Digest, force: bool) -> Result<()> {
        match self.find(tag)? {
            Some(there) if there == *digest => return Ok(()),
            Some(there) if !force => bail!(
                "{}:{tag} is there already, as {there}: choose another TAG=, or move it with FORCE=1 (whoever is pinned to \
                 the old one loses it when the registry cleans up)",
                self.name
            ),
            _ => {}
        }
        self.crane("push", [layout.as_os_str(), self.tagged(tag).as_ref()])?;
        self.expect(tag, digest)
    }

    /// Fails unless the registry has `digest` under `tag`.
    pub fn expect(&self, tag: &str, digest: &Digest) -> Result<()> {
        let there = self.find(tag)?;
        match &there {
            Some(there) if there == digest => Ok(()),
            Some(there) => bail!(
                "{}:{tag} is {there} in the registry, not {digest}: someone else pushed it too, or the registry changes what it keeps",
                self.name
            ),
            None => bail!("{}:{tag} is not in the registry after the push", self.name),
        }
    }

    /// The digest of what `tag` names, if there is such.
    pub fn find(&self, tag: &str) -> Result<Option<Digest>> {
        match self.manifest(&self.tagged(tag)) {
            Ok(manifest) => Ok(Some(Digest::of(&manifest))),
            Err(error) if is_unknown(&error.to_string()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Fails unless the registry has an image of that digest, in a form that Istio's agent takes.
    pub fn check(&self, digest: &Digest) -> Result<()> {
        let reference = format!("{}@{digest}", self.name);
        let manifest = match self.manifest(&reference) {
            Err(error) if is_unknown(&error.to_string()) => {
                bail!("the registry has no {reference}: push it first")
            }
            other => other?,
        };
        ensure!(
            Digest::of(&manifest) == *digest,
            "the registry answers {reference} with something else"
        );
        let manifest: Value =
            serde_json::from_slice(&manifest).with_context(|| format!("{reference} is no JSON"))?;
        fetchable(&manifest).with_context(|| format!("Istio cannot pull {reference}"))
    }

    fn manifest(&self, reference: &str) -> Result<Vec<u8>> {
        self.crane("manifest", [reference])
    }

    fn tagged(&self, tag: &str) -> String {
        format!("{}:{tag}", self.name)
    }

    fn crane<S: AsRef<OsStr>>(
        &self,
        verb: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>> {
        let answer = Command::new(&self.crane)
            .arg(verb)
            .args(self.insecure.then_some("--insecure"))
            .args(arguments)
            .output()
            .with_context(|| self.crane.display().to_string())?;
        if answer.status.success() {
            return Ok(answer.stdout);
        }
        let reason = String::from_utf8_lossy(&answer.stderr);
        let reason = reason.trim().trim_start_matches("Error: ");
        bail!("{}: {reason}{}", self.name, advice(reason))
    }
}

/// Fails on what Istio's agent refuses.
pub fn fetchable(manifest: &Value) -> Result<()> {
    const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    let Some(layers) = manifest["layers"].as_array() else {
        bail!("it is no single image (docker buildx makes one with --provenance=false)");
    };
    let types: Vec<_> = layers
        .iter()
        .filter_map(|layer| layer["mediaType"].as_str())
        .collect();
    let files_last = matches!(
        types.last(),
        Some(&(super::manifest::TAR_GZIP | DOCKER_LAYER))
    );
    let artifact = types.len() == 2 && types.contains(&super::manifest::WASM);
    ensure!(
        files_last || artifact,
        "its last layer would have to be a tar+gzip with plugin.wasm, or one of exactly two layers {}; they are {types:?}",
        super::manifest::WASM
    );
    Ok(())
}

/// Where dev/registry/install.py put a program.
pub fn program(name: &str) -> Result<PathBuf> {
    let installer = Path::new(env!("CARGO_MANIFEST_DIR")).join("registry/install.py");
    let answer = Command::new("python3")
        .arg(&installer)
        .args(["--installed", name])
        .output()
        .context("python3, which knows where crane is")?;
    if !answer.status.success() {
        bail!("{}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    Ok(String::from_utf8(answer.stdout)?.trim_end().into())
}

/// Neither the tag nor the repository.
fn is_unknown(reason: &str) -> bool {
    ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "404 Not Found"]
        .iter()
        .any(|word| reason.contains(word))
}

fn advice(reason: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if says(&[
        "UNAUTHORIZED",
        "DENIED",
        "401 Unauthorized",
        "403 Forbidden",
    ]) {
        "\nLog in with `docker login` (or podman, or crane auth login); what is used is the file that it writes."
    } else if says(&[
        "connection refused",
        "no such host",
        "timeout",
        "no route to host",
    ]) {
        "\nThe registry cannot be reached from here."
    } else if says(&["HTTP response to HTTPS client", "certificate"]) {
        "\nINSECURE=1 allows plain HTTP and unknown certificates."
    } else {
        ""
    }
}
