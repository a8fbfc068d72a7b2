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

    /// One request: what came in, and what a tracer then wrote. Returns what left the filter.
    fn send(&mut self, came_in: &Written, tracer_writes: &Written) -> Vec<(String, String)> {
        let request: Vec<(&str, &[u8])> = [(":method", &b"GET"[..]), (":path", b"/")]
            .into_iter()
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
    proxy.send(&Written::new(), &w3c(N, M, "01"));
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
fn each_direction_has_a_tracer_of_its_own() {
    let mut proxy = Proxy::new("{}");
    proxy.send(&Written::new(), &w3c(N, M, "01"));
    let mut towards = |direction: [u8; 8]| {
        proxy
            .host
            .properties
            .insert("xds.listener_direction".into(), direction.to_vec());
        proxy.send(&Written::new(), &Written::new()).len()
    };
    assert_eq!(towards(OUTBOUND), 4);
    assert_eq!(towards(INBOUND), 0);
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
