//! The demo as people run it, on the pinned Envoy: what it finds, and that it leaves nothing behind.

#[cfg(feature = "backends")]
mod backend;
mod stage;

use anyhow::{Context, Result};
use serde_json::Value;
use stage::Stage;
use std::collections::{BTreeMap, BTreeSet};

const HOPS: [[&str; 2]; 4] = [
    ["gateway", "productpage"],
    ["productpage", "details"],
    ["productpage", "reviews"],
    ["reviews", "ratings"],
];

#[test]
fn one_trace_with_the_filter_and_several_without() -> Result<()> {
    let stage = Stage::new()?;
    let ended = stage.demo(&["--json"]).output()?;
    let text = String::from_utf8(ended.stderr)?;
    assert_eq!(ended.status.code(), Some(0), "{text}");
    stage.assert_nothing_left();

    let found: Value = serde_json::from_slice(&ended.stdout).context("only JSON on stdout")?;
    let (native, filter) = (&found["native"], &found["filter"]);
    assert_eq!(found["oneTrace"], true);
    for run in [native, filter] {
        assert_eq!(hops(run), HOPS.map(|hop| hop.map(str::to_owned)));
        assert!(
            list(run, "accessLog")
                .iter()
                .all(|line| line["status"] == 200)
        );
        assert_eq!(list(run, "accessLog").len(), 2 * HOPS.len());
        assert_eq!(list(run, "services").len(), HOPS.len());
    }

    // The services keep B3's several headers and Istio's list on one trace; the others cannot.
    assert_eq!(fates(native), ["began", "broke", "broke", "broke"]);
    assert_eq!(ids(native).len(), 4);
    let reported = &native["reportedSpans"];
    assert_eq!(reported["count"], list(reported, "traceIds").len());
    assert_eq!(strings(&reported["traceIds"]), ids(native));

    assert_eq!(
        fates(filter),
        ["began", "continued", "continued", "continued"]
    );
    let [id] = ids(filter)
        .into_iter()
        .collect::<Vec<_>>()
        .try_into()
        .expect("one trace id");
    for line in list(filter, "accessLog") {
        assert_eq!(line["trace.id"], id);
        assert!(line["span.id"].is_string());
    }
    for service in list(filter, "services") {
        let received = &service["received"];
        assert_eq!(service["foundItsTrace"], true);
        assert_eq!(received["x-b3-traceid"], id);
        for name in ["traceparent", "b3"] {
            assert!(
                received[name]
                    .as_str()
                    .is_some_and(|value| value.contains(&id)),
                "{received}"
            );
        }
    }
    assert_eq!(
        strings(&filter["reportedSpans"]["traceIds"]),
        [id.clone()].into()
    );
    assert_spans(&found, &id);
    let page = found["page"].as_str().context("no page")?;
    assert_eq!(std::path::Path::new(page), stage.page().canonicalize()?);
    let opaque = [
        "headers",
        "received",
        "forwarded",
        "filterConfig",
        "attributes",
        "resource",
    ];
    assert_documented(&found, &opaque);
    Ok(())
}

/// Service, kind and status of each span, further in below its parent, of the three requests.
const SPANS: [(&str, u64, &[&str]); 3] = [
    (
        "GET",
        200,
        &[
            "istio-ingressgateway.istio-system SERVER 200",
            " istio-ingressgateway.istio-system CLIENT 200",
            "  productpage.bookinfo SERVER 200",
            "   productpage.bookinfo CLIENT 200",
            "    details.bookinfo SERVER 200",
            "   productpage.bookinfo CLIENT 200",
            "    reviews.bookinfo SERVER 200",
            "     reviews.bookinfo CLIENT 200",
            "      ratings.bookinfo SERVER 200",
        ],
    ),
    (
        "GET",
        200,
        &[
            "istio-ingressgateway.istio-system SERVER 200",
            " istio-ingressgateway.istio-system CLIENT 200",
            "  productpage.bookinfo SERVER 200",
            "   productpage.bookinfo CLIENT 200",
            "    details.bookinfo SERVER 200",
            "   productpage.bookinfo CLIENT 200",
            "    reviews.bookinfo SERVER 200",
            "     reviews.bookinfo CLIENT 503 failed",
            "      ratings.bookinfo SERVER 503 failed",
        ],
    ),
    (
        "DELETE",
        403,
        &[
            "istio-ingressgateway.istio-system SERVER 403",
            " istio-ingressgateway.istio-system CLIENT 403 failed",
            "  productpage.bookinfo SERVER 403",
        ],
    ),
];

fn assert_spans(found: &Value, first_trace: &str) {
    let mut traces = BTreeSet::new();
    assert_eq!(list(found, "requests").len(), SPANS.len());
    for (request, (method, status, spans)) in list(found, "requests").iter().zip(SPANS) {
        assert_eq!(
            (&request["method"], &request["status"]),
            (&method.into(), &status.into())
        );
        let [trace] = list(request, "traces") else {
            panic!("not one trace: {request}");
        };
        traces.insert(trace["traceId"].to_string());
        let mut depths = BTreeMap::new();
        let mut lines = Vec::new();
        for span in list(trace, "spans") {
            let depth = depths
                .get(&span["parentSpanId"].to_string())
                .map_or(0, |depth| depth + 1);
            depths.insert(span["spanId"].to_string(), depth);
            let text = |key: &str| span[key].as_str().unwrap_or_default();
            let failed = if span["failed"] == true {
                " failed"
            } else {
                ""
            };
            let (service, kind, indent) = (text("service"), text("kind"), " ".repeat(depth));
            let status = span["attributes"]["http.response.status_code"]
                .as_str()
                .unwrap_or_default();
            lines.push(format!("{indent}{service} {kind} {status}{failed}"));
        }
        assert_eq!(lines, spans);
    }
    assert_eq!(traces.len(), SPANS.len());
    assert!(traces.contains(&format!("{first_trace:?}")));
    let denied =
        &found["requests"][2]["traces"][0]["spans"][2]["attributes"]["response_code_details"];
    assert_eq!(
        denied,
        "rbac_access_denied_matched_policy[ns[bookinfo]-policy[reads]-rule[0]]"
    );
}

