//! The paths of a request, and what each costs.

use throughline::filter::{Filter, Stream};

use crate::meter::Meter;

pub struct Row {
    pub path: &'static str,
    /// Where the filter runs, and how the request ended.
    place: Place,
    pub config: &'static str,
    request: &'static [(&'static str, &'static [u8])],
    /// Host calls: header reads, random, header writes, filter states, counters, properties, clock, store.
    pub calls: [usize; 8],
    pub allocations: usize,
}

type Properties = &'static [(&'static str, &'static [u8])];

#[derive(Clone, Copy)]
struct Place {
    properties: &'static [Properties],
    has_expressions: bool,
    /// An earlier filter answered: ours sees the request only when it is over.
    is_answered_before: bool,
}

const NUMBER_0: &[u8] = &0_u64.to_le_bytes();
const NUMBER_1: &[u8] = &1_u64.to_le_bytes();
const NUMBER_2: &[u8] = &2_u64.to_le_bytes();

const SIDECAR: Properties = &[("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc")];
const WAYPOINT: Properties = &[("xds.node.id", b"waypoint~10.0.0.1~a.b~b.svc")];
const OUTSIDE: Properties = &[
    ("xds.listener_direction", NUMBER_2),
    ("xds.cluster_name", b"outbound|80||api.openai.com"),
];
const GATEWAY: Properties = &[
    ("xds.node.id", b"router~10.0.0.1~a.b~b.svc"),
    ("xds.listener_direction", NUMBER_2),
];
const INBOUND: Properties = &[
    ("xds.listener_direction", NUMBER_1),
    ("xds.cluster_name", b"inbound|9080||"),
    ("request.protocol", b"HTTP/1.1"),
    ("source.address", b"10.0.0.2:4711"),
];
const OUTBOUND: Properties = &[
    ("xds.listener_direction", NUMBER_2),
    (
        "xds.cluster_name",
        b"outbound|9080||reviews.bookinfo.svc.cluster.local",
    ),
    ("request.protocol", b"HTTP/1.1"),
    ("source.address", b"10.0.0.2:4711"),
];
const SENT_ON: Properties = &[
    ("upstream.address", b"10.0.0.3:9080"),
    ("upstream.request_attempt_count", NUMBER_1),
];
const OK: Properties = &[
    ("response.code", &200_u64.to_le_bytes()),
    ("response.flags", NUMBER_0),
    ("request.size", NUMBER_0),
    ("response.size", &5183_u64.to_le_bytes()),
];
const DENIED: Properties = &[
    ("request.time", &1_700_000_000_000_000_000_u64.to_le_bytes()),
    ("response.code", &403_u64.to_le_bytes()),
    ("response.flags", &(1_u64 << 12).to_le_bytes()),
    ("response.code_details", b"ext_authz_denied"),
    ("request.size", NUMBER_0),
    ("response.size", NUMBER_0),
];

const fn place(properties: &'static [Properties]) -> Place {
    Place {
        properties,
        has_expressions: true,
        is_answered_before: false,
    }
}

/// Without export nothing but the headers matters.
const PROPAGATION: Place = place(&[]);
const AT_SERVER: Place = place(&[SIDECAR, INBOUND, OK]);
const AT_CLIENT: Place = place(&[SIDECAR, OUTBOUND, SENT_ON, OK]);
const BETWEEN: Place = place(&[GATEWAY, OUTBOUND, SENT_ON, OK]);

const EXPORT: &str = r#"{"export": {"cluster": "collector"}}"#;

/// docs/configuration.md has these rules.
const TRUST: &str = r#"{"trust": [
    {"match": {"proxy": "gateway"}, "action": "restart"},
    {"match": {"proxy": "sidecar-inbound", "peer": "unauthenticated"}, "action": "restart"},
    {"match": {"hosts": ["*.googleapis.com", "api.openai.com"]}, "action": "strip"}]}"#;
