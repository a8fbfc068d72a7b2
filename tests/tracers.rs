//! Beside one of Envoy's own tracers, which writes between the filter and the log: what is found out, said and counted, and
//! who reports. docs/native-tracers.md has what the real ones do.

mod support;

use support::{FakeHost, configure};
use throughline::filter::{Filter, Stream};

const T: &str = "463ac35c9f6413ad48485a3953bb6124";
const S: &str = "a2fb4a1d1a96d312";
/// The tracer's.
const N: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const M: &str = "e457b5a2e4d86bd1";

const INBOUND: [u8; 8] = 1_i64.to_le_bytes();
const OUTBOUND: [u8; 8] = 2_i64.to_le_bytes();

type Written = Vec<(&'static str, String)>;

fn w3c(trace: &str, span: &str, flags: &str) -> Written {
    vec![("traceparent", format!("00-{trace}-{span}-{flags}"))]
}

fn b3(trace: &str, span: &str, sampled: &str) -> Written {
    vec![
        ("x-b3-traceid", trace.to_owned()),
        ("x-b3-spanid", span.to_owned()),
        ("x-b3-sampled", sampled.to_owned()),
    ]
}

/// A process with one worker.
struct Proxy {
    host: FakeHost,
    filter: Filter,
}

impl Proxy {
    fn new(config: &str) -> Self {
        let mut host = FakeHost::default();
        host.properties
            .insert("response.code_details".into(), b"via_upstream".to_vec());
        host.properties
            .insert("xds.listener_direction".into(), INBOUND.to_vec());
        host.properties
            .insert("request.time".into(), 1_u64.to_le_bytes().to_vec());
        let filter = configure(&mut host, config).expect("a good configuration");
        host.log.clear();
        Self { host, filter }
    }

    fn gateway(config: &str) -> Self {
        let mut proxy = Self::new("{}");
        proxy.at("xds.node.id", b"router~10.0.0.1~a.b~b.svc");
        proxy.filter = configure(&mut proxy.host, config).expect("a good configuration");
        proxy.host.log.clear();
        proxy
    }

    fn at(&mut self, property: &str, value: &[u8]) {
        self.host.properties.insert(property.into(), value.to_vec());
    }

    /// One request: what came in, and what a tracer then wrote. Returns what left the filter.
    fn send(&mut self, came_in: &Written, tracer_writes: &Written) -> Vec<(String, String)> {
        let has_path = came_in.iter().any(|(name, _)| *name == ":path");
        let request: Vec<(&str, &[u8])> = [(":method", &b"GET"[..]), (":path", b"/")]
            .into_iter()
            .filter(|(name, _)| !(has_path && *name == ":path"))
            .chain(
                came_in
                    .iter()
                    .map(|(name, value)| (*name, value.as_bytes())),
            )
            .collect();
        self.host.set_request(&request);
        self.host.filter_state.clear();
        let mut stream = Stream::default();
        self.filter.on_request(&mut self.host, &mut stream);
        let left = self.host.headers.clone();
        for (name, value) in tracer_writes {
            self.host.headers.retain(|(known, _)| known != name);
            self.host
                .headers
                .push(((*name).to_owned(), value.as_bytes().to_vec()));
        }
        self.filter.on_log(&mut self.host, stream);
        left.into_iter()
            .filter(|(name, _)| !name.starts_with(':'))
            .map(|(name, value)| (name, String::from_utf8(value).expect("text")))
            .collect()
    }

    fn logged(&self) -> String {
        let text = |name: &str| {
            let value = self
                .host
                .filter_state
                .get(name)
                .cloned()
                .unwrap_or_default();
            String::from_utf8(value).expect("text")
        };
        format!(
            "{} {} {}",
            text("throughline.trace_id"),
            text("throughline.span_id"),
            text("throughline.sampled")
        )
    }

    fn metric(&self, name: &str) -> u64 {
        let metrics = self.host.metrics();
        metrics
            .get(&format!("throughline.{name}"))
            .copied()
            .unwrap_or(0)
    }

    /// Spans that wait to be sent, as their payloads: one for each batch.
    fn exported(&mut self) -> String {
        self.host.now += 10_000_000_000;
        self.filter.on_tick(&mut self.host, support::ROOT);
        let bodies = core::mem::take(&mut self.host.sent);
        bodies
            .iter()
            .map(|sent| String::from_utf8_lossy(&sent.body).into_owned())
            .collect()
    }
}

fn names(left: &[(String, String)]) -> Vec<&str> {
    left.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn where_nobody_writes_after_it_the_filter_goes_on() {
    let mut proxy = Proxy::new("{}");
    for came_in in [Written::new(), w3c(T, S, "01"), b3(T, S, "0")] {
        let left = proxy.send(&came_in, &Written::new());
        assert_eq!(left.len(), 4, "{left:?}");
    }
    assert_eq!(proxy.metric("native_override"), 0);
    assert!(proxy.host.log.is_empty(), "{:?}", proxy.host.log);
    assert!(
        !proxy.host.calls.contains_key("set_shared")
            || proxy
                .host
                .shared
                .keys()
                .all(|key| key != "throughline.tracers")
    );
}

#[test]
fn the_first_response_tells_and_every_worker_knows() {
    let mut proxy = Proxy::new("{}");
    let left = proxy.send(&Written::new(), &b3(N, M, "1"));
    assert_eq!(left.len(), 4, "it knows nothing yet: {left:?}");
    assert_eq!(proxy.metric("native_override"), 1);
    assert_eq!(proxy.logged(), format!("{N} {M} true"), "what really left");
    assert_eq!(proxy.metric("native_tracer{format=b3multi}"), 1);
    let (level, line) = proxy.host.log.pop().expect("a line");
    assert_eq!(level, log::Level::Warn);
    assert!(
        line.contains("Envoy's own tracer writes b3multi after the filter on inbound listeners"),
        "{line}"
    );

    // Another worker of the process.
    proxy.filter = configure(&mut proxy.host, "{}").expect("a good configuration");
    proxy.host.log.clear();
    let left = proxy.send(&Written::new(), &b3(N, M, "0"));
    assert!(left.is_empty(), "nothing is generated: {left:?}");
    assert_eq!(proxy.logged(), format!("{N} {M} false"));
    let left = proxy.send(&b3(T, S, "1"), &b3(T, M, "1"));
    assert_eq!(
        names(&left),
        ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "traceparent"],
        "translated"
    );
    assert_eq!(proxy.logged(), format!("{T} {M} true"));
    assert_eq!(proxy.metric("native_override"), 1, "no more");
    assert!(proxy.host.log.is_empty(), "said once: {:?}", proxy.host.log);
}

#[test]
fn what_the_tracer_cannot_read_does_not_leave_beside_what_it_writes() {
    for (tracer, came_in) in [
        (b3(N, M, "1"), w3c(T, S, "01")),
        (w3c(N, M, "01"), b3(T, S, "1")),
        (w3c(N, M, "01"), vec![("b3", format!("{T}-{S}-1"))]),
        (
            b3(N, M, "1"),
            vec![("uber-trace-id", format!("{T}:{S}:0:1"))],
        ),
    ] {
        let mut proxy = Proxy::new("{}");
        proxy.send(&Written::new(), &tracer);
        let left = proxy.send(&came_in, &tracer);
        assert!(left.is_empty(), "{came_in:?} beside {tracer:?}: {left:?}");
        assert_eq!(proxy.logged(), format!("{N} {M} true"));
        assert_eq!(proxy.metric("native_override"), 1, "the first alone");
    }
}

#[test]
fn where_the_tracer_stays_silent_the_request_is_the_filters() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &b3(N, M, "1"));
    let broken = b3("nonsense", S, "1");
    let left = proxy.send(&broken, &Written::new());
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(
        !left.iter().any(|(_, value)| value == "nonsense"),
        "{left:?}"
    );
}

