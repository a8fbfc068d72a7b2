//! What a stranger sends grows nothing and forces nothing, whatever it is.

use crate::support::{Outcome, configure, run};
use crate::{INGRESS, TRACE, TRACEPARENT, host};

const CONFIG: &str = r#"{"trust": [{"match": {"peer": "unauthenticated"}, "action": "restart"}],
    "sampling": {"sampler": "parentbased_always_off", "forceHeader": "x-trace-force"},
    "propagation": {"extract": ["tracecontext", "b3", "jaeger", "xray", "datadog", "gcp"]},
    "export": {"cluster": "collector"}}"#;

/// What is sent, and its headers.
type Row<'a> = (&'a str, Vec<(&'a str, &'a [u8])>);

fn sent(request: &[(&str, &[u8])]) -> Outcome {
    let mut host = host(INGRESS, &[]);
    let filter = configure(&mut host, CONFIG).expect("a good configuration");
    host.set_request(request);
    run(&filter, &mut host)
}

#[test]
fn whatever_came_in_leaves_as_if_it_had_not() {
    let much = vec![b'x'; 8192];
    let tracestate = format!("a={},b={}", "x".repeat(250), "y".repeat(257));
    let long_parent = [TRACEPARENT.as_bytes(), &much].concat();
    let rows: &[Row<'_>] = &[
        ("nothing", vec![]),
        ("sampled", vec![("traceparent", TRACEPARENT.as_bytes())]),
        (
            "debug",
            vec![("b3", b"4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d")],
        ),
        ("debug alone", vec![("b3", b"d")]),
        ("an exporter's mark", vec![("b3", b"0")]),
        (
            "flags",
            vec![
                ("x-b3-flags", b"1"),
                ("x-b3-traceid", TRACE.as_bytes()),
                ("x-b3-spanid", b"00f067aa0ba902b7"),
            ],
        ),
        ("flags that say nothing", vec![("x-b3-flags", &much)]),
        (
            "forced",
            vec![
                ("x-trace-force", b"1"),
                ("traceparent", TRACEPARENT.as_bytes()),
            ],
        ),
        ("8 KiB of baggage", vec![("baggage", &much)]),
        ("baggage in many fields", vec![("baggage", b"a=1"); 64]),
        (
            "512 bytes of tracestate",
            vec![
                ("traceparent", TRACEPARENT.as_bytes()),
                ("tracestate", tracestate.as_bytes()),
            ],
        ),
        (
            "tracestate in many fields",
            vec![("tracestate", b"a=1"); 33],
        ),
        (
            "a traceparent of a later version",
            vec![("traceparent", &long_parent)],
        ),
        (
            "several traceparents",
            vec![("traceparent", TRACEPARENT.as_bytes()); 3],
        ),
        (
            "bytes that are no text",
            vec![
                ("traceparent", b"\xff\xfe"),
                ("b3", b"\0"),
                ("baggage", b"\xff"),
            ],
        ),
        (
            "Datadog's priority",
            vec![
                ("x-datadog-trace-id", b"7"),
                ("x-datadog-parent-id", b"8"),
                ("x-datadog-sampling-priority", b"2"),
                ("x-datadog-tags", &much),
            ],
        ),
        (
            "Jaeger's debug",
            vec![("uber-trace-id", b"7:8:0:3"), ("jaeger-debug-id", &much)],
        ),
        (
            "a load balancer's trace",
            vec![(
                "x-amzn-trace-id",
                b"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1",
            )],
        ),
        (
            "Google's",
            vec![
                (
                    "x-cloud-trace-context",
                    b"4bf92f3577b34da6a3ce929d0e0e4736/1;o=1",
                ),
                ("grpc-trace-bin", &much),
            ],
        ),
    ];
    for (what, request) in rows {
        let outcome = sent(request);
        let mut names: Vec<&str> = outcome
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["traceparent", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"],
            "{what}"
        );
        assert_eq!(outcome.one("x-b3-sampled"), Some("0"), "{what}");
        let traceparent = outcome.one("traceparent").unwrap();
        assert!(
            traceparent.ends_with("-00") && !traceparent.contains(TRACE),
            "{what}: {traceparent}"
        );
        let bytes: usize = outcome.headers.iter().map(|(_, value)| value.len()).sum();
        assert_eq!(bytes, 55 + 1 + 16 + 32, "{what}");
    }
}
