//! Where an image is pinned, and that nothing else changes.

use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use throughline_dev::image::Digest;
use throughline_dev::image::pin::{Pin, pin_files, pinned, yaml_files};

fn pin() -> Pin {
    Pin::new(
        "registry.example/team/throughline",
        Some("1.2.3"),
        &Digest::of(b"manifest"),
    )
}

fn url() -> String {
    pin().url
}

#[test]
fn the_address_has_the_tag_for_people_and_the_digest_for_the_agent() {
    let digest = Digest::of(b"manifest");
    assert_eq!(
        url(),
        format!("oci://registry.example/team/throughline:1.2.3@{digest}")
    );
    assert_eq!(
        Pin::new("localhost:5000/t", None, &digest).url,
        format!("oci://localhost:5000/t@{digest}")
    );
    assert_eq!(format!("sha256:{}", pin().sha256), digest.to_string());
}

#[test]
fn every_place_is_known_by_its_structure() -> Result<()> {
    let sha256 = pin().sha256;
    for (before, after) in [
        (
            "# Ours. é\nkind: WasmPlugin # one\nspec:\n  url: oci://old   # the image\n  sha256: 'abc'\n  pluginConfig: {url: x, sha256: y}\n",
            format!(
                "# Ours. é\nkind: WasmPlugin # one\nspec:\n  url: \"{}\"   # the image\n  sha256: \"{sha256}\"\n  pluginConfig: {{url: x, sha256: y}}\n",
                url()
            ),
        ),
        (
            "kind: TrafficExtension\nspec: {wasm: {sha256: \"0\", url: \"oci://ä\"}, url: no}\n",
            format!(
                "kind: TrafficExtension\nspec: {{wasm: {{sha256: \"{sha256}\", url: \"{}\"}}, url: no}}\n",
                url()
            ),
        ),
        (
            "kind: List\nitems:\n- kind: Service\n  spec: {url: no, sha256: no}\n- kind: WasmPlugin\n  spec: {url: a, sha256: b}\n",
            format!(
                "kind: List\nitems:\n- kind: Service\n  spec: {{url: no, sha256: no}}\n- kind: WasmPlugin\n  spec: {{url: \"{}\", sha256: \"{sha256}\"}}\n",
                url()
            ),
        ),
        (
            "image: {url: a, sha256: b}\nkind: WasmPlugin\n",
            format!(
                "image: {{url: \"{}\", sha256: \"{sha256}\"}}\nkind: WasmPlugin\n",
                url()
            ),
        ),
        (
            "# values\nimage:\n    sha256: 1234\n    url: a\r\nother: {url: a, sha256: b}\n",
            format!(
                "# values\nimage:\n    sha256: \"{sha256}\"\n    url: \"{}\"\r\nother: {{url: a, sha256: b}}\n",
                url()
            ),
        ),
    ] {
        let (once, places) = pinned(before, &pin())?;
        assert_eq!((once.as_str(), places), (after.as_str(), 1));
        assert_eq!(pinned(&once, &pin())?, (after, 1), "again");
    }
    Ok(())
}

#[test]
fn envoy_gateways_policy_gets_the_address_in_its_own_form_and_others_modules_stay() -> Result<()> {
    let before = "kind: EnvoyExtensionPolicy\nspec:\n  wasm:\n    - {rootID: other, code: {image: {url: x, sha256: y}}}\n    - rootID: throughline\n      code:\n        image:\n          url: a\n          sha256: b\n";
    let digest = Digest::of(b"manifest");
    let after = before
        .replace(
            "url: a",
            &format!("url: \"registry.example/team/throughline@{digest}\""),
        )
        .replace("sha256: b", &format!("sha256: \"{}\"", digest.hex()));
    assert_eq!(pinned(before, &pin())?, (after.clone(), 1));
    assert_eq!(pinned(&after, &pin())?, (after, 1), "again");
    for none in [
        "kind: EnvoyExtensionPolicy\n",
        "kind: EnvoyExtensionPolicy\nspec: {wasm: [{rootID: other, code: {image: {url: x, sha256: y}}}]}\n",
        "kind: EnvoyExtensionPolicy\nspec: {wasm: {rootID: throughline}}\n",
        "kind: EnvoyExtensionPolicy\nspec: {wasm: [{rootID: throughline, code: {http: {url: x}}}]}\n",
    ] {
        assert_eq!(pinned(none, &pin())?, (none.to_owned(), 0));
    }
    Ok(())
}

#[test]
fn each_document_of_a_file_is_looked_at() -> Result<()> {
    let plugin = "kind: WasmPlugin\nspec:\n  url: a\n  sha256: b\n";
    let text = format!(
        "---\n{plugin}---\nkind: Service\nspec: {{url: a, sha256: b}}\n---\n# nothing\n---\n{plugin}"
    );
    let (after, places) = pinned(&text, &pin())?;
    assert_eq!(places, 2);
    assert_eq!(after.matches(&url()).count(), 2);
    assert!(after.contains("spec: {url: a, sha256: b}"));
    Ok(())
}

