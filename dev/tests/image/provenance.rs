//! Which commit an image says it is of.

use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;
use throughline_dev::image::Provenance;

/// A git repository with one commit, made at `TIME`.
struct Repository(tempfile::TempDir);

const TIME: u64 = 1_700_000_000;

impl Repository {
    fn new() -> Result<Self> {
        let repository = Self(tempfile::tempdir()?);
        repository.git(&["init", "--quiet"])?;
        fs::create_dir(repository.path().join("src"))?;
        repository.commit("src/lib.rs", TIME)?;
        Ok(repository)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        git(self.path(), arguments, TIME)
    }

    fn commit(&self, file: &str, time: u64) -> Result<()> {
        fs::write(self.path().join(file), time.to_string())?;
        git(self.path(), &["add", "."], time)?;
        git(self.path(), &["commit", "--quiet", "--message", file], time)?;
        Ok(())
    }

    fn head(&self) -> Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Git, whatever the user's own settings are.
fn git(directory: &Path, arguments: &[&str], time: u64) -> Result<String> {
    let time = format!("{time} +0100");
    let answer = Command::new("git")
        .args([
            "-c",
            "user.name=someone",
            "-c",
            "user.email=someone@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(directory)
        .envs([("GIT_AUTHOR_DATE", &time), ("GIT_COMMITTER_DATE", &time)])
        .output()?;
    ensure!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(String::from_utf8(answer.stdout)?.trim().to_owned())
}

#[test]
fn it_is_the_last_commit_that_changed_the_module() -> Result<()> {
    let repository = Repository::new()?;
    let first = repository.head()?;
    repository.commit("README.md", TIME + 100)?;
    let provenance = Provenance::of(repository.path(), None)?;
    assert_eq!(provenance.revision, Some(first));
    assert_eq!(provenance.created, TIME);
    assert_eq!(provenance.created_text(), "2023-11-14T22:13:20Z");

    repository.commit("src/lib.rs", TIME + 200)?;
    let provenance = Provenance::of(repository.path(), None)?;
    assert_eq!(provenance.revision, Some(repository.head()?));
    assert_eq!(provenance.created, TIME + 200);
    Ok(())
}

#[test]
fn what_is_not_committed_is_told() -> Result<()> {
    let repository = Repository::new()?;
    fs::write(repository.path().join("README.md"), "not part of it")?;
    assert_eq!(
        Provenance::of(repository.path(), None)?.revision,
        Some(repository.head()?)
    );
    fs::write(repository.path().join("src/new.rs"), "part of it")?;
    assert_eq!(
        Provenance::of(repository.path(), None)?.revision,
        Some(format!("{}-dirty", repository.head()?))
    );
    Ok(())
}

#[test]
fn a_given_time_counts() -> Result<()> {
    let repository = Repository::new()?;
    assert_eq!(
        Provenance::of(repository.path(), Some("1600000000"))?.created,
        1_600_000_000
    );
    for bad in ["", "yesterday", "-1", "1.5", "99999999999"] {
        let error = Provenance::of(repository.path(), Some(bad)).unwrap_err();
        assert!(
            error.to_string().contains("SOURCE_DATE_EPOCH"),
            "{bad}: {error}"
        );
    }
    Ok(())
}

#[test]
fn a_source_archive_needs_one() -> Result<()> {
    let archive = tempfile::tempdir()?;
    let error = Provenance::of(archive.path(), None).unwrap_err();
    assert!(
        error.to_string().contains("set SOURCE_DATE_EPOCH"),
        "{error}"
    );
    let provenance = Provenance::of(archive.path(), Some("0"))?;
    assert_eq!(
        (provenance.revision.as_ref(), provenance.created),
        (None, 0)
    );
    assert!(
        !provenance
            .annotations()
            .contains_key("org.opencontainers.image.revision")
    );
    Ok(())
}

/// Whose history ends at a commit that seems to have changed everything.
#[test]
fn a_shallow_clone_is_refused() -> Result<()> {
    let repository = Repository::new()?;
    repository.commit("README.md", TIME + 100)?;
    let clones = tempfile::tempdir()?;
    let from = format!("file://{}", repository.path().display());
    git(
        clones.path(),
        &["clone", "--quiet", "--depth=1", &from, "clone"],
        TIME,
    )?;
    let error = Provenance::of(&clones.path().join("clone"), None).unwrap_err();
    assert!(
        error.to_string().contains("git fetch --unshallow"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_repository_without_a_commit_is_refused() -> Result<()> {
    let empty = tempfile::tempdir()?;
    git(empty.path(), &["init", "--quiet"], TIME)?;
    assert!(Provenance::of(empty.path(), None).is_err());
    Ok(())
}
