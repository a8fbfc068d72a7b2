//! Built, pushed, pulled back and pinned, with the commands that `make` runs.

use super::registries::{PASSWORD, Registry, USER, login};
use super::{crane, fail, push, succeed};
use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::Path;
use throughline_dev::built;
use throughline_dev::image::Digest;
use throughline_dev::image::registry::Repository;
use throughline_dev::refused::Refused;

const PLUGIN: &str = "# ours\nkind: WasmPlugin\nspec:\n  url: none # yet\n  sha256: none\n";
const TAG: &str = env!("CARGO_PKG_VERSION");

/// The digest that `image push` printed for a tag.
fn pushed(said: &str, tag: &str) -> Result<String> {
    let digest = said
        .lines()
        .filter_map(|line| line.strip_prefix("pushed "))
        .find_map(|line| line.split_once(&format!(":{tag}@")))
        .with_context(|| said.to_owned())?;
    Ok(digest.1.to_owned())
}

fn blob(repository: &str, descriptor: &Value) -> Result<Vec<u8>> {
    let digest = descriptor["digest"].as_str().context("no digest")?;
    let blob = crane(&["blob", &format!("{repository}@{digest}")])?;
    assert_eq!(Digest::of(&blob).to_string(), digest);
    Ok(blob)
}

#[test]
fn what_is_pulled_by_digest_is_the_built_module() -> Result<()> {
    let module = fs::read(built::module()?)?;
    for registry in [Registry::distribution()?, Registry::of_crane()?] {
        let out = tempfile::tempdir()?;
        let repository = registry.repository();
        let said = push(out.path(), &[("REGISTRY", &repository)])?;
        for tag in [TAG.to_owned(), format!("{TAG}-artifact")] {
            let digest = pushed(&said, &tag)?;
            let manifest = crane(&["manifest", &format!("{repository}@{digest}")])?;
            assert_eq!(Digest::of(&manifest).to_string(), digest);
            assert_eq!(
                crane(&["manifest", &format!("{repository}:{tag}")])?,
                manifest
            );
            let manifest: Value = serde_json::from_slice(&manifest)?;
            let last = manifest["layers"]
                .as_array()
                .and_then(|layers| layers.last())
                .context("no layer")?;
            let layer = blob(&repository, last)?;
            if tag == TAG {
                assert_eq!(file(&layer, "plugin.wasm")?, module);
            } else {
                assert_eq!(layer, module);
            }
        }
    }
    Ok(())
}

