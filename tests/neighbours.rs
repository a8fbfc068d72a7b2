//! Two instances on one listener: each request is for the first of them, in whatever order they were configured.

mod support;

use serde_json::Value;
use support::{FakeHost, configure};
use throughline::filter::{Filter, Stream};

const NAMES: [&str; 2] = ["istio-system.throughline", "bookinfo.throughline"];
const STOOD_ASIDE: &str = "throughline.stood_aside";
const STARTED: &str = "throughline.requests{origin=started}";

fn plugin(host: &mut FakeHost, name: &str) -> Filter {
    host.properties
        .insert("plugin_name".to_owned(), name.as_bytes().to_vec());
    configure(host, "{}").expect("a good configuration")
}

/// A request that passes both, and is over.
fn pass(host: &mut FakeHost, chain: [&Filter; 2]) {
    host.set_request(&[(":method", b"GET"), (":path", b"/")]);
    host.filter_state.clear();
    let streams = chain.map(|filter| {
        let mut stream = Stream::default();
        filter.on_request(host, &mut stream);
        stream
    });
    for (filter, stream) in chain.into_iter().zip(streams) {
        filter.on_log(host, stream);
    }
}

fn count(host: &FakeHost, name: &str) -> u64 {
    host.metrics().get(name).copied().unwrap_or_default()
}

#[test]
fn the_first_in_the_chain_takes_the_request() {
    for reversed in [false, true] {
        let mut host = FakeHost::default();
        let older = plugin(&mut host, NAMES[0]);
        let newer = plugin(&mut host, NAMES[1]);
        let chain = match reversed {
            false => [&older, &newer],
            true => [&newer, &older],
        };
        // The older one has to learn of the newer; then nothing is counted twice.
        for _ in 0..64 {
            pass(&mut host, chain);
        }
        let (started, aside) = (count(&host, STARTED), count(&host, STOOD_ASIDE));
        for _ in 0..100 {
            pass(&mut host, chain);
        }
        assert_eq!(count(&host, STARTED) - started, 100, "{reversed}");
        assert_eq!(count(&host, STOOD_ASIDE) - aside, 100, "{reversed}");
        if !reversed {
            assert_eq!((started, aside), (64, 64), "the newer one knew at once");
        }
    }
}

/// Until the older one knows, both act, and the one that exports writes a span of its own over the other's context. That is no
/// tracer of Envoy's, for which they would stand back.
#[test]
fn another_plugin_is_no_tracer() {
    const EXPORT: &str = r#"{"export": {"protocol": "zipkin", "cluster": "c"}}"#;
    for (configs, is_reversed) in [
        ([EXPORT, "{}"], true),
        (["{}", EXPORT], true),
        ([EXPORT, "{}"], false),
        ([EXPORT, EXPORT], true),
    ] {
        let mut host = FakeHost::default();
        host.properties
            .insert("response.code_details".into(), b"via_upstream".to_vec());
        let inbound = 1_i64.to_le_bytes().to_vec();
        host.properties
            .insert("xds.listener_direction".into(), inbound);
        let [older, newer] = [0, 1].map(|place| {
            host.properties
                .insert("plugin_name".to_owned(), NAMES[place].as_bytes().to_vec());
            configure(&mut host, configs[place]).expect("a good configuration")
        });
        let chain = if is_reversed {
            [&newer, &older]
        } else {
            [&older, &newer]
        };
        for request in 0..200 {
            pass(&mut host, chain);
            let is_there = host.headers.iter().any(|(name, _)| name == "traceparent");
            assert!(is_there, "{configs:?}, {is_reversed}: request {request}");
        }
        let overrides = count(&host, "throughline.native_override");
        assert_eq!(overrides, 0, "{configs:?}");
        // Where both report, the parent of the one's span is the other's.
        host.now += 10_000_000_000;
        for filter in chain {
            filter.on_tick(&mut host, support::ROOT);
        }
        let bodies = host.sent.iter().map(|sent| sent.body.as_slice());
        let spans: Vec<Value> = bodies
            .flat_map(|body| serde_json::from_slice::<Vec<Value>>(body).expect("JSON"))
            .collect();
        for span in &spans {
            let parent = &span["parentId"];
            let is_there = spans.iter().any(|other| other["id"] == *parent);
            assert!(
                configs != [EXPORT; 2] || parent.is_null() || is_there,
                "{span}"
            );
        }
        assert!(!spans.is_empty(), "{configs:?}");
        assert!(
            !host.shared.contains_key("throughline.tracers"),
            "{configs:?}"
        );
    }
}

#[test]
fn what_an_earlier_filter_answered_is_for_one_of_them_too() {
    let mut host = FakeHost::default();
    let chain = NAMES.map(|name| plugin(&mut host, name));
    host.set_request(&[(":method", b"GET"), (":path", b"/")]);
    for filter in &chain {
        filter.on_log(&mut host, Stream::default());
    }
    assert_eq!((count(&host, STARTED), count(&host, STOOD_ASIDE)), (1, 1));
}

/// The second sees no header of a trace any more, and must not take the call for one without a context.
#[test]
fn what_the_first_has_stripped_the_second_does_not_begin() {
    const STRIP: &str = r#"{"trust": [{"match": {"hosts": ["*"]}, "action": "strip"}]}"#;
    let mut host = FakeHost::default();
    let chain = [STRIP, "{}"].map(|config| {
        let name = NAMES[usize::from(config != STRIP)];
        host.properties
            .insert("plugin_name".to_owned(), name.as_bytes().to_vec());
        configure(&mut host, config).expect("a good configuration")
    });
    for (header, without_randomness) in [("b3", false), ("x-b3-sampled", true)] {
        host.without_randomness = without_randomness;
        host.set_request(&[(":method", b"GET"), (header, b"0")]);
        host.filter_state.clear();
        chain[0].on_request(&mut host, &mut Stream::default());
        host.without_randomness = false;
        chain[1].on_request(&mut host, &mut Stream::default());
        assert_eq!(host.headers, [(":method".to_owned(), b"GET".to_vec())]);
    }
    assert_eq!((count(&host, STARTED), count(&host, STOOD_ASIDE)), (0, 2));
}

/// A configuration that is delivered again is no other plugin.
#[test]
fn one_plugin_asks_for_nothing() {
    let mut host = FakeHost::default();
    let filter = [(); 3]
        .map(|()| plugin(&mut host, NAMES[0]))
        .into_iter()
        .last();
    let filter = filter.expect("three of them");
    host.calls.clear();
    for _ in 0..1000 {
        pass_alone(&mut host, &filter);
    }
    let calls = |name: &str| host.calls.get(name).copied().unwrap_or_default();
    // Each request asks whether Envoy has a tracer of its own.
    assert_eq!((calls("property"), calls("shared")), (0, 1000 + 1000 / 64));
}

fn pass_alone(host: &mut FakeHost, filter: &Filter) {
    host.set_request(&[(":method", b"GET"), (":path", b"/")]);
    host.filter_state.clear();
    let mut stream = Stream::default();
    filter.on_request(host, &mut stream);
    filter.on_log(host, stream);
}