#[test]
fn what_names_no_image_is_left_alone() -> Result<()> {
    for text in [
        "",
        "# a comment\n",
        "- a list\n",
        "kind: WasmPlugin\nspec: {pluginConfig: {sampling: {arg: 1}}}\n",
        "kind: TrafficExtension\nspec: {lua: {inlineCode: x}}\n",
        "apiVersion: v1\nkind: Kustomization\nimage: {url: a, sha256: b}\n",
        "image: nginx\n",
        "image: {pullSecret: x}\n",
        // Other teams'.
        "kind: WasmPlugin\nmetadata: {name: limits}\nspec: {url: \"oci://a/limits:1\", sha256: b}\n",
        "kind: WasmPlugin\nspec: {url: \"oci://a/limits:1\", sha256: b, pluginName: limits}\n",
        "kind: TrafficExtension\nspec: {wasm: {url: \"oci://a/limits:1\", sha256: b, pluginName: limits}}\n",
        "image: {url: \"oci://a/limits:1\", sha256: b}\n",
    ] {
        assert_eq!(pinned(text, &pin())?, (text.to_owned(), 0));
    }
    Ok(())
}

#[test]
fn what_cannot_be_pinned_is_an_error_with_its_line() {
    for (text, reason) in [
        (
            "kind: WasmPlugin\nspec:\n  url: a\n",
            "line 3: `sha256` is missing",
        ),
        (
            "kind: WasmPlugin\nspec:\n  sha256: a\n",
            "line 3: `url` is missing",
        ),
        (
            "kind: WasmPlugin\nspec:\n  url: >\n    oci://a\n  sha256: b\n",
            "`url` is not a value on one line",
        ),
        (
            "kind: WasmPlugin\nspec:\n  url: [a]\n  sha256: b\n",
            "line 3: `url` is not a value on one line",
        ),
        (
            "kind: WasmPlugin\nspec:\n  url:\n  sha256: b\n",
            "`url` is not a value on one line",
        ),
        (
            "kind: WasmPlugin\nspec:\n  url: &a oci://a\n  sha256: *a\n",
            "is not a value on one line",
        ),
        ("kind: [WasmPlugin\n", "no YAML"),
        (
            "kind: WasmPlugin\nspec:\n  url: \"a\n    b\"\n  sha256: b\n",
            "line 3: `url` is not a value on one line",
        ),
        (
            "kind: WasmPlugin\nspec:\n  url: a\n    b\n  sha256: b\n",
            "line 3: `url` is not a value on one line",
        ),
        (
            "kind: WasmPlugin\nspec:\n  url: a\n  sha256: 'b''c'\n",
            "line 4: `sha256` is not a value on one line",
        ),
        ("a: b: c\n", "no YAML"),
    ] {
        match pinned(text, &pin()) {
            Ok(done) => panic!("{text:?} became {done:?}"),
            Err(error) => assert!(format!("{error:#}").contains(reason), "{text:?}: {error:#}"),
        }
    }
}

#[test]
fn a_mistake_in_one_file_leaves_all_as_they_were() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let good = "kind: WasmPlugin\nspec: {url: a, sha256: b}\n";
    fs::write(directory.path().join("a.yaml"), good)?;
    fs::write(
        directory.path().join("b.yaml"),
        "kind: WasmPlugin\nspec: {url: a}\n",
    )?;
    let error = pin_files(&yaml_files(&[directory.path().to_owned()])?, &pin()).unwrap_err();
    assert!(format!("{error:#}").contains("b.yaml: line 2"), "{error:#}");
    assert_eq!(fs::read_to_string(directory.path().join("a.yaml"))?, good);
    Ok(())
}

#[test]
fn no_place_at_all_is_an_error() -> Result<()> {
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("service.yaml"), "kind: Service\n")?;
    let error = pin_files(&yaml_files(&[directory.path().to_owned()])?, &pin()).unwrap_err();
    assert!(
        error.to_string().contains("no place for an image"),
        "{error}"
    );
    assert!(yaml_files(&[PathBuf::from("/nowhere")]).is_err());
    Ok(())
}

/// A copy of all that `make pin` writes to.
#[test]
fn the_shipped_manifests_change_in_their_image_alone() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = tempfile::tempdir()?;
    let shipped: Vec<_> = ["wasmplugin", "charts", "examples/envoy-gateway"]
        .map(|name| root.join(name))
        .into_iter()
        .filter(|path| path.is_dir())
        .collect();
    let mut places = 0;
    for (number, from) in yaml_files(&shipped)?.iter().enumerate() {
        let to = copy.path().join(format!("{number}.yaml"));
        fs::copy(from, &to)?;
        let before = fs::read_to_string(from)?;
        if pinned(&before, &pin())?.1 == 0 {
            let left_out = before.contains("replace-this-with-the-manifest-digest");
            assert!(!left_out, "{} is not pinned", from.display());
            continue;
        }
        places += 1;
        let files = [to];
        assert_eq!(pin_files(&files, &pin())?, files);
        assert!(
            pin_files(&files, &pin())?.is_empty(),
            "{}: again",
            from.display()
        );
        let after = fs::read_to_string(&files[0])?;
        assert_eq!(before.lines().count(), after.lines().count());
        for (old, new) in before
            .lines()
            .zip(after.lines())
            .filter(|(old, new)| old != new)
        {
            let key = old.trim_start().split_once(": ").map(|(key, _)| key);
            assert!(
                matches!(key, Some("url" | "sha256")),
                "{old:?} became {new:?}"
            );
        }
        let address = url();
        let bare = pin().bare;
        assert!(after.contains(&address) || after.contains(&format!("\"{bare}\"")));
        assert!(after.contains(&format!("\"{}\"", pin().sha256)));
    }
    assert!(places > 0, "no manifest names an image");
    Ok(())
}
