//! Kiali's look-ups, on a trace as the filter makes it, in the real Jaeger and Tempo.

use super::check::{BY_HTTP, PATIENCE, UNKNOWN};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use throughline_dev::backends::kiali::{Peer, Search, Span, Workload};
use throughline_dev::backends::{Jaeger, Tempo};
use throughline_dev::poll;

/// The spans of productpage's sidecar, which calls reviews, and of reviews' sidecar, which answers 500 after 20 ms. Either
/// with numbers and truth values, or with text alone, as Envoy's own tracers write it.
fn request(only_text: bool) -> Result<Value> {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let typed = |key: &str, value: Value, in_text: &str| match only_text {
        true => text(key, in_text),
        false => json!({"key": key, "value": value}),
    };
    let sidecar = |app: &str, id: &str, parent: &str, kind: u8, cluster: &str| {
        let node = format!(
            "sidecar~10.0.0.1~{app}-v1-6d8996bff-ztg6z.bookinfo~bookinfo.svc.cluster.local"
        );
        json!({
            "resource": {"attributes": [text("service.name", &format!("{app}.bookinfo"))]},
            "scopeSpans": [{"spans": [{
                "traceId": BY_HTTP, "spanId": id, "parentSpanId": parent, "name": "GET", "kind": kind,
                "startTimeUnixNano": (now - 20_000_000).to_string(), "endTimeUnixNano": now.to_string(),
                "status": {"code": 2},
                "attributes": [
                    text("component", "proxy"),
                    text("node_id", &node),
                    text("istio.cluster_id", "Kubernetes"),
                    text("http.method", "GET"),
                    typed("http.status_code", json!({"intValue": "500"}), "500"),
                    typed("error", json!({"boolValue": true}), "true"),
                    text("response_flags", "-"),
                    text("upstream_cluster", cluster),
                ],
            }]}],
        })
    };
    Ok(json!({"resourceSpans": [
        sidecar("productpage", "00f067aa0ba902b7", "", 3, "outbound|9080||reviews.bookinfo.svc.cluster.local"),
        sidecar("reviews", "00f067aa0ba902b8", "00f067aa0ba902b7", 2, "inbound|9080||"),
    ]}))
}

fn reviews() -> Search {
    Search::new("reviews", "bookinfo")
}

fn only_errors() -> Search {
    Search {
        only_errors: true,
        ..reviews()
    }
}

/// What is asked, and whether it finds the trace.
fn searches() -> [(Search, bool); 3] {
    let elsewhere = Search {
        cluster: "west".to_owned(),
        ..reviews()
    };
    [
        (reviews(), true),
        (elsewhere, false),
        (Search::new("ratings", "bookinfo"), false),
    ]
}

fn at_least(milliseconds: u64) -> Search {
    Search {
        min_duration: Duration::from_millis(milliseconds),
        ..reviews()
    }
}

fn of_service<'a>(spans: &'a [Span], service: &str) -> Result<&'a Span> {
    spans
        .iter()
        .find(|span| span.service == service)
        .with_context(|| format!("no {service} in {spans:?}"))
}

/// What Kiali shows of a span that it found, whatever backend it came from.
fn assert_shown(reviews: &Span) {
    assert!(reviews.is_envoy() && reviews.has_error(), "{reviews:?}");
    assert!(
        reviews.is_of_workload("reviews-v1", "bookinfo"),
        "{reviews:?}"
    );
    assert!(
        !reviews.is_of_workload("ratings-v1", "bookinfo"),
        "{reviews:?}"
    );
    let workload = Workload {
        pod: "reviews-v1-6d8996bff-ztg6z".to_owned(),
        name: "reviews-v1".to_owned(),
        namespace: "bookinfo".to_owned(),
    };
    assert_eq!(reviews.workload(), Some(workload));
}

/// The page of the whole trace.
fn assert_trace(spans: &[Span]) -> Result<()> {
    assert_eq!(spans.len(), 2, "{spans:#?}");
    assert_shown(of_service(spans, "reviews.bookinfo")?);
    let peer = Peer {
        service: "reviews".to_owned(),
        namespace: "bookinfo".to_owned(),
    };
    assert_eq!(
        of_service(spans, "productpage.bookinfo")?.peer(),
        Some(peer)
    );
    Ok(())
}

#[test]
fn finds_its_traces_in_jaeger() -> Result<()> {
    let jaeger = Jaeger::start()?;
    jaeger.otlp_http().post("/v1/traces", &request(false)?)?;
    poll::until_within(PATIENCE, "the trace", || {
        Ok((jaeger.trace(BY_HTTP)?.len() == 2).then_some(()))
    })?;
    let more = [
        (only_errors(), true),
        (at_least(20), true),
        (at_least(30), false),
    ];
    for (search, finds) in searches().into_iter().chain(more) {
        for spans in [search.jaeger(&jaeger)?, search.jaeger_http(&jaeger)?] {
            // Jaeger gives back whole traces.
            assert_eq!(
                spans.len(),
                if finds { 2 } else { 0 },
                "{search:?} found {spans:?}"
            );
            if finds {
                assert_shown(of_service(&spans, &search.service)?);
            }
        }
    }
    for spans in [
        Span::jaeger_trace(&jaeger, BY_HTTP)?,
        Span::jaeger_trace_http(&jaeger, BY_HTTP)?,
    ] {
        assert_trace(&spans)?;
        assert_eq!(
            of_service(&spans, "reviews.bookinfo")?.status_code(),
            Some(500)
        );
    }
    assert!(Span::jaeger_trace(&jaeger, UNKNOWN).is_err());
    Ok(())
}

#[test]
fn finds_its_traces_in_tempo() -> Result<()> {
    for only_text in [false, true] {
        let tempo = Tempo::start(None)?;
        tempo.otlp_http().post("/v1/traces", &request(only_text)?)?;
        let is_found = || Ok((!reviews().tempo(&tempo)?.is_empty()).then_some(()));
        poll::until_within(PATIENCE, "Kiali to find the trace", is_found)?;
        // Kiali looks for errors by text, and sees text alone. Tempo ignores its least duration beside TraceQL.
        let more = [(only_errors(), only_text), (at_least(30), true)];
        for (search, finds) in searches().into_iter().chain(more) {
            for spans in [search.tempo(&tempo)?, search.tempo_http(&tempo)?] {
                assert_eq!(!spans.is_empty(), finds, "{search:?} found {spans:?}");
                if finds {
                    // All spans of the trace are there, as if they were all of the application that was asked for.
                    assert!(
                        spans.iter().all(|span| span.service == search.service),
                        "{spans:?}"
                    );
                    let own = spans
                        .iter()
                        .find(|span| span.is_of_workload("reviews-v1", "bookinfo"));
                    assert_shown(own.with_context(|| format!("{search:?} found {spans:?}"))?);
                }
            }
        }
        let trace = Span::tempo_trace(&tempo, BY_HTTP)?;
        assert_trace(&trace)?;
        let status = of_service(&trace, "reviews.bookinfo")?.status_code();
        assert_eq!(status, only_text.then_some(500));
    }
    Ok(())
}