const OF_THE_MESH: Properties = &[("connection.mtls", &[1])];

const TRACEPARENT: (&str, &[u8]) = (
    "traceparent",
    b"00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01",
);
const STALE: (&str, &[u8]) = (
    "traceparent",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
);
const B3: (&str, &[u8]) = ("b3", b"463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1");
const TRACE_ID: (&str, &[u8]) = ("x-b3-traceid", b"463ac35c9f6413ad48485a3953bb6124");
const SPAN_ID: (&str, &[u8]) = ("x-b3-spanid", b"a2fb4a1d1a96d312");
const SAMPLED: (&str, &[u8]) = ("x-b3-sampled", b"1");
const BAD: (&str, &[u8]) = ("traceparent", b"00-0-0-01");

const NOT_SAMPLED: (&str, &[u8]) = (
    "traceparent",
    b"00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-00",
);
const DENY: (&str, &[u8]) = ("x-b3-sampled", b"0");
const METHOD: (&str, &[u8]) = (":method", b"GET");
const SCHEME: (&str, &[u8]) = (":scheme", b"http");
const AUTHORITY: (&str, &[u8]) = (":authority", b"reviews.bookinfo:9080");
const PATH: (&str, &[u8]) = (":path", b"/reviews/0?token=secret");
const USER_AGENT: (&str, &[u8]) = ("user-agent", b"curl/8.0");
const REQUEST_ID: (&str, &[u8]) = ("x-request-id", b"463ac35c-9f64-13ad-4848-5a3953bb6124");

const BOTH_FORMATS: &[(&str, &[u8])] = &[
    METHOD,
    SCHEME,
    AUTHORITY,
    PATH,
    USER_AGENT,
    REQUEST_ID,
    TRACEPARENT,
    TRACE_ID,
    SPAN_ID,
    SAMPLED,
];
const OF_OPENAI: &[(&str, &[u8])] = &[
    (":authority", b"api.openai.com"),
    TRACEPARENT,
    TRACE_ID,
    SPAN_ID,
    SAMPLED,
];
const NO_FORMAT: &[(&str, &[u8])] = &[METHOD, SCHEME, AUTHORITY, PATH, USER_AGENT, REQUEST_ID];

/// The most that one request can cost: every format is there and none is good.
const ALL_BAD: &[(&str, &[u8])] = &[
    ("traceparent", b"00-0-0-01"),
    ("tracestate", b"a=1"),
    ("b3", b"x"),
    ("x-b3-traceid", b"x"),
    ("x-b3-spanid", b"x"),
    ("x-b3-parentspanid", b"x"),
    ("x-b3-sampled", b"x"),
    ("x-b3-flags", b"1"),
];
const MUCH_BAGGAGE: &[(&str, &[u8])] = &[
    TRACEPARENT,
    TRACE_ID,
    SPAN_ID,
    SAMPLED,
    ("baggage", &[b','; 60_000]),
];

