//! Requests that report spans: `b3: 0` and no other trace header. Nobody may trace them, whatever is configured, and
//! they must reach the next filter as they are, which knows them by that one header. It frees nobody from what is no trace: a
//! tag stays the mesh's word.

use crate::table::{config, request, run, show};

#[test]
fn calls_that_report_spans_pass_untouched() {
    for words in [
        "",
        "extract tracecontext; inject tracecontext",
        "extract b3; inject b3",
        "extract b3multi; inject tracecontext; stale remove",
        "always_on",
        "traceidratio 1",
        "parentbased_always_off",
    ] {
        let request = request(&[("b3", "0"), ("content-type", "application/x-protobuf")]);
        let outcome = run(&config(words), &request).unwrap();
        let why = format!("{words:?}: {}", show(&outcome.headers));
        assert_eq!(outcome.headers, request, "{why}");
        assert_eq!(outcome.writes, 0, "{why}");
        assert!(outcome.filter_state.is_empty(), "{why}");
        let counted: Vec<_> = outcome.counters.into_iter().collect();
        assert_eq!(
            counted,
            [("throughline.requests{origin=exporter}".to_owned(), 1)],
            "{why}"
        );
    }
}

const TAGS: &str = r#""propagation": {"baggage": "drop"},
    "customTags": {"tenant": {"literal": {"value": "real"}}}, "tags": {"to": ["header:x-tenant", "accessLog"]}"#;

#[test]
fn tags_are_written_over_what_came_under_their_names() {
    let request = request(&[("b3", "0"), ("x-tenant", "forged"), ("baggage", "a=1")]);
    let outcome = run(&format!("{{{TAGS}}}"), &request).unwrap();
    assert_eq!(outcome.one("x-tenant"), Some("real"));
    assert_eq!(outcome.one("baggage"), None);
    assert_eq!(outcome.one("b3"), Some("0"));
    let state: Vec<_> = outcome.filter_state.into_iter().collect();
    let tag = ("throughline.tag.tenant".to_owned(), b"real".to_vec());
    assert_eq!(state, [tag], "it has no ids");
}

#[test]
fn where_the_trace_is_stripped_off_no_tag_leaves() {
    let config =
        format!(r#"{{{TAGS}, "trust": [{{"match": {{"hosts": ["*"]}}, "action": "strip"}}]}}"#);
    let outcome = run(&config, &request(&[("b3", "0"), ("x-tenant", "acme")])).unwrap();
    assert_eq!(outcome.headers, request(&[]), "{}", show(&outcome.headers));
}

#[test]
fn what_only_looks_like_one_is_traced() {
    for headers in [
        &[("b3", "0"), ("b3", "0")][..],
        &[("b3", " 0")],
        &[("b3", "0"), ("x-b3-sampled", "0")],
        &[("b3", "0"), ("traceparent", "nonsense")],
        &[("x-b3-sampled", "0")],
    ] {
        let outcome = run("{}", &request(headers)).unwrap();
        assert!(
            outcome.writes > 0,
            "{headers:?}: {}",
            show(&outcome.headers)
        );
    }
}
