//! `propagation_gap`: calls without a context while the application serves a request. Both listeners of a sidecar on one host.

mod support;

use support::{FakeHost, configure};
use throughline::filter::{Filter, Stream};

const CONTEXT: (&str, &[u8]) = (
    "traceparent",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
);

struct Sidecar {
    host: FakeHost,
    filter: Filter,
}

impl Sidecar {
    fn start(node: &str) -> Self {
        let mut host = FakeHost::default();
        host.properties
            .insert("xds.node.id".to_owned(), node.as_bytes().to_vec());
        let filter = configure(&mut host, "{}").expect("a good configuration");
        Self { host, filter }
    }

    fn begin(&mut self, direction: i64, request: &[(&str, &[u8])]) -> Stream {
        let direction = direction.to_le_bytes().to_vec();
        self.host
            .properties
            .insert("xds.listener_direction".to_owned(), direction);
        self.host.filter_state.clear();
        self.host.set_request(request);
        let mut stream = Stream::default();
        self.filter.on_request(&mut self.host, &mut stream);
        stream
    }

    fn inbound(&mut self) -> Stream {
        self.begin(1, &[CONTEXT])
    }

    fn outbound(&mut self, request: &[(&str, &[u8])]) {
        let stream = self.begin(2, request);
        self.end(stream);
    }

    fn end(&mut self, stream: Stream) {
        self.filter.on_log(&mut self.host, stream);
    }

    fn gap(&self) -> u64 {
        self.host.metrics()["throughline.propagation_gap"]
    }

    fn serving(&self) -> u64 {
        self.host.metrics()["throughline.serving_workers"]
    }
}

const SIDECAR: &str = "sidecar~10.0.0.1~a.b~b.svc";

#[test]
fn a_call_without_a_context_counts_while_a_request_is_served() {
    let mut sidecar = Sidecar::start(SIDECAR);
    sidecar.outbound(&[]);
    assert_eq!(sidecar.gap(), 0, "nobody is served: the work is its own");
    let (first, second) = (sidecar.inbound(), sidecar.inbound());
    assert_eq!(sidecar.serving(), 1, "one worker, however many requests");
    sidecar.outbound(&[]);
    assert_eq!(sidecar.gap(), 1);
    for (request, why) in [
        (CONTEXT, "it forwards"),
        (
            ("b3", b"0".as_slice()),
            "it forwards what exporters send, and is left alone",
        ),
        (
            ("b3", b"nonsense"),
            "it forwards, badly: rejected_headers says so",
        ),
        (
            ("x-b3-sampled", b"1"),
            "it forwards what it got, a decision",
        ),
        (
            (
                "x-amzn-trace-id",
                b"Root=1-67891233-abcdef012345678912345678",
            ),
            "it forwards what nobody reads here",
        ),
    ] {
        sidecar.outbound(&[request]);
        assert_eq!(sidecar.gap(), 1, "{why}");
    }
    sidecar.end(first);
    sidecar.outbound(&[]);
    assert_eq!(sidecar.gap(), 2, "one of two is still served");
    sidecar.end(second);
    assert_eq!(sidecar.serving(), 0);
    sidecar.outbound(&[]);
    assert_eq!(sidecar.gap(), 2, "served and over");
}

/// What another worker serves is in the gauge that all share.
#[test]
fn what_another_worker_serves_counts() {
    let mut sidecar = Sidecar::start(SIDECAR);
    sidecar.host.change_metric("throughline.serving_workers", 1);
    sidecar.outbound(&[]);
    assert_eq!(sidecar.gap(), 1);
}

#[test]
fn only_sidecars_have_an_application_behind_them() {
    for node in [
        "router~10.0.0.1~a.b~b.svc",
        "waypoint~10.0.0.1~a.b~b.svc",
        "envoy",
    ] {
        let mut proxy = Sidecar::start(node);
        let stream = proxy.inbound();
        proxy.outbound(&[]);
        proxy.end(stream);
        assert_eq!((proxy.gap(), proxy.serving()), (0, 0), "{node}");
    }
}
