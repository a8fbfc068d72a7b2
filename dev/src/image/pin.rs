//! Writes the image's address and digest into manifests, where they have a place for them, and nothing else.

use super::digest::Digest;
use anyhow::{Context, Result, bail};
use saphyr::{LoadableYamlNode, MarkedYaml};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Our plugin's name, which addresses of our image have in them, too.
const OURS: &str = "throughline";

/// What goes into a manifest.
#[derive(Clone, Debug)]
pub struct Pin {
    /// `oci://registry/path:tag@sha256:…`: the tag for people, the digest for the agent, which asks for nothing else.
    pub url: String,
    /// `registry/path@sha256:…`, of which Envoy Gateway takes one or the other.
    pub bare: String,
    pub sha256: String,
}

/// A place for an image.
struct Place<'a, 'input> {
    /// The mapping with `url` and `sha256`.
    image: &'a MarkedYaml<'input>,
    /// Whether it takes the bare address.
    is_bare: bool,
}

impl Pin {
    pub fn new(repository: &str, tag: Option<&str>, digest: &Digest) -> Self {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        Self {
            url: format!("oci://{repository}{tag}@{digest}"),
            bare: format!("{repository}@{digest}"),
            sha256: digest.hex().to_owned(),
        }
    }
}

/// Pins the image in each of `files`, or in none of them; tells which it changed. It is an error if there is no place
/// for it in any.
pub fn pin_files(files: &[PathBuf], pin: &Pin) -> Result<Vec<PathBuf>> {
    let mut places = 0;
    let mut changed = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let (pinned, found) = pinned(&text, pin).with_context(|| file.display().to_string())?;
        places += found;
        if pinned != text {
            changed.push((file, pinned));
        }
    }
    if places == 0 {
        bail!(
            "no place for an image: there is no WasmPlugin or TrafficExtension with pluginName throughline, EnvoyExtensionPolicy with that rootID, or Helm values with such an image, \
             with `url` and `sha256`"
        );
    }
    for (file, text) in &changed {
        fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    Ok(changed.into_iter().map(|(file, _)| file.clone()).collect())
}

/// The YAML files below `roots`, a file itself included. Templates are not YAML yet.
pub fn yaml_files(roots: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for root in roots {
        collect(root, &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in path
        .read_dir()
        .with_context(|| path.display().to_string())?
    {
        let path = entry?.path();
        let is_yaml = path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml");
        let is_template = path.file_name().is_some_and(|name| name == "templates");
        if (path.is_dir() && !is_template) || is_yaml {
            collect(&path, files)?;
        }
    }
    Ok(())
}

/// `text` with the image pinned, and the number of places.
pub fn pinned(text: &str, pin: &Pin) -> Result<(String, usize)> {
    let documents = MarkedYaml::load_from_str(text).context("no YAML")?;
    let mut edits = Vec::new();
    let mut places = 0;
    for Place { image, is_bare } in documents.iter().flat_map(places_in) {
        places += 1;
        let url = match is_bare {
            true => &pin.bare,
            false => &pin.url,
        };
        for (key, value) in [("url", url), ("sha256", &pin.sha256)] {
            let Some(old) = image.data.as_mapping_get(key) else {
                bail!("line {}: `{key}` is missing", image.span.start.line());
            };
            edits.push((scalar(text, old, key)?, value));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut pinned = text.to_owned();
    for (range, value) in edits.into_iter().rev() {
        // Quoted, as 64 hexadecimal digits can be a number.
        pinned.replace_range(range, &format!("{value:?}"));
    }
    Ok((pinned, places))
}

/// The places of a document that names an image, or of the objects in one that lists them. A patch of one need not.
fn places_in<'a, 'input>(document: &'a MarkedYaml<'input>) -> Vec<Place<'a, 'input>> {
    let get = |node: &'a MarkedYaml<'input>, key: &str| node.data.as_mapping_get(key);
    let kind = get(document, "kind").and_then(|kind| kind.data.as_str());
    // As `kubectl get -o yaml` prints several.
    if kind == Some("List")
        && let Some(items) = get(document, "items").and_then(|items| items.data.as_sequence())
    {
        return items.iter().flat_map(places_in).collect();
    }
    let mut is_bare = false;
    // Plugins of others are not ours to change. A patch of ours may leave the names out.
    let text = |node, key| get(node, key).and_then(|value| value.data.as_str());
    let name = get(document, "metadata").and_then(|metadata| text(metadata, "name"));
    let is_ours = |image: &&'a MarkedYaml<'input>| match text(image, "pluginName") {
        Some(plugin) => plugin == OURS,
        None => name.is_none_or(|name| name.contains(OURS)),
    };
    let is_of_ours = |image: &&'a MarkedYaml<'input>| {
        text(image, "url").is_none_or(|url| url.contains(OURS) || !url.contains("://"))
    };
    let images: Vec<_> = match (kind, get(document, "spec")) {
        (Some("WasmPlugin"), Some(spec)) => Some(spec).into_iter().filter(is_ours).collect(),
        (Some("TrafficExtension"), Some(spec)) => {
            get(spec, "wasm").into_iter().filter(is_ours).collect()
        }
        // Envoy Gateway's has a list of modules, of which the others are not ours.
        (Some("EnvoyExtensionPolicy"), Some(spec)) => {
            is_bare = true;
            let modules = get(spec, "wasm").and_then(|list| list.data.as_sequence());
            let ours = modules.into_iter().flatten().filter(|module| {
                let root = get(module, "rootID").and_then(|id| id.data.as_str());
                root == Some(OURS)
            });
            ours.filter_map(|module| get(get(module, "code")?, "image"))
                .collect()
        }
        // Helm values, which may have a `kind` too.
        _ if get(document, "apiVersion").is_none() => get(document, "image")
            .into_iter()
            .filter(is_of_ours)
            .collect(),
        _ => Vec::new(),
    };
    let keys = ["url", "sha256"];
    let has_place =
        |image: &&'a MarkedYaml<'input>| keys.iter().any(|key| get(image, key).is_some());
    let images = images.into_iter().filter(has_place);
    images.map(|image| Place { image, is_bare }).collect()
}

/// The bytes of `text` that a value on one line takes, its quotes included.
fn scalar(text: &str, node: &MarkedYaml<'_>, key: &str) -> Result<Range<usize>> {
    let (start, end) = (node.span.start, node.span.end);
    // Marks count characters.
    let byte = |index| {
        let mut characters = text.char_indices();
        characters.nth(index).map_or(text.len(), |(byte, _)| byte)
    };
    let (from, to) = (byte(start.index()), byte(end.index()));
    let rest = text[from..].lines().next().unwrap_or_default();
    let length = match rest.chars().next() {
        // The mark at the end of a quoted value is after the comment that follows it.
        Some('"') => quoted(rest, '"'),
        Some('\'') => quoted(rest, '\''),
        Some(first) if !"&*!|>{[#".contains(first) && to <= from + rest.len() => Some(to - from),
        _ => None,
    };
    match length {
        Some(length @ 1..) => Ok(from..from + length),
        _ => bail!("line {}: `{key}` is not a value on one line", start.line()),
    }
}

/// The length of the quoted value that `line` begins with. A backslash or a doubled quote inside is nothing that an address
/// or a digest has.
fn quoted(line: &str, quote: char) -> Option<usize> {
    let end = line[1..].find(quote)? + 2;
    let inside = &line[1..end - 1];
    (!inside.contains('\\') && !line[end..].starts_with(quote)).then_some(end)
}
