//! A tracer of Envoy's that leaves the headers alone (`no_context_propagation`, Istio's `disableContextPropagation`) changes
//! nothing of what the filter does: every input of the tables of W3C's conformance suite and of B3 leaves a real Envoy with
//! such a tracer as it leaves one without.
#![allow(
    dead_code,
    reason = "what the tables want is checked by tests/b3.rs and tests/tracecontext.rs"
)]

mod strict;
mod support;
mod table;

mod b3 {
    use super::table::Header;

    #[derive(Clone, Copy)]
    pub enum State {
        Defer,
        Deny,
        Accept,
        Debug,
    }
    pub use State::{Accept, Debug, Defer, Deny};

    pub enum Want {
        Kept(&'static str, &'static str, State),
        Child(&'static str, &'static str, State, &'static str),
        Started(State),
    }
    pub use Want::{Child, Kept, Started};

    pub struct Row(pub &'static str, pub &'static [Header], pub Want);

    pub struct Group {
        pub source: &'static str,
        pub rejects: &'static [&'static str],
        pub rows: &'static [Row],
    }

    #[path = "both.rs"]
    pub mod both;
    #[path = "multi.rs"]
    pub mod multi;
    #[path = "multi_rejected.rs"]
    pub mod multi_rejected;
    #[path = "single.rs"]
    pub mod single;
    #[path = "single_rejected.rs"]
    pub mod single_rejected;
}

mod tracecontext {
    use super::table::Header;

    pub enum Want {
        Unchanged,
        Becomes(&'static str),
        Restarted,
    }

    pub struct Row(
        pub &'static str,
        pub &'static str,
        pub &'static [Header],
        pub Want,
    );

    pub struct List(
        pub &'static str,
        pub &'static str,
        pub &'static [&'static str],
    );

    pub struct Group<R: 'static> {
        pub source: &'static str,
        pub rows: &'static [R],
    }

    #[path = "rejected.rs"]
    pub mod rejected;
    #[path = "traceparent.rs"]
    pub mod traceparent;
    #[path = "tracestate.rs"]
    pub mod tracestate;
}

use anyhow::{Result, ensure};
use serde_json::json;

use throughline_dev::app::App;
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, TRACE_HEADERS, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};
use throughline_dev::receiver::{Protocol, Receiver};

/// The traceparent beside which every tracestate is read.
const BESIDE: &str = "00-12345678901234567890123456789012-1234567890123456-00";

const COLLECTOR: &str = "collector";

/// What a row shows, and its headers.
type Input = (&'static str, Vec<(String, Vec<u8>)>);

fn rows() -> Vec<Input> {
    let b3 = [
        b3::both::GROUPS,
        b3::multi::GROUPS,
        b3::multi_rejected::GROUPS,
        b3::single::GROUPS,
        b3::single_rejected::GROUPS,
    ];
    let b3 = b3.into_iter().flatten().flat_map(|group| group.rows);
    let w3c = [
        tracecontext::rejected::GROUPS,
        tracecontext::traceparent::GROUPS,
    ];
    let w3c = w3c.into_iter().flatten().flat_map(|group| group.rows);
    let lists = [
        tracecontext::tracestate::KEPT,
        tracecontext::tracestate::REMOVED,
    ];
    let lists = lists.into_iter().flatten().flat_map(|group| group.rows);
    let list = |fields: &[&str]| {
        let beside = (strict::TRACEPARENT.to_owned(), BESIDE.as_bytes().to_vec());
        let field = |field: &&str| {
            (
                strict::TRACESTATE.to_owned(),
                table::expand(field).into_bytes(),
            )
        };
        core::iter::once(beside)
            .chain(fields.iter().map(field))
            .collect()
    };
    b3.map(|row| (row.0, table::request(row.1)))
        .chain(w3c.map(|row| (row.0, table::request(row.2))))
        .chain(lists.map(|row| (row.0, list(row.2))))
        .collect()
}

#[test]
fn a_tracer_that_leaves_the_headers_alone_changes_nothing() -> Result<()> {
    for release in [Release::find("1.38")?, Release::NEWEST] {
        let app = App::start()?;
        let receiver = Receiver::start()?;
        let plugin = Plugin::new(&built::module()?, &json!({}));
        let listener = |name: &str| {
            Listener::inbound(name)
                .plugin(&plugin)
                .route(Route::any("app"))
        };
        let tracing = Tracing::opentelemetry(COLLECTOR, "tracer", 100.0).without_propagation();
        let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
            .listener(listener("alone"))
            .listener(listener("beside").tracing(tracing))
            .cluster(Cluster::new("app", app.address()))
            .cluster(receiver.cluster(COLLECTOR, Protocol::OtlpHttp))
            .start(&release.binary()?)?;
        let (mut played, mut wrong) = (0, Vec::new());
        for (why, headers) in rows() {
            let alone = sent(&envoy, "alone", &app, &headers)?;
            let beside = sent(&envoy, "beside", &app, &headers)?;
            played += usize::from(alone.is_some());
            if alone != beside {
                wrong.push(format!("{why}\n  alone {alone:?}\n  beside {beside:?}"));
            }
        }
        ensure!(wrong.is_empty(), "{release}: {}", wrong.join("\n"));
        ensure!(
            played >= 300,
            "{release}: {played} inputs reached the application"
        );
        ensure!(
            receiver.wait_for(1).is_ok(),
            "{release}: the tracer is there"
        );
        let page = envoy.prometheus()?;
        ensure!(
            page.contains("throughline_native_override{} 0"),
            "{release}: nothing was written over"
        );
    }
    Ok(())
}

/// The trace headers that arrive, ids that were made here as `…`; `None` where Envoy refuses the request.
fn sent(
    envoy: &Envoy,
    listener: &str,
    app: &App,
    headers: &[(String, Vec<u8>)],
) -> Result<Option<Vec<(String, String)>>> {
    let request = headers
        .iter()
        .fold(Request::get("/"), |request, (name, value)| {
            request.header(name, value)
        });
    let answer = client::send(envoy.listener(listener)?, &request)?;
    let Some(seen) = app.take_seen().pop() else {
        ensure!(answer.status == 400, "{headers:?}: {answer:?}");
        return Ok(None);
    };
    let arrived = TRACE_HEADERS.iter().flat_map(|name| {
        let values = seen.headers.all(name);
        values.map(move |value| ((*name).to_owned(), masked(value, headers)))
    });
    Ok(Some(arrived.collect()))
}

fn masked(value: &[u8], sent: &[(String, Vec<u8>)]) -> String {
    let text = String::from_utf8_lossy(value).into_owned();
    let known = |part: &str| {
        let mut values = sent
            .iter()
            .map(|(_, value)| String::from_utf8_lossy(value).to_lowercase());
        values.any(|value| value.contains(part) || part.trim_start_matches('0').len() < 8)
    };
    let parts = text.split('-').map(|part| {
        let is_made_here = matches!(part.len(), 16 | 32) && !known(part);
        if is_made_here { "…" } else { part }
    });
    parts.collect::<Vec<_>>().join("-")
}
