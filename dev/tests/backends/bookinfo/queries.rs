//! What people ask Tempo, word for word, and what it answers: the table in docs/backends-queries.md.

use super::played::Played;
use super::search::Traces;
use crate::check;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use throughline_dev::backends::Tempo;
use throughline_dev::figures;
use throughline_dev::receiver::Protocol;

/// A search, and the traces that it must find: of those of Bookinfo's that are as described, and the API gateway's.
struct Row {
    query: Query,
    finds: fn(&Played<'_>) -> bool,
    finds_slow: bool,
    remark: &'static str,
}

#[derive(Clone, Copy)]
enum Query {
    TraceQl(&'static str),
    /// The older search: `name=value`.
    Tags(&'static str),
}

use Query::{Tags, TraceQl};

const ROWS: [Row; 9] = [
    Row {
        query: TraceQl(
            r#"{ span.service.name = "productpage.bookinfo" && span.http.status_code = 200 }"#,
        ),
        finds: nothing,
        finds_slow: false,
        remark: "`service.name` is an attribute of the resource, not of the span; instead:",
    },
    Row {
        query: TraceQl(
            r#"{ resource.service.name = "productpage.bookinfo" && span.http.status_code = 200 }"#,
        ),
        finds: |it| by_otlp(it) && it.request.status == 200,
        finds_slow: false,
        remark: "or `.service.name`, which looks in both; by Zipkin the status is text",
    },
    Row {
        query: TraceQl(
            r#"{ .service.name = "api-gateway" && .http.method = "POST" && duration > 2s }"#,
        ),
        finds: nothing,
        finds_slow: true,
        remark: "",
    },
    Row {
        query: TraceQl("{ .status = error }"),
        finds: nothing,
        finds_slow: false,
        remark: "asks for an attribute of the name `status`; instead:",
    },
    Row {
        query: TraceQl("{ status = error }"),
        finds: |it| it.request.name != "ordinary",
        finds_slow: false,
        remark: "a 403 is an error for who called, so the denied request is among them",
    },
    Row {
        query: TraceQl("{ .http.status_code = 500 }"),
        finds: |it| by_otlp(it) && it.request.name == "failing",
        finds_slow: false,
        remark: "by Zipkin the status is text, which is no number; instead:",
    },
    Row {
        query: TraceQl(r#"{ .http.status_code = 500 || .http.status_code = "500" }"#),
        finds: |it| it.request.name == "failing",
        finds_slow: false,
        remark: "",
    },
    Row {
        query: Tags("service.name=productpage"),
        finds: |_| true,
        finds_slow: false,
        remark: "a part of the name is enough here",
    },
    Row {
        query: Tags("service.name=productpage.bookinfo"),
        finds: |_| true,
        finds_slow: false,
        remark: "",
    },
];

/// Some of what `/api/search/tags` must name.
const TAGS: [&str; 10] = [
    "component",
    "error",
    "http.method",
    "http.request.method",
    "http.status_code",
    "http.url",
    "istio.canonical_service",
    "node_id",
    "peer.service",
    "service.name",
];

fn nothing(_: &Played<'_>) -> bool {
    false
}

fn by_otlp(played: &Played<'_>) -> bool {
    played.to.protocol != Protocol::Zipkin
}

impl Query {
    fn ask(self, tempo: &Tempo) -> Result<BTreeSet<String>> {
        match self {
            TraceQl(query) => tempo.search(query),
            Tags(tags) => tempo.search_by_tags(tags),
        }
    }

    fn text(self) -> String {
        match self {
            TraceQl(query) => query.to_owned(),
            Tags(tags) => format!("/api/search?tags={}", tags.replace('=', "%3D")),
        }
    }
}

/// Asks all of it; `slow` is the API gateway's trace. Then the table in the documentation must say the same; with DOCS=1 it
/// is written.
pub fn check(tempo: &Tempo, traces: &Traces<'_>, slow: &str) -> Result<()> {
    // Only once all can be found, nothing found means something.
    let mut all = traces.ids(|_| true);
    all.push(slow);
    check::finds("Tempo, asked for everything,", &all, || {
        tempo.search("{ true }")
    })?;
    let mut table = String::from("| as it is written | finds | |\n|---|---|---|\n");
    for row in &ROWS {
        let text = row.query.text();
        let mut expected = traces.ids(row.finds);
        expected.extend(row.finds_slow.then_some(slow));
        check::finds(&text, &expected, || row.query.ask(tempo))?;
        let found = described(&row.query.ask(tempo)?, traces, slow)?;
        // A bar in a cell of a table would end it.
        let text = text.replace('|', r"\|");
        table += &format!("| `{text}` | {found} | {} |\n", row.remark);
    }
    let tags = tempo.tags()?;
    for tag in TAGS {
        ensure!(tags.contains(tag), "{tag} is not among {tags:?}");
    }
    table += &format!(
        "| `/api/search/tags` | {} and others | |\n",
        TAGS.map(|tag| format!("`{tag}`")).join(", ")
    );
    for id in &all {
        let (older, newer) = (tempo.trace_v1(id)?, tempo.trace(id)?);
        let sorted = |mut spans: Vec<_>| {
            spans.sort();
            spans
        };
        ensure!(sorted(older) == sorted(newer), "trace {id} by both APIs");
    }
    table += "| `/api/traces/<id>` | the same spans as `/api/v2/traces/<id>`, for each trace | |\n";
    documented(&table)
}

/// What was found, in words: the requests, and by which protocols, unless by all.
fn described(found: &BTreeSet<String>, traces: &Traces<'_>, slow: &str) -> Result<String> {
    let mut requests: BTreeMap<&str, BTreeSet<Protocol>> = BTreeMap::new();
    let mut words = Vec::new();
    for id in found {
        if id == slow {
            words.push("the slow POST".to_owned());
            continue;
        }
        let played = traces.get(id).context("an unknown trace")?;
        let protocols = requests.entry(played.request.name).or_default();
        protocols.insert(played.to.protocol);
    }
    for (request, protocols) in requests {
        let names: Vec<_> = protocols.iter().map(Protocol::to_string).collect();
        words.push(match names.len() {
            4 => request.to_owned(),
            _ => format!("{request} (by {})", names.join(", ")),
        });
    }
    Ok(match words.is_empty() {
        true => "nothing".to_owned(),
        false => words.join(", "),
    })
}

fn documented(table: &str) -> Result<()> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/backends-queries.md");
    if std::env::var_os("DOCS").is_some_and(|value| !value.is_empty()) {
        return figures::write(&document, "queries", table);
    }
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("copy.md");
    fs::copy(&document, &copy)?;
    figures::write(&copy, "queries", table)?;
    ensure!(
        fs::read_to_string(&document)? == fs::read_to_string(&copy)?,
        "docs/backends-queries.md says otherwise (DOCS=1 make test-backends notes it):\n{table}"
    );
    Ok(())
}