#[test]
fn a_tracer_that_went_is_forgotten() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    proxy.host.log.clear();
    for request in 0..7 {
        let left = proxy.send(&Written::new(), &Written::new());
        assert!(left.is_empty(), "request {request}: {left:?}");
    }
    // One that it wrote to in between, on a listener that drains, counts from the beginning.
    proxy.send(&w3c(T, S, "01"), &w3c(T, M, "01"));
    for _ in 0..8 {
        proxy.send(&w3c(T, S, "01"), &Written::new());
    }
    assert_eq!(proxy.send(&Written::new(), &Written::new()).len(), 4);
    assert_eq!(proxy.metric("native_tracer{format=tracecontext}"), 0);
    let said: Vec<&str> = proxy.host.log.iter().map(|(_, line)| &**line).collect();
    assert!(
        matches!(said.as_slice(), [line] if line.contains("writes no trace headers on inbound listeners any more")),
        "{said:?}"
    );
}

/// A long answer may end after many that the tracer left alone: what was known when it began is not what is known now.
#[test]
fn a_tracer_that_still_writes_is_not_forgotten() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    for _ in 0..3 {
        let (mut long, mut silent) = (Stream::default(), Vec::new());
        proxy.host.set_request(&[(":method", b"GET")]);
        proxy.filter.on_request(&mut proxy.host, &mut long);
        for _ in 0..7 {
            silent.push(proxy.send(&Written::new(), &Written::new()));
        }
        proxy.host.set_request(&[(":method", b"GET")]);
        let written = format!("00-{N}-{M}-01").into_bytes();
        proxy.host.headers.push(("traceparent".into(), written));
        proxy.filter.on_log(&mut proxy.host, long);
        assert!(silent.iter().all(Vec::is_empty), "{silent:?}");
    }
}

#[test]
fn an_answer_without_an_upstream_says_nothing_of_the_tracer() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    proxy
        .host
        .properties
        .insert("response.code_details".into(), b"direct_response".to_vec());
    for _ in 0..20 {
        proxy.send(&Written::new(), &Written::new());
    }
    assert!(proxy.send(&Written::new(), &Written::new()).is_empty());
}

#[test]
fn each_listener_has_a_tracer_of_its_own() {
    let mut proxy = Proxy::new("{}");
    proxy.at("destination.port", &INBOUND);
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    assert!(proxy.send(&Written::new(), &w3c(N, M, "01")).is_empty());
    for (property, other, own) in [
        ("xds.listener_direction", &OUTBOUND[..], &INBOUND[..]),
        ("destination.port", &OUTBOUND[..], &INBOUND[..]),
        ("xds.filter_chain_name", b"0.0.0.0_8080", b""),
        // Of one name, as they may be.
        ("destination.port", &OUTBOUND[..], &INBOUND[..]),
    ] {
        proxy.at(property, other);
        let left = proxy.send(&w3c(T, S, "01"), &Written::new());
        assert_eq!(left.len(), 4, "{property}: {left:?}");
        proxy.at(property, own);
        let left = proxy.send(&Written::new(), &w3c(N, M, "01"));
        assert!(left.is_empty(), "{property}: {left:?}");
    }
    // Of a direction it is said once.
    proxy.host.log.clear();
    proxy.at("destination.port", &OUTBOUND);
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    assert!(proxy.host.log.is_empty(), "{:?}", proxy.host.log);
    assert_eq!(proxy.metric("native_override"), 2);
}

#[test]
fn a_route_that_sets_the_decision_is_no_tracer() {
    let mut proxy = Proxy::new(r#"{"sampling": {"sampler": "parentbased_always_off"}}"#);
    let route = vec![("x-b3-sampled", "1".to_owned())];
    proxy.send(&Written::new(), &route);
    assert_eq!(proxy.metric("native_override"), 1);
    assert!(proxy.host.log.is_empty(), "{:?}", proxy.host.log);
    assert_eq!(proxy.send(&w3c(T, S, "01"), &Written::new()).len(), 4);
    assert_eq!(proxy.send(&Written::new(), &Written::new()).len(), 4);
}

/// Envoy 1.40's Zipkin tracer answers each spelling with the same.
#[test]
fn both_spellings_of_b3_are_one_tracers() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &b3(N, M, "1"));
    let single = |span: &str| vec![("b3", format!("{T}-{span}-1"))];
    for round in 0..4 {
        let left = proxy.send(&single(S), &single(M));
        if round > 0 {
            // Nothing beside it that would be stale.
            assert_eq!(names(&left), ["b3", "traceparent"], "{left:?}");
        }
        let left = proxy.send(&b3(T, S, "1"), &b3(T, M, "1"));
        assert!(names(&left).contains(&"traceparent"), "{round}: {left:?}");
    }
    assert_eq!(proxy.host.log.len(), 1, "{:?}", proxy.host.log);
    for format in ["b3", "b3multi"] {
        assert_eq!(
            proxy.metric(&format!("native_tracer{{format={format}}}")),
            1
        );
    }
}

