//! `image build`, `push` and `pin`: what `make image`, `make push` and `make pin` run. See [`throughline_dev::image`].

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use throughline_dev::image::registry::Repository;
use throughline_dev::image::{self, Built, Contents, Digest, Provenance, documents, pin};

const USAGE: &str = "usage: image build MODULE OUT
       image push MODULE OUT     REGISTRY=, and TAG=, FORCE=1, INSECURE=1 from the environment
       image pin PATH…                REGISTRY=, and TAG= or DIGEST=, INSECURE=1";

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let done = match arguments.split_first() {
        Some((verb, paths)) if verb.as_os_str() == "build" => build(paths).map(|_| ()),
        Some((verb, paths)) if verb.as_os_str() == "push" => push(paths),
        Some((verb, paths)) if verb.as_os_str() == "pin" && !paths.is_empty() => pin(paths),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(paths: &[PathBuf]) -> Result<[Built; 2]> {
    let [module, out] = paths else {
        bail!("{USAGE}")
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no repository")?;
    let provenance = Provenance::of(root, given("SOURCE_DATE_EPOCH")?.as_deref())?;
    let sbom = documents::sbom(root, provenance.created)?;
    let notices = documents::notices(root, &sbom)?;
    let contents = Contents::read(module, &root.join("LICENSE"), notices, sbom)?;
    let built = image::build(&contents, &provenance, out)?;
    for image in &built {
        println!(
            "{:<15} {} {:>7} bytes  {}",
            image.tag,
            image.digest,
            image.size,
            image.layout.display()
        );
    }
    println!(
        "Throughline {}, commit {}, {}",
        provenance.version,
        provenance.revision.as_deref().unwrap_or("unknown"),
        provenance.created_text()
    );
    Ok(built)
}

fn push(paths: &[PathBuf]) -> Result<()> {
    let repository = repository()?;
    let built = build(paths)?;
    let tag = tag()?;
    for (image, tag) in built.iter().zip([tag.clone(), image::artifact_tag(&tag)]) {
        repository.push(&image.layout, &tag, &image.digest, is_on("FORCE")?)?;
        println!("pushed {}:{tag}@{}", repository.name(), image.digest);
    }
    Ok(())
}

fn pin(paths: &[PathBuf]) -> Result<()> {
    let repository = repository()?;
    let (tag, digest) = match given("DIGEST")? {
        Some(digest) => {
            let (tag, digest) = (given("TAG")?, Digest::parse(&digest).context("DIGEST")?);
            if let Some(tag) = &tag
                && repository.find(tag)?.as_ref() != Some(&digest)
            {
                bail!("TAG={tag} is another image than DIGEST={digest}: give one of them");
            }
            (tag, digest)
        }
        None => {
            let tag = tag()?;
            let digest = repository.find(&tag)?.with_context(|| {
                format!(
                    "the registry has no {}:{tag}: push it first",
                    repository.name()
                )
            })?;
            (Some(tag), digest)
        }
    };
    repository.check(&digest)?;
    let pin = pin::Pin::new(repository.name(), tag.as_deref(), &digest);
    let changed = pin::pin_files(&pin::yaml_files(paths)?, &pin)?;
    println!("{}", pin.url);
    for file in &changed {
        println!("pinned in {}", file.display());
    }
    if changed.is_empty() {
        println!("it was pinned already");
    }
    Ok(())
}

fn repository() -> Result<Repository> {
    let name = given("REGISTRY")?
        .context("which registry? For example REGISTRY=registry.example/team/throughline")?;
    Repository::new(&name, is_on("INSECURE")?)
}

/// That of this version, unless another is given.
fn tag() -> Result<String> {
    let tag = given("TAG")?.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if tag.len() > 100 || !tag.chars().all(allowed) || tag.starts_with(['.', '-']) {
        bail!("TAG={tag}: a tag is of letters, digits, '_', '.' and '-', at most 100 here");
    }
    Ok(tag)
}

/// Whether a variable is 1.
fn is_on(name: &str) -> Result<bool> {
    match given(name)?.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => bail!("{name}={other}: 1 switches it on"),
    }
}

/// An environment variable that is not empty.
fn given(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(name.to_owned()),
    }
}