fn file(gzip: &[u8], name: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(GzDecoder::new(gzip));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.as_ref() == Path::new(name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    anyhow::bail!("{name} is not in the layer")
}

#[test]
fn a_tag_that_is_taken_is_not_moved_unawares() -> Result<()> {
    let (registry, out) = (Registry::distribution()?, tempfile::tempdir()?);
    let repository = registry.repository();
    let arguments = [("REGISTRY", repository.as_str()), ("TAG", "canary")];
    let first = pushed(&push(out.path(), &arguments)?, "canary")?;
    assert_eq!(
        pushed(&push(out.path(), &arguments)?, "canary")?,
        first,
        "the same again"
    );

    // The same module of another time.
    let later = [&arguments[..], &[("SOURCE_DATE_EPOCH", "1790000001")]].concat();
    let module = built::module()?;
    let error = fail(&["push".as_ref(), &module, out.path()], &later)?;
    assert!(
        error.contains(&format!("is there already, as {first}")) && error.contains("FORCE=1"),
        "{error}"
    );
    let there = crane(&["digest", &format!("{repository}:canary")])?;
    assert_eq!(String::from_utf8(there)?.trim(), first);

    let forced = [&later[..], &[("FORCE", "1")]].concat();
    assert_ne!(pushed(&push(out.path(), &forced)?, "canary")?, first);
    Ok(())
}

#[test]
fn what_the_registry_has_is_compared_with_what_was_built() -> Result<()> {
    let (registry, out) = (Registry::distribution()?, tempfile::tempdir()?);
    let said = push(out.path(), &[("REGISTRY", &registry.repository())])?;
    let repository = Repository::new(&registry.repository(), false)?;
    repository.expect(TAG, &Digest::parse(&pushed(&said, TAG)?)?)?;
    let error = repository
        .expect(TAG, &Digest::of(b"another"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("not {}", Digest::of(b"another"))),
        "{error}"
    );
    let error = repository
        .expect("nowhere", &Digest::of(b"another"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("is not in the registry"), "{error}");
    Ok(())
}

#[test]
fn a_login_is_the_users_own() -> Result<()> {
    let (registry, out) = (Registry::private()?, tempfile::tempdir()?);
    let (repository, module) = (registry.repository(), built::module()?);
    let arguments = ["push".as_ref(), module.as_path(), out.path()];
    let nobody = tempfile::tempdir()?;
    let stranger = login(registry.address(), USER, "wrong")?;
    for config in [&nobody, &stranger] {
        let config = config.path().display().to_string();
        let error = fail(
            &arguments,
            &[("REGISTRY", &repository), ("DOCKER_CONFIG", &config)],
        )?;
        assert!(error.contains("docker login"), "{error}");
    }
    let user = login(registry.address(), USER, PASSWORD)?;
    let config = user.path().display().to_string();
    succeed(
        &arguments,
        &[("REGISTRY", &repository), ("DOCKER_CONFIG", &config)],
    )?;
    Ok(())
}

#[test]
fn a_registry_that_is_not_there_is_an_error() -> Result<()> {
    let (nobody, out) = (Refused::take()?, tempfile::tempdir()?);
    let repository = format!("{}/throughline", nobody.address());
    let error = fail(
        &["push".as_ref(), &built::module()?, out.path()],
        &[("REGISTRY", &repository)],
    )?;
    assert!(error.contains("cannot be reached"), "{error}");
    Ok(())
}

#[test]
fn a_name_that_is_none_is_refused_with_the_reason() -> Result<()> {
    let out = tempfile::tempdir()?;
    let module = built::module()?;
    for (environment, reason) in [
        (
            vec![],
            "which registry? For example REGISTRY=registry.example/team/throughline",
        ),
        (vec![("REGISTRY", "")], "which registry?"),
        (
            vec![("REGISTRY", "https://registry.example/x")],
            "without a scheme",
        ),
        (
            vec![("REGISTRY", "registry.example")],
            "expected registry/path",
        ),
        (vec![("REGISTRY", "registry.example/")], "expected a path"),
        (
            vec![("REGISTRY", "team/throughline")],
            "begin with the host",
        ),
        (
            vec![("REGISTRY", "registry.example/x:1.0")],
            "the tag is TAG=",
        ),
        (
            vec![("REGISTRY", "registry.example/x@sha256:0")],
            "without tag or digest",
        ),
        (
            vec![("REGISTRY", "127.0.0.1:1/x"), ("TAG", "a b")],
            "TAG=a b",
        ),
        (vec![("REGISTRY", "127.0.0.1:1/x"), ("TAG", "-a")], "TAG=-a"),
    ] {
        let error = fail(&["push".as_ref(), &module, out.path()], &environment)?;
        assert!(error.contains(reason), "{environment:?}: {error}");
    }
    Ok(())
}

#[test]
fn a_manifest_is_pinned_to_what_the_registry_has() -> Result<()> {
    let (registry, out) = (Registry::distribution()?, tempfile::tempdir()?);
    let repository = registry.repository();
    let said = push(out.path(), &[("REGISTRY", &repository)])?;
    let (compat, artifact) = (
        pushed(&said, TAG)?,
        pushed(&said, &format!("{TAG}-artifact"))?,
    );
    let manifest = out.path().join("plugin.yaml");
    fs::write(&manifest, PLUGIN)?;

    let arguments = ["pin".as_ref(), manifest.as_path()];
    for _ in 0..2 {
        succeed(&arguments, &[("REGISTRY", &repository)])?;
        let hex = compat.trim_start_matches("sha256:");
        assert_eq!(
            fs::read_to_string(&manifest)?,
            format!(
                "# ours\nkind: WasmPlugin\nspec:\n  url: \"oci://{repository}:{TAG}@{compat}\" # yet\n  sha256: \"{hex}\"\n"
            )
        );
    }
    // What the agent is given is what it pulls.
    crane(&["manifest", &format!("{repository}:{TAG}@{compat}")])?;

    succeed(
        &arguments,
        &[("REGISTRY", &repository), ("DIGEST", &artifact)],
    )?;
    assert!(fs::read_to_string(&manifest)?.contains(&format!("\"oci://{repository}@{artifact}\"")));
    Ok(())
}

#[test]
fn what_the_registry_lacks_or_istio_refuses_is_not_pinned() -> Result<()> {
    let (registry, out) = (Registry::distribution()?, tempfile::tempdir()?);
    let repository = registry.repository();
    let manifest = out.path().join("plugin.yaml");
    fs::write(&manifest, PLUGIN)?;
    let arguments = ["pin".as_ref(), manifest.as_path()];
    let refuse = |environment: &[(&str, &str)], reason: &str| {
        let error = fail(
            &arguments,
            &[&[("REGISTRY", repository.as_str())], environment].concat(),
        )?;
        assert!(error.contains(reason), "{environment:?}: {error}");
        assert_eq!(fs::read_to_string(&manifest)?, PLUGIN);
        anyhow::Ok(())
    };
    refuse(&[], "push it first")?;
    push(&out.path().join("image"), &[("REGISTRY", &repository)])?;
    refuse(&[("TAG", "0.0.0")], "push it first")?;
    refuse(
        &[("DIGEST", &Digest::of(b"another").to_string())],
        "push it first",
    )?;
    refuse(&[("DIGEST", "sha256:abc")], "not a digest")?;

    let (one, index) = (format!("{repository}:{TAG}"), format!("{repository}:index"));
    crane(&["index", "append", "--manifest", &one, "--tag", &index])?;
    refuse(&[("TAG", "index")], "it is no single image")?;
    Ok(())
}