/// Who reads takes `b3` before `x-b3-*`, where the tracer's span is.
#[test]
fn a_b3_that_the_tracer_does_not_write_does_not_leave() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &b3(N, M, "1"));
    let left = proxy.send(&vec![("b3", format!("{T}-{S}-1"))], &b3(T, M, "1"));
    assert!(!names(&left).contains(&"b3"), "{left:?}");
    assert!(names(&left).contains(&"traceparent"), "{left:?}");
}

#[test]
fn a_stranger_cannot_make_it_forget() {
    for config in [
        "{}",
        r#"{"trust": [{"match": {"proxy": "gateway"}, "action": "restart"}]}"#,
        r#"{"trust": [{"match": {"proxy": "gateway"}, "action": "strip"}]}"#,
    ] {
        for (tracer, came_in) in [
            (
                w3c(N, M, "01"),
                vec![("traceparent", "nonsense".to_owned())],
            ),
            (
                w3c(N, M, "01"),
                vec![("traceparent", format!("01-{T}-{S}-01-later"))],
            ),
            (
                b3(N, M, "1"),
                [b3(T, S, "1"), vec![("x-b3-parentspanid", "zz".to_owned())]].concat(),
            ),
            (b3(N, M, "1"), vec![("b3", format!("{T}-{S}-{M}"))]),
        ] {
            let mut proxy = Proxy::gateway(config);
            proxy.send(&Written::new(), &tracer);
            // One that it renames, so that continued ones tell of it.
            let continued: Written = tracer
                .iter()
                .map(|(name, value)| (*name, value.replace(M, S)))
                .collect();
            proxy.send(&continued, &tracer);
            for _ in 0..20 {
                proxy.send(&came_in, &Written::new());
            }
            let left = proxy.send(&Written::new(), &tracer);
            assert!(left.is_empty(), "{config} {came_in:?}: {left:?}");
        }
    }
}

/// What a tracer cannot read it starts a trace for: if nothing is written there either, it is gone.
#[test]
fn a_tracer_that_went_is_forgotten_also_where_all_that_comes_is_of_other_formats() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &b3(N, M, "1"));
    for _ in 0..8 {
        proxy.send(&w3c(T, S, "01"), &Written::new());
    }
    assert_eq!(proxy.send(&w3c(T, S, "01"), &Written::new()).len(), 4);
}

/// Zipkin's with `shared_span_context`: what it continues looks as if nobody had written.
#[test]
fn a_tracer_that_shares_the_callers_span_is_not_forgotten() {
    let mut proxy = Proxy::new(r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#);
    proxy.send(&Written::new(), &b3(N, M, "1"));
    for request in 0..20 {
        proxy.send(&b3(T, S, "1"), &Written::new());
        assert_eq!(proxy.exported(), "", "request {request}");
    }
    assert!(proxy.send(&Written::new(), &b3(N, M, "1")).is_empty());
    assert_eq!(proxy.metric("native_override"), 1);
}

/// What the filter itself makes of a request, a span id of its own among it, is no evidence of what the tracer does.
#[test]
fn a_tracer_that_shares_the_callers_span_is_not_forgotten_whatever_the_filter_samples() {
    let announced = vec![("x-amzn-trace-id", format!("Root=1-{}-{}", &T[..8], &T[8..]))];
    let xray = r#"{"propagation": {"extract": ["xray", "b3"]}}"#;
    for (config, first) in [
        (r#"{"sampling": {"sampler": "always_off"}}"#, b3(T, S, "1")),
        (xray, announced),
    ] {
        let mut proxy = Proxy::new(config);
        proxy.send(&first, &b3(T, S, "1"));
        for request in 0..40 {
            let left = proxy.send(&b3(T, S, "1"), &b3(T, S, "1"));
            let traceparent = ("traceparent".to_owned(), format!("00-{T}-{S}-01"));
            assert!(
                left.contains(&traceparent),
                "{config}: request {request}: {left:?}"
            );
        }
    }
}

/// It may be one that leaves the headers alone, and nobody knows what it reads.
#[test]
fn beside_a_tracer_that_was_never_seen_to_write_the_filter_starts_nothing() {
    for came_in in [
        vec![("traceparent", "00-1".to_owned())],
        vec![("b3", format!("{T}-{S}-{M}"))],
        vec![
            ("x-b3-traceid", "z".repeat(32)),
            ("x-b3-spanid", S.to_owned()),
        ],
    ] {
        let mut proxy = Proxy::new(
            r#"{"nativeTracer": "mirror", "export": {"protocol": "zipkin", "cluster": "c"}}"#,
        );
        for _ in 0..3 {
            let left = proxy.send(&came_in, &Written::new());
            assert!(trace_headers(&left).is_empty(), "{came_in:?}: {left:?}");
            assert_eq!(proxy.exported(), "", "{came_in:?}");
        }
    }
}

#[test]
fn a_tracer_that_turns_no_more_is_believed() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &w3c(N, M, "00"));
    let untraced = ("x-request-id", "b1c0fe40-1f0a-4c3e-9a00-000000000000");
    let came_in = [w3c(T, S, "01"), vec![(untraced.0, untraced.1.to_owned())]].concat();
    proxy.send(&came_in, &w3c(T, M, "00"));
    let sampled = |left: &[(String, String)]| {
        let value = left.iter().find(|(name, _)| name == "x-b3-sampled");
        value.expect("x-b3-sampled").1.clone()
    };
    assert_eq!(sampled(&proxy.send(&came_in, &w3c(T, M, "01"))), "0");
    assert_eq!(sampled(&proxy.send(&came_in, &w3c(T, M, "01"))), "1");
    // It turns again: by what, nobody can tell.
    proxy.send(&came_in, &w3c(T, M, "00"));
    for _ in 0..3 {
        let left = proxy.send(&came_in, &w3c(T, M, "01"));
        assert!(trace_headers(&left).is_empty(), "{left:?}");
    }
}

