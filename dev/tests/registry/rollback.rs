//! The commands of docs/image.md, in a repository of manifests: a new version with a new configuration, and back.

use super::registries::Registry;
use super::{crane, output_of, push};
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use throughline_dev::image::pin::yaml_files;

/// A git repository with a copy of the manifests that are shipped.
struct Manifests(TempDir);

impl Manifests {
    fn new() -> Result<Self> {
        let manifests = Self(tempfile::tempdir()?);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasmplugin");
        for (number, file) in yaml_files(&[shipped])?.iter().enumerate() {
            fs::copy(file, manifests.path().join(format!("{number}.yaml")))?;
        }
        manifests.git(&["init", "--quiet"])?;
        manifests.commit("as shipped")?;
        Ok(manifests)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Git, whatever the user's own settings are.
    fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        for setting in [
            "user.name=someone",
            "user.email=someone@example.com",
            "commit.gpgsign=false",
        ] {
            command.args(["-c", setting]);
        }
        let output = output_of(command.args(arguments).current_dir(self.path()))?;
        Ok(String::from_utf8(output)?)
    }

    fn commit(&self, message: &str) -> Result<()> {
        self.git(&["add", "."])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        Ok(())
    }

    /// `make pin`, which tells what it did.
    fn pin(&self, repository: &str, tag: &str) -> Result<String> {
        let mut make = Command::new("make");
        for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DIGEST", "INSECURE"] {
            make.env_remove(name);
        }
        make.args(["--silent", "--no-print-directory", "pin"])
            .args([
                format!("REGISTRY={repository}"),
                format!("TAG={tag}"),
                format!("MANIFESTS={}", self.path().display()),
            ])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        Ok(String::from_utf8(output_of(&mut make)?)?)
    }

    /// Changes the configuration.
    fn configure(&self) -> Result<()> {
        for file in yaml_files(&[self.path().to_owned()])? {
            let text = fs::read_to_string(&file)?;
            fs::write(&file, text.replace("arg: 0.1", "arg: 0.2"))?;
        }
        Ok(())
    }

    /// The addresses in all of the files.
    fn images(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for file in yaml_files(&[self.path().to_owned()])? {
            for line in fs::read_to_string(&file)?.lines() {
                if let Some((_, rest)) = line.split_once("\"oci://") {
                    found.push(rest.trim_end_matches('"').to_owned());
                }
            }
        }
        Ok(found)
    }
}

#[test]
fn image_and_configuration_go_back_as_one() -> Result<()> {
    let (registry, out) = (Registry::distribution()?, tempfile::tempdir()?);
    let repository = registry.repository();
    let manifests = Manifests::new()?;
    push(out.path(), &[("REGISTRY", &repository), ("TAG", "one")])?;
    assert!(manifests.pin(&repository, "one")?.contains("pinned in "));
    manifests.commit("one")?;
    let one = manifests.images()?;

    let newer = [("TAG", "two"), ("SOURCE_DATE_EPOCH", "1790000001")];
    push(
        out.path(),
        &[&[("REGISTRY", repository.as_str())], &newer[..]].concat(),
    )?;
    manifests.pin(&repository, "two")?;
    manifests.configure()?;
    manifests.commit("two")?;
    let two = manifests.images()?;
    assert_ne!(one, two);

    manifests.git(&["revert", "--no-edit", "HEAD"])?;
    assert_eq!(manifests.git(&["diff", "HEAD~2", "HEAD"])?, "");
    assert_eq!(manifests.images()?, one);
    // The registry still has it, so that it can be pulled, and it is pinned already.
    for image in one.iter().chain(&two) {
        crane(&["manifest", image])?;
    }
    assert!(
        manifests
            .pin(&repository, "one")?
            .contains("pinned already")
    );
    assert_eq!(manifests.git(&["status", "--porcelain"])?, "");
    Ok(())
}