/// Otherwise the demo might show breaks whatever the services do.
#[test]
fn without_the_filter_it_stays_whole_where_all_copy_b3() -> Result<()> {
    let stage = Stage::new()?;
    let all = [
        "--json",
        "--copies",
        "productpage=istio",
        "--copies",
        "reviews=b3multi",
    ];
    let ended = stage.demo(&all).output()?;
    let found: Value = serde_json::from_slice(&ended.stdout)?;
    assert_eq!(
        fates(&found["native"]),
        ["began", "continued", "continued", "continued"]
    );
    assert_eq!(ids(&found["native"]).len(), 1);
    assert_eq!(found["oneTrace"], true);
    Ok(())
}

/// A terminal beside another window.
const NARROW: usize = 60;

#[test]
fn a_trace_that_breaks_with_the_filter_is_a_failure_that_says_where() -> Result<()> {
    let stage = Stage::new()?;
    for json in [false, true] {
        let mut demo = stage.demo(&["--copies=reviews=nothing"]);
        demo.env("COLUMNS", NARROW.to_string());
        if json {
            demo.arg("--json");
        }
        let ended = demo.output()?;
        assert_eq!(ended.status.code(), Some(1));
        // In JSON it is a field, and said to people besides.
        let said = String::from_utf8(if json { ended.stderr } else { ended.stdout })?;
        if !json {
            let too_wide = |line: &&str| line.chars().count() > NARROW;
            assert_eq!(said.lines().find(too_wide), None);
        }
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let why = "2 trace ids were seen; it broke at reviews → ratings: reviews got traceparent, x-b3-*, b3 and copies nothing";
        assert!(said.contains(why), "{said}");
        stage.assert_nothing_left();
    }
    Ok(())
}

#[test]
fn what_is_missing_is_named() -> Result<()> {
    let stage = Stage::new()?;
    for (variable, value, said) in [
        ("ENVOY", "/nowhere/envoy", "ENVOY=/nowhere/envoy"),
        ("ENVOY", "/bin/false", "/bin/false did not start"),
        (
            "THROUGHLINE_MODULE",
            "/nowhere/module",
            "THROUGHLINE_MODULE=/nowhere/module",
        ),
    ] {
        let ended = stage.demo(&[]).env(variable, value).output()?;
        let error = String::from_utf8(ended.stderr)?;
        assert_eq!(ended.status.code(), Some(1), "{error}");
        assert!(error.contains(said), "{error}");
        stage.assert_nothing_left();
    }
    Ok(())
}

#[test]
fn an_interrupt_ends_everything_in_either_run() -> Result<()> {
    // Of the five Envoys of each run, those that have started by then.
    for started in [2, 7] {
        let stage = Stage::new()?;
        let mut demo = stage.start_and_hold(started)?;
        demo.signal("INT", false)?;
        stage.go_on()?;
        assert_eq!(demo.code()?, Some(130));
        stage.assert_nothing_left();
    }
    Ok(())
}

/// A terminal sends Ctrl-C to all of them at once.
#[test]
fn an_interrupt_of_the_whole_group_ends_everything() -> Result<()> {
    let stage = Stage::new()?;
    let mut demo = stage.start_and_hold(3)?;
    demo.signal("INT", true)?;
    assert_eq!(demo.code()?, Some(130));
    stage.assert_nothing_left();
    Ok(())
}

#[test]
fn no_process_outlives_a_demo_that_is_killed() -> Result<()> {
    let stage = Stage::new()?;
    let mut demo = stage.start_and_hold(3)?;
    demo.signal("KILL", false)?;
    assert_eq!(demo.code()?, None);
    stage.wait_until_no_process_is_left()
}

/// Fails for a field that the README does not name; not inside of `opaque` ones, whose content is somebody else's.
fn assert_documented(value: &Value, opaque: &[&str]) {
    const README: &str = include_str!("../../README.md");
    for item in value.as_array().into_iter().flatten() {
        assert_documented(item, opaque);
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        assert!(
            README.contains(&format!("`{key}`")),
            "{key} is not in the README"
        );
        if !opaque.contains(&key.as_str()) {
            assert_documented(inner, opaque);
        }
    }
}

fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().map_or(&[], Vec::as_slice)
}

fn strings(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn ids(run: &Value) -> BTreeSet<String> {
    strings(&run["traceIds"])
}

fn hops(run: &Value) -> Vec<[String; 2]> {
    let end = |hop: &Value, key| hop[key].as_str().unwrap_or_default().to_owned();
    let hop = |hop: &Value| [end(hop, "caller"), end(hop, "callee")];
    list(run, "hops").iter().map(hop).collect()
}

fn fates(run: &Value) -> Vec<&str> {
    let hops = list(run, "hops").iter();
    hops.map(|hop| hop["trace"].as_str().unwrap_or_default())
        .collect()
}
