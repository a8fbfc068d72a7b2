//! Where an image comes from, as its annotations tell.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

/// All that the image's bytes depend on. The annotations name the last commit that changed one of them, so that a commit
/// to anything else (a manifest that pins the image, for one) leaves the image's digest as it is.
const SOURCES: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "dev/notices.py",
    "dev/sbom.py",
    "dev/src/bin/image.rs",
    "dev/src/bin/trim-module.rs",
    "dev/src/image",
    "dev/src/module.rs",
    "rust-toolchain.toml",
    "src",
];

#[derive(Clone, Debug)]
pub struct Provenance {
    pub version: String,
    /// The commit, if it is known.
    pub revision: Option<String>,
    /// When that commit was made, in seconds since 1970.
    pub created: u64,
}

impl Provenance {
    /// That of the repository at `root`. SOURCE_DATE_EPOCH, where it is given, is the time; without a repository (a source
    /// archive) it has to be.
    pub fn of(root: &Path, source_date_epoch: Option<&str>) -> Result<Self> {
        let given = source_date_epoch.map(seconds).transpose()?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        if !root.join(".git").exists() {
            let created = given.context(
                "this is no git repository, so nobody knows when its sources were written: set SOURCE_DATE_EPOCH",
            )?;
            return Ok(Self {
                version,
                revision: None,
                created,
            });
        }
        if git(root, &["rev-parse", "--is-shallow-repository"])? == "true" {
            bail!(
                "this clone is too shallow to know which commit last changed the module: git fetch --unshallow"
            );
        }
        let commit = git(
            root,
            &[&["log", "-1", "--format=%H %ct", "--"], &SOURCES[..]].concat(),
        )?;
        let (hash, time) = commit
            .split_once(' ')
            .context("git knows no commit with the module's sources")?;
        let changed = git(
            root,
            &[&["status", "--porcelain", "--"], &SOURCES[..]].concat(),
        )?;
        let suffix = if changed.is_empty() { "" } else { "-dirty" };
        Ok(Self {
            version,
            revision: Some(format!("{hash}{suffix}")),
            created: given.map_or_else(|| seconds(time), Ok)?,
        })
    }

    /// `created` as RFC 3339 has it.
    pub fn created_text(&self) -> String {
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(self.created))
            .to_string()
    }

    /// OCI's annotations. There is no `source`, as the repository has no public address.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let mut annotations: BTreeMap<_, _> = [
            ("title", "Throughline"),
            ("description", "A proxy-wasm HTTP filter that keeps B3 and W3C Trace Context on one trace id in every Envoy of an Istio mesh"),
            ("licenses", env!("CARGO_PKG_LICENSE")),
            ("version", &self.version),
            ("created", &self.created_text()),
        ]
        .into_iter()
        .map(|(key, value)| (format!("org.opencontainers.image.{key}"), value.to_owned()))
        .collect();
        if let Some(revision) = &self.revision {
            annotations.insert(
                "org.opencontainers.image.revision".to_owned(),
                revision.clone(),
            );
        }
        annotations
    }
}

/// A tar keeps eleven octal digits of a time.
fn seconds(text: &str) -> Result<u64> {
    let seconds: u64 = text
        .parse()
        .ok()
        .with_context(|| format!("SOURCE_DATE_EPOCH: expected seconds since 1970, got {text:?}"))?;
    ensure!(
        seconds < 1 << 33,
        "SOURCE_DATE_EPOCH: {seconds} is after the year 2242"
    );
    Ok(seconds)
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let answer = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .context("git, which knows the commit")?;
    if !answer.status.success() {
        bail!(
            "git {}: {}",
            arguments[0],
            String::from_utf8_lossy(&answer.stderr).trim()
        );
    }
    Ok(String::from_utf8(answer.stdout)?.trim().to_owned())
}
