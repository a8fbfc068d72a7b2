//! `examples/observability`, as far as Grafana and Fluent Bit themselves are not needed: their files against lines that
//! real Envoys print in the documented access log. The Collector's files run in `dev/tests/backends/observability`.

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release, access_log_path};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, documented_access_log};
use throughline_dev::poll;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

fn example(path: &str) -> Result<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/observability");
    let path = root.join(path);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_yaml_ng::from_str(&text).with_context(|| path.display().to_string())
}

/// A sidecar's access log of three requests: a sampled one, one that is not, and a sampled one whose line is longer than
/// what container runtimes write in one piece.
fn lines(release: Release) -> Result<[String; 3]> {
    let app = App::start()?;
    let listener = Listener::inbound("inbound")
        .log_only(&documented_access_log()?)
        .plugin(&Plugin::new(&built::module()?, &json!({})))
        .route(Route::any("app"));
    let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(listener)
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let long = format!("\"quoted\" {}", "x".repeat(2 * PIECE));
    for (sampled, user_agent) in [("1", "curl"), ("0", "curl"), ("1", long.as_str())] {
        let request = Request::get("/reviews/0")
            .header("b3", format!("{TRACE}-{SPAN}-{sampled}"))
            .header("user-agent", user_agent);
        let answer = client::send(envoy.listener("inbound")?, &request)?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    printed(&envoy)
}

fn printed(envoy: &Envoy) -> Result<[String; 3]> {
    let path = access_log_path(envoy.directory(), "inbound");
    poll::until("the access log", || {
        let text = fs::read_to_string(&path)?;
        let lines: Vec<_> = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .collect();
        let lines: Vec<_> = lines
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect();
        Ok(lines.try_into().ok())
    })
}

fn data_source<'a>(config: &'a Value, kind: &str) -> Result<&'a Value> {
    let all = config["datasources"]
        .as_array()
        .context("no data sources")?;
    let found = all.iter().find(|source| source["type"] == kind);
    found.with_context(|| format!("no data source of type {kind}"))
}

#[test]
fn grafanas_log_line_leads_to_the_trace_if_there_is_one() -> Result<()> {
    let config = example("grafana/datasources.yaml")?;
    let field = &data_source(&config, "loki")?["jsonData"]["derivedFields"][0];
    let matcher = Regex::new(field["matcherRegex"].as_str().context("matcherRegex")?)?;
    for release in [Release::OLDEST, Release::NEWEST] {
        let [sampled, unsampled, long] = lines(release)?;
        for line in [sampled, long] {
            let found = matcher.captures(&line).and_then(|found| found.get(1));
            let found = found.with_context(|| format!("{release}: nothing in {line}"))?;
            assert_eq!(found.as_str(), TRACE, "{release}: {line}");
        }
        assert!(!matcher.is_match(&unsampled), "{release}: {unsampled}");
    }
    Ok(())
}

#[test]
fn grafanas_data_sources_refer_to_each_other() -> Result<()> {
    let config = example("grafana/datasources.yaml")?;
    assert_eq!(config["apiVersion"], 1);
    let sources = config["datasources"]
        .as_array()
        .context("no data sources")?;
    let uids: BTreeSet<_> = sources
        .iter()
        .filter_map(|source| source["uid"].as_str())
        .collect();
    assert_eq!(uids.len(), sources.len(), "each its own: {uids:?}");
    let uid = |kind: &str| -> Result<&Value> { Ok(&data_source(&config, kind)?["uid"]) };
    let of = |kind: &str| -> Result<&Value> { Ok(&data_source(&config, kind)?["jsonData"]) };
    for (from, path, to) in [
        ("tempo", "/tracesToLogsV2", "loki"),
        ("tempo", "/tracesToMetrics", "prometheus"),
        ("tempo", "/serviceMap", "prometheus"),
        ("loki", "/derivedFields/0", "tempo"),
        ("prometheus", "/exemplarTraceIdDestinations/0", "tempo"),
    ] {
        let reference = of(from)?
            .pointer(path)
            .with_context(|| format!("no {path} of {from}"))?;
        assert_eq!(&reference["datasourceUid"], uid(to)?, "{path} of {from}");
    }
    // The label that the Collector's exemplars have.
    assert_eq!(
        of("prometheus")?["exemplarTraceIdDestinations"][0]["name"],
        "trace_id"
    );
    Ok(())
}

/// So much of a line containerd and CRI-O write in one piece.
const PIECE: usize = 16 << 10;

/// A line in the format of the Kubernetes container runtime interface.
fn as_container_runtime(line: &str) -> String {
    let mut pieces = line.as_bytes().chunks(PIECE).peekable();
    let mut text = String::new();
    while let Some(piece) = pieces.next() {
        let tag = if pieces.peek().is_some() { 'P' } else { 'F' };
        let piece = String::from_utf8_lossy(piece);
        text += &format!("2026-01-02T03:04:05.678901234Z stdout {tag} {piece}\n");
    }
    text
}

/// What Fluent Bit's `cri` makes of it: its regular expression, and `F` for the end of a line
/// (fluent/fluent-bit 0791a03af2a7, src/multiline/flb_ml_parser_cri.c lines 24–25 and 57–67).
fn records(text: &str) -> Result<Vec<String>> {
    let cri = Regex::new("^(?<time>.+?) (?<stream>stdout|stderr) (?<_p>F|P) (?<log>.*)$")?;
    let (mut records, mut record) = (Vec::new(), String::new());
    for line in text.lines() {
        let found = cri.captures(line).with_context(|| line.to_owned())?;
        record += &found["log"];
        if &found["_p"] == "F" {
            records.push(std::mem::take(&mut record));
        }
    }
    ensure!(record.is_empty(), "the last line has no end");
    Ok(records)
}

#[test]
fn fluent_bit_gets_every_line_whole() -> Result<()> {
    let lines = lines(Release::NEWEST)?;
    let text: String = lines
        .iter()
        .map(|line| as_container_runtime(line))
        .collect();
    assert!(
        text.lines().count() > lines.len(),
        "one is in several pieces"
    );
    let records = records(&text)?;
    assert_eq!(records, lines);
    for (record, sampled) in records.iter().zip(["true", "false", "true"]) {
        let record: Value = serde_json::from_str(record)?;
        assert_eq!(record["trace.id"], TRACE);
        assert_eq!(record["span.id"].as_str().map(str::len), Some(SPAN.len()));
        assert_eq!(record["trace.sampled"], sampled);
    }
    Ok(())
}

#[test]
fn fluent_bits_parts_fit_together() -> Result<()> {
    let config = example("fluent-bit/fluent-bit.yaml")?;
    let (parser, pipeline) = (&config["parsers"][0], &config["pipeline"]);
    let (input, filter, output) = (
        &pipeline["inputs"][0],
        &pipeline["filters"][0],
        &pipeline["outputs"][0],
    );
    assert_eq!(input["multiline.parser"], "cri");
    // That parser puts the line there.
    assert_eq!(filter["key_name"], "log");
    assert_eq!(filter["parser"], parser["name"]);
    assert_eq!(parser["format"], "json");
    for part in [filter, output] {
        assert_eq!(part["match"], input["tag"]);
    }
    Ok(())
}