pub const ROWS: &[Row] = &[
    Row {
        place: PROPAGATION,
        path: "continue, both formats agree",
        config: "{}",
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 0, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "continue, both formats agree, `nativeTracer: own`",
        config: r#"{"nativeTracer": "own"}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [1, 0, 0, 3, 1, 0, 0, 0],
        allocations: 1,
    },
    Row {
        place: PROPAGATION,
        path: "continue, both formats agree, `nativeTracer: mirror`",
        config: r#"{"nativeTracer": "mirror"}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 0, 3, 1, 0, 0, 1],
        allocations: 3,
    },
    Row {
        place: PROPAGATION,
        path: "continue W3C, add B3",
        config: "{}",
        request: &[TRACEPARENT],
        calls: [2, 0, 3, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "continue B3, add W3C",
        config: "{}",
        request: &[TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 1, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "continue single `b3`, add both",
        config: "{}",
        request: &[B3],
        calls: [2, 0, 4, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "start a trace",
        config: "{}",
        request: &[],
        calls: [2, 1, 4, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "start a trace by a ratio, and tell it",
        config: r#"{"sampling": {"arg": 1}}"#,
        request: &[],
        calls: [2, 1, 5, 3, 1, 0, 0, 1],
        allocations: 3,
    },
    Row {
        place: PROPAGATION,
        path: "start a trace by a ratio, not sampled",
        config: r#"{"sampling": {"arg": 0}}"#,
        request: &[],
        calls: [2, 1, 4, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "reject a traceparent, start a trace",
        config: "{}",
        request: &[BAD],
        calls: [2, 1, 4, 3, 2, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "a conflict: W3C wins, B3 is rewritten",
        config: "{}",
        request: &[STALE, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 2, 3, 2, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "every header there, none good: start a trace",
        config: "{}",
        request: ALL_BAD,
        calls: [2, 1, 8, 3, 4, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "60 KiB of baggage, both formats agree",
        config: "{}",
        request: MUCH_BAGGAGE,
        calls: [2, 0, 0, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "one literal tag to the access log, both agree",
        config: r#"{"customTags": {"a": {"literal": {"value": "x"}}}}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 0, 4, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "one header tag to the access log, both agree",
        config: r#"{"customTags": {"a": {"header": {"name": "x-b3-sampled"}}}}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 0, 4, 1, 0, 0, 1],
        allocations: 3,
    },
    Row {
        place: place(&[OUTBOUND]),
        path: "one attribute tag to spans alone, of a request without one",
        config: r#"{"customTags": {"a": {"attribute": {"path": "xds.cluster_name"}}}, "tags": {"to": ["span"]}, "export": {"cluster": "collector"}}"#,
        request: &[METHOD, PATH, NOT_SAMPLED, TRACE_ID, SPAN_ID, DENY],
        calls: [2, 0, 0, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        place: PROPAGATION,
        path: "`response.traceId`, both formats agree",
        config: r#"{"response": {"traceId": "x-trace-id"}}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [2, 0, 1, 3, 1, 0, 0, 1],
        allocations: 3,
    },
    Row {
        place: PROPAGATION,
        path: "`response.serverTiming`, both formats agree",
        config: r#"{"response": {"serverTiming": true}}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [3, 0, 1, 3, 1, 0, 0, 1],
        allocations: 7,
    },
    Row {
        path: "sidecar, inbound, both formats agree",
        place: AT_SERVER,
        config: "{}",
        request: BOTH_FORMATS,
        calls: [2, 0, 0, 3, 3, 1, 0, 1],
        allocations: 3,
    },
    Row {
        path: "sidecar, outbound, both formats agree",
        place: AT_CLIENT,
        config: "{}",
        request: BOTH_FORMATS,
        calls: [2, 0, 0, 3, 1, 1, 0, 1],
        allocations: 3,
    },
    Row {
        path: "sidecar, outbound, start a trace",
        place: AT_CLIENT,
        config: "{}",
        request: NO_FORMAT,
        calls: [2, 1, 4, 3, 2, 1, 0, 1],
        allocations: 3,
    },
    Row {
        path: "export: sidecar, inbound, both formats agree",
        place: AT_SERVER,
        config: EXPORT,
        request: BOTH_FORMATS,
        calls: [2, 1, 2, 4, 3, 2, 2, 1],
        allocations: 13,
    },
    Row {
        path: "export: sidecar, outbound, both formats agree",
        place: AT_CLIENT,
        config: EXPORT,
        request: BOTH_FORMATS,
        calls: [2, 1, 2, 4, 1, 2, 2, 1],
        allocations: 14,
    },
    Row {
        path: "export: gateway, start a trace, two spans",
        place: BETWEEN,
        config: EXPORT,
        request: NO_FORMAT,
        calls: [2, 2, 4, 3, 1, 2, 2, 1],
        allocations: 21,
    },
    Row {
        path: "export: gateway, start a trace, no upstream",
        place: place(&[GATEWAY, OUTBOUND, OK]),
        config: EXPORT,
        request: NO_FORMAT,
        calls: [2, 2, 4, 3, 1, 3, 2, 1],
        allocations: 19,
    },
    Row {
        path: "export: sidecar, inbound, both formats agree, legacy names alone",
        place: AT_SERVER,
        config: r#"{"export": {"cluster": "collector"}, "spans": {"semconv": "legacy"}}"#,
        request: BOTH_FORMATS,
        calls: [2, 1, 2, 4, 3, 2, 2, 1],
        allocations: 13,
    },
    Row {
        path: "export: sidecar, inbound, both formats agree, a host without expressions",
        place: Place {
            has_expressions: false,
            ..AT_SERVER
        },
        config: EXPORT,
        request: BOTH_FORMATS,
        calls: [2, 1, 2, 4, 3, 8, 2, 1],
        allocations: 19,
    },
    Row {
        path: "export: sidecar, inbound, an earlier filter denied it",
        place: Place {
            is_answered_before: true,
            ..place(&[SIDECAR, INBOUND, DENIED])
        },
        config: EXPORT,
        request: BOTH_FORMATS,
        calls: [1, 1, 0, 4, 1, 4, 1, 1],
        allocations: 15,
    },
    Row {
        path: "export: not sampled, both formats agree",
        place: AT_SERVER,
        config: EXPORT,
        request: &[METHOD, PATH, NOT_SAMPLED, TRACE_ID, SPAN_ID, DENY],
        calls: [2, 0, 0, 3, 3, 1, 0, 1],
        allocations: 3,
    },
    Row {
        path: "export: an exporter's own call",
        place: AT_CLIENT,
        config: EXPORT,
        request: &[METHOD, PATH, ("b3", b"0")],
        calls: [1, 0, 0, 0, 1, 1, 0, 1],
        allocations: 2,
    },
    Row {
        path: "trust: a waypoint, for which no rule is",
        place: place(&[WAYPOINT, INBOUND]),
        config: r#"{"trust": [{"match": {"proxy": "gateway"}, "action": "restart"}]}"#,
        request: BOTH_FORMATS,
        calls: [2, 0, 0, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        path: "trust: a sidecar, inbound, from a workload of the mesh",
        place: place(&[SIDECAR, INBOUND, OF_THE_MESH]),
        config: TRUST,
        request: BOTH_FORMATS,
        calls: [2, 0, 0, 3, 3, 2, 0, 1],
        allocations: 4,
    },
    Row {
        path: "trust: a gateway that restarts, both formats came in",
        place: place(&[GATEWAY, OUTBOUND]),
        config: TRUST,
        request: BOTH_FORMATS,
        calls: [2, 1, 4, 3, 1, 0, 0, 1],
        allocations: 2,
    },
    Row {
        path: "trust: a sidecar, outbound, strips both formats",
        place: place(&[SIDECAR, OUTSIDE]),
        config: TRUST,
        request: OF_OPENAI,
        calls: [2, 0, 4, 3, 2, 2, 0, 1],
        allocations: 5,
    },
];

impl Row {
    /// What the second request costs, from its headers to its end: the first one pays for what is compiled and defined
    /// once.
    pub fn measure(&self) -> Meter {
        let mut meter = Meter::new(
            self.request,
            self.place.properties,
            self.place.has_expressions,
        );
        let filter = Filter::configure(&mut meter, 1, self.config.as_bytes(), &|_: &str| None);
        let filter = filter.expect("a good configuration");
        for _ in 0..2 {
            meter.start();
            let mut stream = Stream::default();
            if !self.place.is_answered_before {
                filter.on_request(&mut meter, &mut stream);
            }
            if let Some(hop) = stream.response() {
                filter.on_response(&mut meter, &hop);
            }
            filter.on_log(&mut meter, stream);
            meter.stop();
        }
        meter
    }
}
