//! What istioctl prints is Envoy's dump in another spelling (`filterChains`), and in pieces: it says the same.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::path::Path;
use throughline_cli::doctor::diagnose;
use throughline_cli::source::Text;

/// As protobuf spells it in JSON: keys of messages, not those of maps and of node metadata, which have dots or capitals.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (camel_name(name), camel(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.iter().map(camel).collect(),
        other => other.clone(),
    }
}

fn camel_name(name: &str) -> String {
    if name
        .contains(|char: char| !char.is_ascii_lowercase() && !char.is_ascii_digit() && char != '_')
    {
        return name.to_owned();
    }
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |spelled, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        spelled + &head.to_ascii_uppercase() + tail
    })
}

fn text(name: &str, bytes: impl Into<Vec<u8>>) -> Text {
    Text {
        name: name.to_owned(),
        bytes: bytes.into(),
    }
}

#[test]
fn every_dump_says_the_same_in_the_other_spelling_and_in_pieces() -> Result<()> {
    let dumps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps");
    let mut compared = 0;
    for entry in dumps.read_dir()? {
        let directory = entry?.path();
        let read = |name: &str| std::fs::read(directory.join(name)).map(|bytes| text(name, bytes));
        let (Ok(dump), Ok(stats), Ok(clusters)) = (
            read("config_dump.json"),
            read("stats.txt"),
            read("clusters.json"),
        ) else {
            continue;
        };
        let said = diagnose(&[dump.clone(), stats.clone(), clusters.clone()], None)?.json();

        let whole = camel(&serde_json::from_slice(&dump.bytes)?);
        let hosts = camel(&serde_json::from_slice(&clusters.bytes)?);
        let spelled = [
            text("dump", whole.to_string()),
            stats.clone(),
            text("clusters", hosts.to_string()),
        ];
        let other = diagnose(&spelled, None)?.json();
        ensure!(
            other == said,
            "{}: {other}\nnot {said}",
            directory.display()
        );

        let pieces = pieces(&whole, &hosts)?;
        let pieces: Vec<Text> = pieces
            .into_iter()
            .map(|(name, piece)| text(name, piece.to_string()))
            .chain([stats])
            .collect();
        let other = diagnose(&pieces, None)?;
        // istioctl does not tell which listeners were refused.
        let other = other.json();
        if !said.contains("listener-refused") {
            ensure!(
                other == said,
                "{}, in pieces: {other}\nnot {said}",
                directory.display()
            );
        }
        compared += 1;
    }
    ensure!(compared > 0, "there are no dumps");
    Ok(())
}

/// `istioctl proxy-config listener`, `cluster`, `endpoint`, `ecds` and `bootstrap`.
fn pieces(dump: &Value, hosts: &Value) -> Result<Vec<(&'static str, Value)>> {
    let section = |kind: &str| {
        let configs = dump["configs"].as_array().into_iter().flatten();
        let mut found = configs.filter(|config| {
            config["@type"]
                .as_str()
                .is_some_and(|at| at.ends_with(kind))
        });
        found.next().cloned()
    };
    let list = |section: &Value, names: [&str; 2], each: [&str; 2]| -> Value {
        let entries = names
            .iter()
            .flat_map(|name| section[*name].as_array().into_iter().flatten());
        let found = entries.filter_map(|entry| each.iter().find_map(|path| entry.pointer(path)));
        found.cloned().collect()
    };
    let listeners = section("ListenersConfigDump").context("listeners")?;
    let clusters = section("ClustersConfigDump").context("clusters")?;
    let mut bootstrap = section("BootstrapConfigDump").context("bootstrap")?;
    let mut ecds = section("EcdsConfigDump").unwrap_or(json!({}));
    for message in [&mut bootstrap, &mut ecds] {
        message
            .as_object_mut()
            .context("a message")?
            .remove("@type");
    }
    Ok(vec![
        (
            "listener",
            list(
                &listeners,
                ["staticListeners", "dynamicListeners"],
                ["/listener", "/activeState/listener"],
            ),
        ),
        (
            "cluster",
            list(
                &clusters,
                ["staticClusters", "dynamicActiveClusters"],
                ["/cluster", "/cluster"],
            ),
        ),
        ("endpoint", hosts["clusterStatuses"].clone()),
        ("ecds", ecds),
        ("bootstrap", bootstrap),
    ])
}

/// Without the bootstrap, what the proxy itself listens for looks like any other listener.
#[test]
fn a_gateways_own_listeners_are_known_from_the_listeners_alone() -> Result<()> {
    let dump = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/dumps/istio-gateway-healthy/config_dump.json");
    let dump = camel(&serde_json::from_slice(&std::fs::read(dump)?)?);
    let pieces = pieces(&dump, &json!({}))?;
    let (_, listeners) = pieces
        .iter()
        .find(|(name, _)| *name == "listener")
        .context("listeners")?;
    ensure!(listeners.to_string().contains("0.0.0.0_15021"));
    let report = diagnose(&[text("listeners", listeners.to_string())], None)?;
    let said = report.json();
    ensure!(
        said.contains(r#""kind": "gateway""#) && !said.contains("filter-partly-absent"),
        "{said}"
    );
    ensure!(
        report.healthy.is_none(),
        "nothing tells whether it runs: {said}"
    );
    Ok(())
}