/// At 1 %, the 99 are not the filter's.
#[test]
fn beside_a_tracer_that_samples_some_the_filter_reports_none() {
    let client = "b1c0fe40-1f0a-bc3e-9a00-000000000000".to_owned();
    for (came_in, left, is_reported) in [
        (Written::new(), b3(N, M, "1"), false),
        // It may sample none: what somebody else decided tells nothing of it.
        (Written::new(), b3(N, M, "0"), true),
        (b3(T, S, "1"), b3(T, M, "1"), true),
        (vec![("x-b3-sampled", "1".to_owned())], b3(N, M, "1"), true),
        (vec![("x-request-id", client)], b3(N, M, "1"), true),
    ] {
        let mut proxy = Proxy::new(r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#);
        proxy.send(&Written::new(), &b3(T, M, "1"));
        proxy.send(&came_in, &left);
        proxy.send(&Written::new(), &b3(N, "00000000000000aa", "0"));
        let json = proxy.exported();
        let is_there = json.contains(r#""id":"00000000000000aa""#);
        assert_eq!(is_there, is_reported, "{came_in:?}: {json}");
    }
}

/// It was set to 0 %, or somebody else's `x-request-id` once made it sample.
#[test]
fn a_tracer_that_samples_none_any_more_leaves_the_spans_to_the_filter() {
    let mut proxy = Proxy::new(r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#);
    proxy.send(&Written::new(), &b3(T, M, "1"));
    for sampled in ["1", "0", "1"] {
        proxy.send(&Written::new(), &b3(N, M, sampled));
    }
    for request in 0..10_000 {
        proxy.send(&Written::new(), &b3(N, M, "0"));
        // What others decided tells nothing of it.
        proxy.send(&b3(T, S, "0"), &b3(T, M, "0"));
        assert!(proxy.exported().is_empty(), "request {request}");
    }
    proxy.send(&Written::new(), &b3(N, "00000000000000aa", "0"));
    assert!(proxy.exported().contains("00000000000000aa"));
    // It does again.
    proxy.send(&Written::new(), &b3(N, M, "1"));
    proxy.send(&Written::new(), &b3(N, M, "0"));
    assert!(proxy.exported().is_empty());
}

#[test]
fn what_goes_on_beside_a_tracer_is_counted_as_that() {
    for (came_in, left, origin) in [
        (w3c(T, S, "01"), w3c(T, M, "01"), "tracecontext"),
        (Written::new(), w3c(N, M, "01"), "started"),
    ] {
        let mut proxy = Proxy::gateway(
            r#"{"nativeTracer": "mirror", "trust": [{"match": {"proxy": "gateway"}, "action": "restart"}]}"#,
        );
        proxy.send(&came_in, &left);
        assert_eq!(proxy.metric(&format!("requests{{origin={origin}}}")), 1);
        assert_eq!(proxy.metric("requests{origin=restarted}"), 0);
    }
    // Also of a format that the filter was not told to read.
    let mut proxy = Proxy::new(r#"{"propagation": {"extract": ["tracecontext"]}}"#);
    proxy.send(&Written::new(), &b3(N, M, "1"));
    proxy.send(&b3(T, S, "1"), &b3(T, M, "1"));
    assert_eq!(proxy.metric("requests{origin=b3multi}"), 1);
}

/// R that came in W3C's list goes before the trace id's.
#[test]
fn the_randomness_that_came_in_decides_beside_a_tracer_too() {
    const LOW: &str = "463ac35c9f6413ad48000000000000ff";
    let ratio = r#"{"export": {"protocol": "zipkin", "cluster": "c"}, "sampling": {"sampler": "traceidratio", "arg": 0.5}}"#;
    let mut proxy = Proxy::new(ratio);
    proxy.send(&Written::new(), &w3c(N, M, "00"));
    proxy.exported();
    for (rv, is_reported) in [("ffffffffffffff", true), ("00000000000000", false)] {
        let list = vec![("tracestate", format!("ot=rv:{rv}"))];
        let came_in = [w3c(LOW, S, "00"), list].concat();
        proxy.send(&came_in, &w3c(LOW, M, "00"));
        assert_eq!(!proxy.exported().is_empty(), is_reported, "{rv}");
    }
}

const TRACED: (&str, &str) = ("x-request-id", "b1c0fe40-1f0a-9c3e-9a00-000000000000");
const UNTRACED: (&str, &str) = ("x-request-id", "b1c0fe40-1f0a-4c3e-9a00-000000000000");

fn with(came_in: Written, (name, value): (&'static str, &str)) -> Written {
    [came_in, vec![(name, value.to_owned())]].concat()
}

/// What names a trace, in what left.
fn trace_headers(left: &[(String, String)]) -> Vec<String> {
    let named = left.iter().filter(|(name, _)| name != "x-request-id");
    named
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

/// What came in without a decision that the tracer reads, it decides itself; Envoy's `x-request-id` tells how.
#[test]
fn the_decision_is_the_one_that_the_tracer_reads() {
    let ids = || -> Written {
        vec![
            ("x-b3-traceid", T.to_owned()),
            ("x-b3-spanid", S.to_owned()),
        ]
    };
    let multi = |name: &'static str, value: &str| with(ids(), (name, value));
    for (came_in, sampled, why) in [
        (with(ids(), TRACED), Some(true), "deferred"),
        (with(ids(), UNTRACED), Some(false), "deferred"),
        (ids(), None, "deferred, and no id"),
        (
            with(ids(), ("x-request-id", "order-42")),
            Some(false),
            "no number",
        ),
        (with(ids(), ("x-request-id", "00c0ffee")), None, "no UUID"),
        (multi("x-b3-sampled", "1"), Some(true), "said"),
        (multi("x-b3-sampled", "0"), Some(false), "said"),
        (multi("x-b3-sampled", "true"), Some(true), "in a word"),
        (
            multi("x-b3-sampled", "TRUE"),
            Some(false),
            "in no word that it knows",
        ),
        (
            with(multi("x-b3-flags", "1"), UNTRACED),
            Some(false),
            "flags are not read",
        ),
        (
            with(multi("x-b3-flags", "1"), TRACED),
            Some(true),
            "flags are not read",
        ),
        (vec![("b3", format!("{T}-{S}-d"))], Some(true), "debug"),
        (
            with(vec![("b3", format!("{T}-{S}"))], UNTRACED),
            Some(false),
            "deferred",
        ),
        (
            with(vec![("b3", format!("{T}-{S}-{M}"))], UNTRACED),
            Some(true),
            "a parent in its place, on which the tracer is silent",
        ),
        (
            with(w3c(T, S, "01"), TRACED)
                .into_iter()
                .chain(ids())
                .collect(),
            Some(true),
            "W3C's is not read",
        ),
        (
            with(w3c(T, S, "01"), UNTRACED)
                .into_iter()
                .chain(ids())
                .collect(),
            Some(false),
            "W3C's is not read",
        ),
    ] {
        let mut proxy = Proxy::new("{}");
        proxy.send(&Written::new(), &b3(N, M, "0"));
        let left = proxy.send(&came_in, &Written::new());
        let flags = left
            .iter()
            .find(|(name, _)| name == "traceparent")
            .map(|(_, value)| value.ends_with("-01"));
        assert_eq!(flags, sampled, "{why}: {came_in:?}: {left:?}");
        if sampled.is_none() {
            assert!(trace_headers(&left).is_empty(), "{why}: {left:?}");
        }
    }
}

/// `pack_trace_reason: false`, or Istio's `useRequestIdForTraceSampling: false`: `x-request-id` says no, whatever is decided.
#[test]
fn an_id_that_said_another_decision_is_not_believed_again() {
    let deferred = || -> Written {
        with(
            vec![
                ("x-b3-traceid", T.to_owned()),
                ("x-b3-spanid", S.to_owned()),
            ],
            UNTRACED,
        )
    };
    // Found out from a request that begins there, or from the first of those that were decided wrongly.
    for (came_in, left) in [
        (with(Written::new(), UNTRACED), b3(N, M, "1")),
        (deferred(), b3(T, M, "1")),
    ] {
        let mut proxy = Proxy::new("{}");
        proxy.send(&Written::new(), &b3(N, M, "0"));
        assert!(!trace_headers(&proxy.send(&deferred(), &b3(T, M, "0"))).is_empty());
        proxy.send(&came_in, &left);
        let left = proxy.send(&deferred(), &b3(T, M, "1"));
        assert!(trace_headers(&left).is_empty(), "{came_in:?}: {left:?}");
        // What says its decision goes on.
        let left = proxy.send(&with(b3(T, S, "1"), UNTRACED), &b3(T, M, "1"));
        assert!(names(&left).contains(&"traceparent"), "{left:?}");
    }
}

/// Only what the tracer reads can it turn, and Zipkin's turns nothing.
#[test]
fn what_the_tracer_does_not_read_teaches_nothing_of_what_it_turns() {
    let ids = || -> Written {
        vec![
            ("x-b3-traceid", T.to_owned()),
            ("x-b3-spanid", S.to_owned()),
        ]
    };
    let single = ("b3", &*format!("{T}-{S}"));
    for came_in in [
        with(ids(), ("x-b3-flags", "1")),
        with(with(ids(), ("x-b3-flags", "1")), ("x-b3-sampled", "0")),
        with(ids(), ("x-b3-sampled", "TRUE")),
        with(with(ids(), ("x-b3-sampled", "1")), single),
        ids(),
    ] {
        let mut proxy = Proxy::new("{}");
        for _ in 0..3 {
            proxy.send(&with(came_in.clone(), UNTRACED), &b3(T, M, "0"));
        }
        let left = proxy.send(&with(b3(T, S, "1"), UNTRACED), &b3(T, M, "1"));
        let w3c = left.iter().find(|(name, _)| name == "traceparent");
        let w3c = &w3c.expect("traceparent").1;
        assert!(w3c.ends_with("-01"), "{came_in:?}: {left:?}");
    }
    // Before anything is known the filter's own decision is left, and no caller's.
    let mut proxy = Proxy::new(r#"{"sampling": {"sampler": "always_on"}}"#);
    proxy.send(&with(w3c(T, S, "00"), UNTRACED), &w3c(T, M, "00"));
    proxy.send(&with(w3c(T, S, "01"), UNTRACED), &w3c(T, M, "01"));
    let left = proxy.send(&with(w3c(T, S, "01"), UNTRACED), &w3c(T, M, "01"));
    let b3 = left.iter().find(|(name, _)| name == "x-b3-sampled");
    assert_eq!(b3.expect("x-b3-sampled").1, "1", "{left:?}");
}

/// What a peer sends, or a route sets, must not take the other formats from everybody.
#[test]
fn a_stranger_cannot_say_that_the_request_id_tells_nothing() {
    let deferred: Written = vec![
        ("x-b3-traceid", T.to_owned()),
        ("x-b3-spanid", S.to_owned()),
    ];
    let numbers = [
        "0x123456-1f0a-4c3e-9a00-000000000000",
        "order-42",
        "+1234567",
    ];
    for id in numbers {
        let mut proxy = Proxy::new("{}");
        proxy.at("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc");
        proxy.filter = configure(&mut proxy.host, "{}").expect("a good configuration");
        proxy.send(&Written::new(), &b3(N, M, "1"));
        proxy.send(&with(Written::new(), ("x-request-id", id)), &b3(N, M, "1"));
        let rewritten = [b3(N, M, "1"), vec![("x-request-id", id.to_owned())]].concat();
        proxy.send(&with(Written::new(), TRACED), &rewritten);
        let left = proxy.send(&with(deferred.clone(), TRACED), &b3(T, M, "1"));
        assert!(names(&left).contains(&"traceparent"), "{id}: {left:?}");
    }
}

/// The tracer goes on with what a rule ends; whether the filter's own span is exported is not for its sender to say.
#[test]
fn whom_the_filter_does_not_trust_decides_nothing_beside_a_tracer_either() {
    let config = r#"{"export": {"protocol": "zipkin", "cluster": "c"},
        "sampling": {"sampler": "traceidratio", "arg": 0.001},
        "trust": [{"match": {"proxy": "gateway"}, "action": "restart"}]}"#;
    let mut proxy = Proxy::gateway(config);
    proxy.send(&Written::new(), &w3c(N, M, "00"));
    proxy.exported();
    let theirs = "463ac35c9f6413ad48ffffffffffffff";
    let list = with(w3c(theirs, S, "00"), ("tracestate", "ot=rv:ffffffffffffff"));
    let mut exported = 0;
    for _ in 0..100 {
        proxy.send(&list, &w3c(theirs, M, "00"));
        exported += usize::from(!proxy.exported().is_empty());
    }
    assert!(exported < 20, "{exported} of 100 at a thousandth");
}

/// A tracer writes to what is sent on. Where there is no upstream, and Envoy traces none, only the filter can tell.
#[test]
fn a_request_that_went_nowhere_is_the_filters_to_report_where_envoy_traces_none() {
    for (came_in, details, is_reported) in [
        (UNTRACED, "no_healthy_upstream", true),
        (TRACED, "no_healthy_upstream", false),
        (UNTRACED, "via_upstream", false),
    ] {
        let mut proxy = Proxy::new(r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#);
        proxy.send(&Written::new(), &b3(N, M, "0"));
        proxy.exported();
        proxy.at("response.code_details", details.as_bytes());
        proxy.send(&with(Written::new(), came_in), &Written::new());
        let logged = proxy.logged();
        let json = proxy.exported();
        assert_eq!(
            !json.is_empty(),
            is_reported,
            "{came_in:?} {details}: {json}"
        );
        let trace_id = logged.split(' ').next().unwrap_or_default();
        assert_eq!(trace_id.len(), if is_reported { 32 } else { 0 }, "{logged}");
        assert!(json.contains(trace_id), "{logged}: {json}");
    }
}

/// An `ext_authz` of the mesh stands before every plugin.
#[test]
fn what_an_earlier_filter_denied_is_the_filters_to_report_where_envoy_traces_none() {
    for (id, is_reported) in [(UNTRACED, true), (TRACED, false)] {
        let mut proxy = Proxy::new(r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#);
        proxy.send(&Written::new(), &b3(N, M, "0"));
        proxy.exported();
        proxy.at("response.code_details", b"ext_authz_denied");
        let request = [
            (":method", &b"GET"[..]),
            (":path", b"/"),
            (id.0, id.1.as_bytes()),
        ];
        proxy.host.set_request(&request);
        proxy.host.filter_state.clear();
        proxy.filter.on_log(&mut proxy.host, Stream::default());
        let logged = proxy.logged();
        let json = proxy.exported();
        assert_eq!(!json.is_empty(), is_reported, "{id:?}: {logged}");
        let trace = logged.split(' ').next().unwrap_or_default();
        assert_eq!(
            !trace.is_empty() && json.contains(trace),
            is_reported,
            "{id:?}: {logged}"
        );
    }
}

/// Envoy's OpenTelemetry tracer does from 1.39 on: until one request has told, no other format says what it may turn.
#[test]
fn before_it_is_known_whether_the_tracer_turns_a_decision_no_format_joins_it() {
    for (left, says, why) in [("00", "0", "it turns"), ("01", "1", "it does not")] {
        let mut proxy = Proxy::new("{}");
        proxy.send(&Written::new(), &w3c(N, M, "00"));
        let came_in = with(w3c(T, S, "01"), UNTRACED);
        let first = proxy.send(&came_in, &w3c(T, M, left));
        assert!(trace_headers(&first).is_empty(), "{why}: {first:?}");
        let next = proxy.send(&came_in, &w3c(T, M, left));
        let sampled = next.iter().find(|(name, _)| name == "x-b3-sampled");
        assert_eq!(sampled.expect("x-b3-sampled").1, says, "{why}");
        assert_eq!(
            proxy.metric("native_override"),
            1,
            "{why}: the first of all"
        );
    }
    // Where Envoy decides alike there is nothing to turn.
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    let left = proxy.send(&with(w3c(T, S, "01"), TRACED), &w3c(T, M, "01"));
    assert!(names(&left).contains(&"x-b3-sampled"), "{left:?}");
}

/// What the filter rejects and the tracer may read, or the other way round: no format joins it.
#[test]
fn what_the_two_read_differently_does_not_leave() {
    let upper = T.to_uppercase();
    let two = [w3c(T, S, "01"), w3c(N, S, "01")].concat();
    for (tracer, came_in, is_the_tracers, why) in [
        (w3c(N, M, "01"), two, true, "the first"),
        (w3c(N, M, "01"), w3c(&upper, S, "01"), true, "upper case"),
        (
            w3c(N, M, "01"),
            vec![("traceparent", format!("ff-{T}-{S}-01"))],
            true,
            "a version that is none",
        ),
        (
            w3c(N, M, "01"),
            w3c(&"0".repeat(32), S, "01"),
            false,
            "zeros",
        ),
        (
            w3c(N, M, "01"),
            w3c(&"g".repeat(32), S, "01"),
            false,
            "no digits",
        ),
        (
            w3c(N, M, "01"),
            vec![("traceparent", format!("00-{T}-{S}-01 "))],
            false,
            "white space",
        ),
        (b3(N, M, "1"), b3(&upper, S, "1"), true, "upper case"),
        (b3(N, M, "1"), b3("abc", S, "1"), true, "a short one"),
        (b3(N, M, "1"), b3("", S, "1"), false, "an empty one"),
        (b3(N, M, "1"), b3(T, "xyz", "1"), false, "no digits"),
        (
            b3(N, M, "1"),
            b3(T, S, "maybe"),
            true,
            "a decision that is none",
        ),
        (
            b3(N, M, "1"),
            vec![("x-b3-sampled", "d".to_owned())],
            true,
            "a decision that is none, without ids",
        ),
        (
            b3(N, M, "1"),
            with(w3c(T, S, "01"), ("x-b3-sampled", "2")),
            true,
            "the same beside what it does not read",
        ),
        (
            b3(N, M, "1"),
            vec![
                ("x-b3-traceid", String::new()),
                ("x-b3-sampled", "d".to_owned()),
            ],
            true,
            "one id alone",
        ),
        (
            b3(N, M, "1"),
            with(b3(T, S, "1"), ("b3", "1")),
            true,
            "hidden by b3",
        ),
        (
            b3(N, M, "1"),
            with(b3(T, S, "1"), ("b3", "2")),
            false,
            "hidden by nonsense",
        ),
        (
            b3(N, M, "1"),
            with(b3(T, S, "1"), ("b3", "zz")),
            false,
            "hidden by nonsense",
        ),
    ] {
        let mut proxy = Proxy::new("{}");
        proxy.send(&Written::new(), &tracer);
        let left = proxy.send(&came_in, &Written::new());
        assert_eq!(left.is_empty(), is_the_tracers, "{why}: {left:?}");
    }
}

/// Envoy keeps the reason in an `x-request-id` that came in: who sends one must not silence the filter's spans.
#[test]
fn a_stranger_cannot_say_that_the_tracer_samples() {
    for (mtls, is_believed) in [(&[0_u8][..], false), (&[1][..], true)] {
        let mut proxy = Proxy::new("{}");
        proxy.at("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc");
        proxy.at("connection.mtls", mtls);
        proxy.filter = configure(
            &mut proxy.host,
            r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#,
        )
        .expect("a good configuration");
        proxy.send(&Written::new(), &b3(N, M, "0"));
        proxy.send(&with(Written::new(), TRACED), &b3(N, M, "1"));
        proxy.exported();
        proxy.send(&with(Written::new(), UNTRACED), &b3(N, M, "0"));
        assert_eq!(proxy.exported().is_empty(), is_believed, "{mtls:?}");
    }
}

/// One filter chain of Istio's takes all ports that no service has.
#[test]
fn a_peer_that_dials_many_ports_grows_nothing() {
    let known = |proxy: &Proxy| proxy.host.shared["throughline.tracers"].0.len();
    let mut proxy = Proxy::new("{}");
    proxy.at("xds.filter_chain_name", b"virtualInbound-catchall-http");
    for port in 0..600_i64 {
        proxy.at("destination.port", &port.to_le_bytes());
        proxy.send(&Written::new(), &w3c(N, M, "01"));
    }
    assert_eq!(known(&proxy), 16, "one listener");
    // Of those that do grow, the first stay.
    proxy.at("xds.filter_chain_name", b"");
    for port in 0..600_i64 {
        proxy.at("destination.port", &port.to_le_bytes());
        proxy.send(&Written::new(), &w3c(N, M, "01"));
    }
    assert_eq!(known(&proxy), 16 * 256);
    proxy.at("xds.filter_chain_name", b"virtualInbound-catchall-http");
    assert!(proxy.send(&Written::new(), &w3c(N, M, "01")).is_empty());
}

/// A route may rewrite the path, and a later filter any header, before the request is over.
#[test]
fn rules_and_spans_tell_of_the_request_that_came() {
    let config = r#"{"export": {"protocol": "zipkin", "cluster": "c"},
        "customTags": {"tenant": {"header": {"name": "x-tenant"}}},
        "sampling": {"sampler": "always_off", "rules": [{"match": {"paths": ["/orders"]}, "ratio": 1}]}}"#;
    let mut proxy = Proxy::new(config);
    let not_sampled = b3(N, M, "0");
    proxy.send(&Written::new(), &not_sampled);
    proxy.exported();
    let request = |path: &str, tenant: &str| -> Written {
        vec![(":path", path.to_owned()), ("x-tenant", tenant.to_owned())]
    };
    let rewritten = [not_sampled, request("/inner", "nobody")].concat();
    proxy.send(&request("/orders", "acme"), &rewritten);
    let json = proxy.exported();
    assert!(json.contains("/orders") && json.contains("acme"), "{json}");
    assert!(
        !json.contains("/inner") && !json.contains("nobody"),
        "{json}"
    );
    let rewritten = [rewritten, request("/orders", "acme")].concat();
    proxy.send(&request("/inner", "nobody"), &rewritten);
    assert_eq!(proxy.exported(), "", "no rule is for it");
}

#[test]
fn what_is_configured_is_believed() {
    let mut own = Proxy::new(r#"{"nativeTracer": "own"}"#);
    for _ in 0..2 {
        own.host.calls.clear();
        assert_eq!(own.send(&Written::new(), &w3c(N, M, "01")).len(), 4);
        assert_eq!(own.host.calls["request_headers"], 1, "it never looks");
    }
    assert_eq!(own.metric("native_override"), 0);

    let mut mirror = Proxy::new(r#"{"nativeTracer": "mirror"}"#);
    assert!(mirror.send(&Written::new(), &Written::new()).is_empty());
    let left = mirror.send(&b3(T, S, "1"), &Written::new());
    assert!(names(&left).contains(&"traceparent"), "{left:?}");
    assert!(mirror.host.log.is_empty(), "nothing is found out");
}

/// The tracer goes on with a stranger's trace whatever the filter decides: no other format joins it.
#[test]
fn whom_the_filter_does_not_trust_the_tracer_goes_on_with() {
    for action in ["restart", "strip"] {
        let config = format!(
            r#"{{"nativeTracer": "mirror", "trust": [{{"match": {{"proxy": "gateway"}}, "action": "{action}"}}]}}"#
        );
        let mut host = FakeHost::default();
        host.properties
            .insert("xds.node.id".into(), b"router~10.0.0.1~a.b~b.svc".to_vec());
        let filter = configure(&mut host, &config).expect("a good configuration");
        let mut proxy = Proxy { host, filter };
        let left = proxy.send(&w3c(T, S, "01"), &w3c(T, M, "01"));
        assert!(left.is_empty(), "{action}: {left:?}");
        assert_eq!(proxy.logged(), format!("{T} {M} true"), "{action}");
    }
}

#[test]
fn a_stranger_cannot_set_the_tag_of_a_rule_beside_a_tracer() {
    let config = r#"{"nativeTracer": "mirror", "trust": [{"match": {"proxy": "gateway"}, "action": "restart"}],
        "sampling": {"rules": [{"match": {"paths": ["/checkout"]}, "ratio": 1, "tags": {"journey": "checkout"}}]},
        "tags": {"to": ["header:x-tag-{tag}"]}}"#;
    for mode in ["mirror", "own"] {
        let mut proxy = Proxy::gateway(&config.replace("mirror", mode));
        let left = proxy.send(
            &vec![("x-tag-journey", "forged".to_owned())],
            &Written::new(),
        );
        assert!(!names(&left).contains(&"x-tag-journey"), "{mode}: {left:?}");
    }
}

/// It trusts what came in as `continue` does.
#[test]
fn what_is_stripped_beside_a_tracer_is_sampled_as_it_came() {
    const STRIP: &str = r#", "trust": [{"match": {"hosts": ["*"]}, "action": "strip"}]"#;
    for (came, left) in [("0", "0"), ("1", "1"), ("1", "0")] {
        let [continued, stripped] = ["", STRIP].map(|trust| {
            let export = r#""export": {"protocol": "zipkin", "cluster": "c"}"#;
            let mut proxy = Proxy::gateway(&format!("{{{export}{trust}}}"));
            proxy.send(&Written::new(), &b3(N, M, "0"));
            proxy.exported();
            for _ in 0..3 {
                proxy.send(&b3(T, S, came), &b3(T, M, left));
            }
            let json = proxy.exported();
            (
                json.matches(T).count(),
                json.matches(&format!(r#""parentId":"{S}""#)).count(),
            )
        });
        assert_eq!(continued, stripped, "{came} {left}");
        let is_turned = (came, left) == ("1", "0");
        assert_eq!(continued.1 > 0, is_turned, "{came} {left}: who reports");
    }
}

/// Also one that says no, and whose span nobody sees.
#[test]
fn the_tags_of_a_rule_reach_the_access_log_beside_a_tracer_too() {
    for (ratio, left, is_asked) in [(0, "0", true), (1, "0", true), (1, "1", false)] {
        let mut proxy = Proxy::gateway(&format!(
            r#"{{"sampling": {{"rules": [{{"match": {{"methods": ["GET"]}}, "ratio": {ratio}, "tags": {{"a": "b"}}}}]}},
                "customTags": {{"p": {{"attribute": {{"path": "request.path"}}}}}},
                "tags": {{"to": ["accessLog"]}}, "export": {{"protocol": "zipkin", "cluster": "c"}}}}"#
        ));
        proxy.send(&Written::new(), &b3(N, M, left));
        proxy.at("request.path", b"/came");
        proxy.send(&Written::new(), &b3(N, M, left));
        let tag = |name: &str| {
            let state = &proxy.host.filter_state;
            state
                .get(&format!("throughline.tag.{name}"))
                .map(Vec::as_slice)
        };
        let given = is_asked.then_some(&b"b"[..]);
        assert_eq!(tag("a"), given, "{ratio} {left}");
        assert_eq!(tag("p"), Some(&b"/came"[..]), "{ratio} {left}");
    }
}

/// Envoy's Zipkin tracer takes the yes of either, where it goes on with W3C.
#[test]
fn a_yes_of_b3_counts_beside_a_no_of_w3c_where_the_tracer_reads_both() {
    let both = |trace: &str, span: &str| [w3c(trace, span, "01"), b3(trace, span, "1")].concat();
    let raised = with(w3c(T, S, "00"), ("x-b3-sampled", "1"));
    let mut proxy =
        Proxy::gateway(r#"{"propagation": {"inject": ["tracecontext", "b3multi", "jaeger"]}}"#);
    proxy.send(&Written::new(), &both(N, M));
    proxy.send(&both(T, S), &both(T, M));
    let left = proxy.send(&raised, &both(T, M));
    let jaeger = left.iter().find(|(name, _)| name == "uber-trace-id");
    assert!(
        jaeger.is_some_and(|(_, value)| value.ends_with(":1")),
        "{left:?}"
    );
    assert_eq!(proxy.metric("native_override"), 1, "the first alone");
}

/// Another worker that sees it sample is believed by one that saw none for long.
#[test]
fn a_tracer_that_samples_again_is_believed_by_all_workers() {
    const EXPORT: &str = r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#;
    let mut proxy = Proxy::new(EXPORT);
    let other = configure(&mut proxy.host, EXPORT).expect("a good configuration");
    proxy.send(&Written::new(), &b3(T, M, "1"));
    proxy.send(&Written::new(), &b3(N, M, "1"));
    for _ in 0..10_000 {
        proxy.send(&Written::new(), &b3(N, M, "0"));
    }
    proxy.exported();
    let mut filter = core::mem::replace(&mut proxy.filter, other);
    proxy.send(&Written::new(), &b3(N, M, "1"));
    core::mem::swap(&mut filter, &mut proxy.filter);
    for _ in 0..2 {
        proxy.send(&Written::new(), &b3(N, M, "0"));
        assert_eq!(proxy.exported(), "");
    }
}

#[test]
fn one_of_the_two_reports() {
    const EXPORT: &str = r#""export": {"protocol": "zipkin", "cluster": "c"}"#;
    let spans = |config: &str, came_in: &Written, tracer: &Written| {
        let mut proxy = Proxy::new(&format!("{{{EXPORT}{config}}}"));
        // Before anything is known, and then.
        [(); 2].map(|()| {
            proxy.send(came_in, tracer);
            (proxy.exported(), proxy.logged())
        })
    };
    let id = |key: &str, value: &str| format!(r#""{key}":"{value}""#);
    for (json, _) in spans("", &w3c(T, S, "01"), &w3c(T, M, "01")) {
        assert_eq!(json, "", "the tracer reports");
    }
    for (json, logged) in spans(
        r#", "spans": {"whenMirroring": "export"}"#,
        &w3c(T, S, "01"),
        &w3c(T, M, "01"),
    ) {
        let parent = id("parentId", M);
        assert!(
            json.contains(&parent) && json.contains(&id("traceId", T)),
            "{json}"
        );
        assert!(!json.contains(&id("id", M)), "a span id for each: {json}");
        assert!(logged.starts_with(T) && !logged.contains(M), "{logged}");
    }
    // Turned by the tracer, which does not report it: the filter's span takes its place.
    for (json, logged) in spans("", &w3c(T, S, "01"), &w3c(T, M, "00")) {
        assert!(
            json.contains(&id("id", M)) && json.contains(&id("parentId", S)),
            "{json}"
        );
        assert_eq!(logged, format!("{T} {M} false"));
    }
    // Started by the tracer, which samples none.
    for (json, _) in spans("", &Written::new(), &b3(N, M, "0")) {
        assert!(
            json.contains(&id("traceId", N)) && json.contains(&id("id", M)),
            "{json}"
        );
        assert!(!json.contains("parentId"), "{json}");
    }
    // The caller said no.
    for (json, _) in spans("", &w3c(T, S, "00"), &w3c(T, M, "00")) {
        assert_eq!(json, "");
    }
    // A sampler that does not ask the caller.
    for (json, _) in spans(
        r#", "sampling": {"sampler": "always_on"}"#,
        &w3c(T, S, "00"),
        &w3c(T, M, "00"),
    )
    .into_iter()
    .skip(1)
    {
        assert!(
            json.contains(&id("id", M)) && json.contains(&id("parentId", S)),
            "{json}"
        );
    }
}
