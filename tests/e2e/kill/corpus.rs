//! Hostile configurations: every attribute path with every type, and what is hardly a configuration.

use super::exporters;
use serde_json::{Value, json};
use throughline_dev::mesh::{Node, Plugin};

/// A configuration, and what must become of it.
pub struct Hostile {
    pub name: String,
    config: Config,
    /// What the one error line must name; `None` where the filter takes the configuration.
    pub refused: Option<String>,
}

enum Config {
    Text(String),
    Message(Value),
}

impl Hostile {
    pub fn plugin(&self, plugin: Plugin) -> Plugin {
        match &self.config {
            Config::Text(text) => plugin.configured(text),
            Config::Message(message) => plugin.configured_by(message),
        }
    }

    /// The configuration for a message, cut.
    pub fn shown(&self) -> String {
        match &self.config {
            Config::Text(text) => text.chars().take(200).collect(),
            Config::Message(message) => message.to_string().chars().take(200).collect(),
        }
    }
}

pub fn taken(name: impl Into<String>, config: &Value) -> Hostile {
    text(name, config.to_string(), None)
}

pub fn refused(name: impl Into<String>, config: &Value, path: &str) -> Hostile {
    text(name, config.to_string(), Some(path))
}

/// A text above the limit is refused for that, whatever it says.
fn text(name: impl Into<String>, text: impl Into<String>, refused: Option<&str>) -> Hostile {
    const MAX_BYTES: usize = 64 * 1024;
    let text = text.into();
    let refused = if text.len() > MAX_BYTES {
        Some("the configuration has")
    } else {
        refused
    };
    Hostile {
        name: name.into(),
        config: Config::Text(text),
        refused: refused.map(str::to_owned),
    }
}

/// Who is asked for node metadata of every kind.
pub fn node() -> Node {
    Node::sidecar("productpage", "productpage-v1", "bookinfo")
        .label("dotted.example/name", "of two")
        .label("", "of nothing")
        .metadata("NUMBER", json!(1e300))
        .metadata("BOOL", json!(true))
        .metadata("NULL", Value::Null)
        .metadata("LIST", json!([1, "two", {"three": []}]))
        .metadata("NESTED", json!({"a": {"b": {"c": {"d": "deep"}}}, "": ""}))
        .metadata("EMPTY", json!(""))
        .metadata("LINES", json!("two\nlines\u{0}"))
        .metadata("LONG", json!("é".repeat(50_000)))
        .metadata("ünïcödé", json!("☃"))
}

pub fn all() -> Vec<Hostile> {
    [
        known_attributes(),
        open_attributes(),
        refused_attributes(),
        nodes(),
        tags(),
        sinks(),
        sections(),
        trust(),
        tracers(),
        exporters::all(),
        documents(),
        messages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is said of Envoy's own tracers, good and bad. Where there is none, `mirror` starts no trace: no request here could tell
/// whether the filter lives.
fn tracers() -> Vec<Hostile> {
    let tracer = |value: Value| json!({"nativeTracer": value});
    let spans = |value: Value| json!({"spans": {"whenMirroring": value}});
    let mut all = vec![
        taken("a tracer that is looked for", &tracer(json!("auto"))),
        taken("no tracer", &tracer(json!("own"))),
        taken("spans beside a tracer", &spans(json!("export"))),
    ];
    for value in [
        json!("Mirror"),
        json!(""),
        json!(true),
        json!(-1),
        json!([]),
        json!({"mirror": null}),
        json!("x".repeat(5_000)),
    ] {
        let name = |what: &str| {
            format!(
                "{what} {}",
                value.to_string().chars().take(20).collect::<String>()
            )
        };
        all.push(refused(
            name("the tracer"),
            &tracer(value.clone()),
            "nativeTracer",
        ));
        all.push(refused(
            name("mirrored spans"),
            &spans(value.clone()),
            "spans.whenMirroring",
        ));
    }
    all
}

/// Rules about peers and destinations, good and bad.
fn trust() -> Vec<Hostile> {
    // What continues changes nothing of what a configuration that is taken does.
    let rule = |matching: Value| json!({"trust": [{"match": matching, "action": "continue"}]});
    let many = |count: usize, value: Value| Value::Array(vec![value; count]);
    let mut all: Vec<Hostile> = [
        json!({"peer": "unauthenticated"}),
        json!({"principals": ["*"]}),
        json!({"principals": ["spiffe://*/sa/*", "", "é"]}),
        json!({"sourceCidrs": ["0.0.0.0/0", "::/0", "127.0.0.1", "::1", "::ffff:0.0.0.0/96"]}),
        json!({"hosts": many(64, json!("*".repeat(256)))}),
        json!({"hosts": ["é", "[*"], "external": false}),
        json!({"external": true}),
        json!({"labels": {"": "of nothing", "dotted.example/name": "of two"}, "namespaces": ["bookinfo"]}),
        json!({"labels": {"ünïcödé": "☃"}}),
        json!({"proxy": "sidecar-inbound", "peer": "unauthenticated", "hosts": ["*"], "external": false}),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, matching)| taken(format!("trust {number}"), &rule(matching)))
    .collect();
    let rules = many(32, json!({"match": {"external": true}, "action": "strip"}));
    all.push(taken("32 rules", &json!({"trust": rules})));
    for (matching, path) in [
        (json!({}), "trust[0].match"),
        (json!([]), "trust[0].match"),
        (json!({"proxy": "envoy"}), "trust[0].match.proxy"),
        (json!({"proxy": ["gateway"]}), "trust[0].match.proxy"),
        (
            json!({"proxy": "sidecar-outbound", "sourceCidrs": ["10.0.0.0/8"]}),
            "trust[0].match.sourceCidrs",
        ),
        (json!({"peer": "Unauthenticated"}), "trust[0].match.peer"),
        (json!({"peer": true}), "trust[0].match.peer"),
        (
            json!({"peer": "unauthenticated", "principals": ["a"]}),
            "trust[0].match.principals",
        ),
        (json!({"principals": "a"}), "trust[0].match.principals"),
        (json!({"principals": [1]}), "trust[0].match.principals[0]"),
        (
            json!({"principals": ["a\nb"]}),
            "trust[0].match.principals[0]",
        ),
        (
            json!({"principals": many(65, json!("a"))}),
            "trust[0].match.principals",
        ),
        (json!({"sourceCidrs": []}), "trust[0].match.sourceCidrs"),
        (
            json!({"sourceCidrs": ["10.0.0.0/33"]}),
            "trust[0].match.sourceCidrs[0]",
        ),
        (
            json!({"sourceCidrs": ["::/999999999999999999999"]}),
            "trust[0].match.sourceCidrs[0]",
        ),
        (
            json!({"sourceCidrs": ["10.0.0.1/8"]}),
            "trust[0].match.sourceCidrs[0]",
        ),
        (
            json!({"sourceCidrs": [10]}),
            "trust[0].match.sourceCidrs[0]",
        ),
        (
            json!({"hosts": ["a".repeat(257)]}),
            "trust[0].match.hosts[0]",
        ),
        (json!({"hosts": {}}), "trust[0].match.hosts"),
        (json!({"hosts": [""]}), "trust[0].match.hosts[0]"),
        (json!({"hosts": ["://@]:."]}), "trust[0].match.hosts[0]"),
        (json!({"external": "true"}), "trust[0].match.external"),
        (json!({"labels": []}), "trust[0].match.labels"),
        (
            json!({"labels": {"a": {"b": "c"}}}),
            "trust[0].match.labels.a",
        ),
        (
            json!({"namespaces": [null]}),
            "trust[0].match.namespaces[0]",
        ),
        (json!({"host": ["a"]}), "trust[0].match.host"),
    ] {
        all.push(refused(
            format!("trust where {matching}"),
            &rule(matching.clone()),
            path,
        ));
    }
    for (rules, path) in [
        (json!({}), "trust"),
        (json!("restart"), "trust"),
        (json!([[]]), "trust[0]"),
        (json!([{"match": {"external": true}}]), "trust[0].action"),
        (json!([{"action": "strip"}]), "trust[0].match"),
        (
            json!([{"match": {"external": true}, "action": "Strip"}]),
            "trust[0].action",
        ),
        (
            json!([{"match": {"external": true}, "action": ["strip"]}]),
            "trust[0].action",
        ),
        (
            many(33, json!({"match": {"external": true}, "action": "strip"})),
            "trust",
        ),
    ] {
        all.push(refused(
            format!("trust is {rules}"),
            &json!({"trust": rules}),
            path,
        ));
    }
    all
}

const TYPES: [&str; 7] = [
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "timestamp",
    "duration",
];

const TO_ALL: [&str; 4] = ["accessLog", "nativeSpan", "header:x-tl-{tag}", "baggage"];

fn attributes(paths: impl IntoIterator<Item = (String, Option<&'static str>)>) -> Value {
    let tags: serde_json::Map<_, _> = paths
        .into_iter()
        .enumerate()
        .map(|(number, (path, kind))| {
            let attribute = match kind {
                Some(kind) => json!({"path": path, "type": kind}),
                None => json!({"path": path}),
            };
            (format!("t{number}"), json!({"attribute": attribute}))
        })
        .collect();
    json!({"customTags": tags, "tags": {"to": TO_ALL}})
}

/// Envoy's attributes of a request (Envoy, "Attributes"), with the types that it gives them.
const KNOWN: [(&str, &str); 40] = [
    ("request.path", "string"),
    ("request.url_path", "string"),
    ("request.host", "string"),
    ("request.scheme", "string"),
    ("request.method", "string"),
    ("request.referer", "string"),
    ("request.useragent", "string"),
    ("request.time", "timestamp"),
    ("request.id", "string"),
    ("request.protocol", "string"),
    ("request.query", "string"),
    ("request.size", "int"),
    ("source.address", "string"),
    ("source.port", "int"),
    ("destination.address", "string"),
    ("destination.port", "int"),
    ("connection.id", "uint"),
    ("connection.mtls", "bool"),
    ("connection.requested_server_name", "string"),
    ("connection.tls_version", "string"),
    ("connection.subject_local_certificate", "string"),
    ("connection.subject_peer_certificate", "string"),
    ("connection.dns_san_local_certificate", "string"),
    ("connection.dns_san_peer_certificate", "string"),
    ("connection.uri_san_local_certificate", "string"),
    ("connection.uri_san_peer_certificate", "string"),
    ("connection.sha256_peer_certificate_digest", "string"),
    ("xds.cluster_name", "string"),
    ("xds.route_name", "string"),
    ("xds.virtual_host_name", "string"),
    ("xds.filter_chain_name", "string"),
    ("xds.listener_direction", "int"),
    ("xds.node.id", "string"),
    ("xds.node.cluster", "string"),
    ("xds.node.locality.region", "string"),
    ("xds.node.locality.zone", "string"),
    ("xds.node.locality.sub_zone", "string"),
    ("plugin_name", "string"),
    ("plugin_root_id", "string"),
    ("plugin_vm_id", "string"),
];

/// Of their own type they are taken, of any other refused.
fn known_attributes() -> Vec<Hostile> {
    let mut all = Vec::new();
    for (number, some) in KNOWN.chunks(20).enumerate() {
        let paths = |kind: fn(&'static str) -> Option<&'static str>| {
            attributes(
                some.iter()
                    .map(|(path, natural)| ((*path).to_owned(), kind(natural))),
            )
        };
        all.push(taken(
            format!("known attributes {number}"),
            &paths(|_| None),
        ));
        all.push(taken(
            format!("known attributes {number} of their types"),
            &paths(Some),
        ));
    }
    for (number, (path, natural)) in KNOWN.iter().enumerate() {
        // Another wrong type for each.
        let wrong = TYPES
            .iter()
            .cycle()
            .skip(number)
            .find(|kind| *kind != natural);
        let config = attributes([((*path).to_owned(), wrong.copied())]);
        all.push(refused(
            format!("{path} as {wrong:?}"),
            &config,
            "customTags.t0.attribute.type",
        ));
    }
    all
}

/// Paths whose last elements are anybody's: taken, as any type, whatever the host answers.
fn open_attributes() -> Vec<Hostile> {
    let long = "x".repeat(20_000);
    let deep = vec!["a"; 300].join(".");
    let paths = [
        "request.headers.x-tenant",
        "request.headers.:path",
        "request.headers.traceparent",
        "request.headers.X-UPPER",
        "request.headers. ",
        "request.headers.\u{1}\n\r\t\u{7f}",
        "request.headers.☃.é.\u{10ffff}",
        r"request.headers.a\.b\\.c\",
        "request.headers.a.b.c",
        "xds.node.metadata.NAME",
        "xds.node.metadata.LABELS",
        "xds.node.metadata.LABELS.app",
        r"xds.node.metadata.LABELS.dotted\.example/name",
        "xds.node.metadata.NUMBER",
        "xds.node.metadata.BOOL",
        "xds.node.metadata.NULL",
        "xds.node.metadata.LIST",
        "xds.node.metadata.LIST.0",
        "xds.node.metadata.NESTED",
        "xds.node.metadata.NESTED.a.b.c.d",
        "xds.node.metadata.EMPTY",
        "xds.node.metadata.LINES",
        "xds.node.metadata.LONG",
        "xds.node.metadata.ünïcödé",
        "xds.node.metadata.nothing.here",
        "xds.cluster_metadata.filter_metadata.istio",
        "xds.route_metadata.filter_metadata.istio.x",
        "xds.listener_metadata.filter_metadata.istio",
        "xds.virtual_host_metadata.filter_metadata.x",
        "metadata.filter_metadata.envoy\\.filters\\.http\\.rbac",
        "metadata.filter_metadata.x.y.z",
        "filter_state.downstream_peer",
        "filter_state.downstream_peer.workload",
        r"filter_state.wasm\.throughline\.trace_id",
        r"filter_state.envoy\.network\.upstream_server_name",
        "filter_state.nothing",
        "upstream_filter_state.upstream_peer.name",
    ];
    let mut all: Vec<_> = paths
        .into_iter()
        .map(String::from)
        .chain([
            format!("request.headers.{long}"),
            format!("filter_state.{deep}"),
            format!("xds.node.metadata.{deep}"),
        ])
        .map(|path| {
            let kinds = TYPES.into_iter().map(Some).chain([None]);
            let config = attributes(kinds.map(|kind| (path.clone(), kind)));
            let name: String = path.chars().take(60).collect();
            taken(format!("{} as every type", name.escape_debug()), &config)
        })
        .collect();
    let defaults: serde_json::Map<_, _> = TYPES
        .iter()
        .map(|kind| {
            let attribute =
                json!({"path": "filter_state.nothing", "type": kind, "default_value": "☃ é"});
            ((*kind).to_owned(), json!({"attribute": attribute}))
        })
        .collect();
    all.push(taken(
        "defaults",
        &json!({"custom_tags": defaults, "tags": {"to": TO_ALL}}),
    ));
    all
}

/// Parents, which are many values; what comes too late; and strangers.
fn refused_attributes() -> Vec<Hostile> {
    let paths = [
        "request",
        "request.headers",
        "source",
        "destination",
        "connection",
        "xds",
        "xds.node",
        "xds.node.locality",
        "xds.node.metadata",
        "xds.cluster_metadata",
        "xds.cluster_metadata.filter_metadata",
        "xds.route_metadata",
        "xds.listener_metadata.filter_metadata",
        "xds.virtual_host_metadata",
        "metadata",
        "metadata.filter_metadata",
        "filter_state",
        "upstream_filter_state",
        "response",
        "response.code",
        "response.headers.x",
        "response.flags",
        "upstream",
        "upstream.address",
        "upstream.transport_failure_reason",
        "request.duration",
        "request.total_size",
        "listener_direction",
        "listener_metadata",
        "node",
        "node.id",
        "cluster_name",
        "cluster_metadata",
        "route_name",
        "route_metadata",
        "upstream_host_metadata",
        "xds.upstream_host_metadata",
        "xds.upstream_host_locality_metadata",
        "xds.node.extensions",
        "xds.node.user_agent_name",
        "xds.node.dynamic_parameters",
        "xds.cluster_name.x",
        "plugin_name.x",
        "source.nothing",
        "request.time.seconds",
        "wasm",
        "xds.clustername",
        "XDS.CLUSTER_NAME",
        " ",
        " xds.cluster_name",
        "☃",
        "\u{10ffff}.\u{feff}",
        "\\",
        "xds\\.cluster_name",
    ];
    let malformed = [
        "",
        ".",
        "..",
        ".xds",
        "xds.",
        "xds..node",
        "xds.node\0.id",
        "\0",
    ];
    let path = "customTags.t0.attribute.path";
    let mut all: Vec<_> = paths
        .iter()
        .chain(&malformed)
        .map(|name| {
            let config = attributes([((*name).to_owned(), None)]);
            refused(format!("the attribute {name:?}"), &config, path)
        })
        .collect();
    // In an error too, a line stays a line, and no longer than one reads.
    for (name, value) in [
        (
            "an attribute of two lines",
            "nothing\n[forged] line".to_owned(),
        ),
        (
            "an attribute with control characters",
            "nothing\u{1b}[2J\r\u{7f}".to_owned(),
        ),
        ("an attribute of 60 KB", "x".repeat(60_000)),
        (
            "an attribute of 20 000 elements",
            vec!["x"; 20_000].join("."),
        ),
    ] {
        all.push(refused(name, &attributes([(value, None)]), path));
    }
    all
}

fn nodes() -> Vec<Hostile> {
    let tag =
        |path: &str| json!({"customTags": {"n": {"node": {"path": path}}}, "tags": {"to": TO_ALL}});
    let deep = vec!["a"; 1000].join(".");
    let mut all: Vec<_> = [
        "NAME",
        "LABELS",
        "LABELS.app",
        "LABELS.dotted.example/name",
        "NUMBER",
        "BOOL",
        "NULL",
        "LIST",
        "LIST.0",
        "NESTED.a.b.c.d",
        "NESTED.a.b",
        "EMPTY",
        "LINES",
        "LONG",
        "ünïcödé",
        "nothing",
        " ",
        "\\",
        r"\.",
        "\u{1}\n",
        &deep,
    ]
    .into_iter()
    .map(|path| {
        let name: String = path.chars().take(60).collect();
        taken(format!("the node's {name:?}"), &tag(path))
    })
    .collect();
    for path in ["", ".", "a..b", "LABELS.", "\0"] {
        all.push(refused(
            format!("the node's {path:?}"),
            &tag(path),
            "customTags.n.node.path",
        ));
    }
    all
}

fn tags() -> Vec<Hostile> {
    let one = |source: Value| json!({"customTags": {"t": source}, "tags": {"to": TO_ALL}});
    let named = |name: &str| json!({"customTags": {name: {"literal": {"value": "x"}}}});
    let many = |count: usize| {
        let tag = |number| {
            (
                format!("t{number}"),
                json!({"header": {"name": format!("x-{number}")}}),
            )
        };
        let tags: serde_json::Map<_, _> = (0..count).map(tag).collect();
        json!({"customTags": tags, "tags": {"to": TO_ALL}})
    };
    vec![
        taken("no tags", &json!({"customTags": {}})),
        taken("as many tags as there may be", &many(32)),
        refused("a tag too many", &many(33), "customTags"),
        taken(
            "the longest literal",
            &one(json!({"literal": {"value": "é".repeat(128)}})),
        ),
        refused(
            "a longer literal",
            &one(json!({"literal": {"value": "x".repeat(257)}})),
            "customTags.t.literal.value",
        ),
        refused(
            "a literal of two lines",
            &one(json!({"literal": {"value": "a\r\nx: y"}})),
            "customTags.t.literal.value",
        ),
        refused(
            "a literal that is a number",
            &one(json!({"literal": {"value": 1e300}})),
            "customTags.t.literal.value",
        ),
        refused(
            "a literal that is none",
            &one(json!({"literal": null, "node": null})),
            "customTags.t",
        ),
        refused(
            "two sources",
            &one(json!({"literal": {"value": ""}, "node": {"path": "NAME"}})),
            "customTags.t",
        ),
        refused("a tag that is a list", &one(json!([])), "customTags.t"),
        refused(
            "a source that is text",
            &one(json!({"header": "x"})),
            "customTags.t.header",
        ),
        refused(
            "a source that is none",
            &one(json!({"metadata": {}})),
            "customTags.t.metadata",
        ),
        refused(
            "a header name that is none",
            &one(json!({"header": {"name": "a b"}})),
            "customTags.t.header.name",
        ),
        refused(
            "a pseudo header",
            &one(json!({"header": {"name": ":path"}})),
            "customTags.t.header.name",
        ),
        refused(
            "a header name of two lines",
            &one(json!({"header": {"name": "a\r\nb"}})),
            "customTags.t.header.name",
        ),
        refused(
            "a header name without end",
            &one(json!({"header": {"name": "x".repeat(60_000)}})),
            "customTags.t.header.name",
        ),
        taken(
            "a trace header as a source",
            &one(json!({"header": {"name": "TraceParent"}})),
        ),
        taken(
            "a strange variable",
            &one(json!({"environment": {"name": "A=B\u{0}\n☃", "defaultValue": "x"}})),
        ),
        refused(
            "a variable without a name",
            &one(json!({"environment": {"name": ""}})),
            "customTags.t.environment.name",
        ),
        refused(
            "a default of both spellings",
            &one(json!({"header": {"name": "x", "defaultValue": "a", "default_value": "b"}})),
            "customTags.t.header.default_value",
        ),
        refused(
            "an attribute of no type",
            &one(json!({"attribute": {"path": "filter_state.x", "type": "float"}})),
            "customTags.t.attribute.type",
        ),
        refused(
            "an attribute of a huge type",
            &one(json!({"attribute": {"path": "filter_state.x", "type": 1e308}})),
            "customTags.t.attribute.type",
        ),
        refused(
            "an attribute without a path",
            &one(json!({"attribute": {"type": "int"}})),
            "customTags.t.attribute.path",
        ),
        refused(
            "an attribute whose path is a list",
            &one(json!({"attribute": {"path": ["xds"]}})),
            "customTags.t.attribute.path",
        ),
        refused("a tag without a name", &named(""), "customTags[\"\"]"),
        refused("a tag of snow", &named("☃"), "customTags[\"☃\"]"),
        refused(
            "a tag's name of two lines",
            &named("a\nb"),
            "customTags[\"a",
        ),
        refused(
            "a tag's name without end",
            &named(&"n".repeat(60_000)),
            "customTags.nnn",
        ),
        refused(
            "tags that would be one",
            &json!({"customTags": {
                "a.b": {"literal": {"value": "x"}}, "a/b": {"literal": {"value": "x"}},
            }}),
            "customTags[\"a/b\"]",
        ),
        refused(
            "tags of both spellings",
            &json!({"customTags": {}, "custom_tags": {}}),
            "custom_tags",
        ),
        refused(
            "tags that are a list",
            &json!({"customTags": [{}]}),
            "customTags",
        ),
    ]
}

fn sinks() -> Vec<Hostile> {
    let to =
        |to: Value| json!({"customTags": {"t": {"literal": {"value": "x"}}}, "tags": {"to": to}});
    let mut all = vec![
        taken("no sink", &to(json!([]))),
        refused(
            "a sink many times",
            &to(json!(vec!["header:x-tl"; 50])),
            "tags.to: expected at most 8 sinks, got 50",
        ),
        refused(
            "a sink twice",
            &to(json!(["header:x-tl", "header:X-TL"])),
            "tags.to[1]",
        ),
        taken("a strange header", &to(json!(["header:!#$%&'*+-.^_`|~"]))),
        taken(
            "many placeholders",
            &to(json!([format!("header:{}", "{tag}".repeat(20))])),
        ),
        refused("sinks that are text", &to(json!("accessLog")), "tags.to"),
        refused("a sink that is a number", &to(json!([0])), "tags.to[0]"),
        refused(
            "a sink that nobody knows",
            &to(json!(["accessLog", "log\nx"])),
            "tags.to[1]",
        ),
    ];
    for header in [
        "",
        "host",
        "Host",
        ":path",
        ":authority",
        "content-length",
        "transfer-encoding",
        "connection",
        "traceparent",
        "tracestate",
        "baggage",
        "b3",
        "x-b3-traceid",
        "x-b3-{tag}",
        "x-envoy-retry-on",
        "x-request-id",
        "cookie",
        "authorization",
        "a b",
        "a\r\nb",
        "☃",
        "{",
        "x".repeat(60_000).as_str(),
    ] {
        let name: String = header.chars().take(30).collect();
        all.push(refused(
            format!("the header {name:?} as a sink"),
            &to(json!([format!("header:{header}")])),
            "tags.to[0]",
        ));
    }
    all
}

fn sections() -> Vec<Hostile> {
    let long_name = "s".repeat(60_000);
    let mut all = vec![
        refused(
            "extract that is empty",
            &json!({"propagation": {"extract": []}}),
            "propagation.extract",
        ),
        refused(
            "a format twice",
            &json!({"propagation": {"inject": ["b3", "b3"]}}),
            "propagation.inject[1]",
        ),
        refused(
            "a format that nobody knows",
            &json!({"propagation": {"inject": ["jaeger\n"]}}),
            "propagation.inject[0]",
        ),
        refused(
            "a format without end",
            &json!({"propagation": {"inject": ["b".repeat(60_000)]}}),
            "propagation.inject[0]",
        ),
        refused(
            "formats that are text",
            &json!({"propagation": {"extract": "b3"}}),
            "propagation.extract",
        ),
        refused(
            "stale headers kept",
            &json!({"propagation": {"staleHeaders": "keep"}}),
            "propagation.staleHeaders",
        ),
        refused(
            "a sampler that nobody knows",
            &json!({"sampling": {"sampler": "xray"}}),
            "sampling.sampler",
        ),
        refused(
            "a sampler with an argument too many",
            &json!({"sampling": {"sampler": "always_on", "arg": 1}}),
            "sampling.arg",
        ),
        refused(
            "a service that is a number",
            &json!({"service": {"name": 7}}),
            "service.name",
        ),
        refused(
            "a naming that nobody knows",
            &json!({"service": {"naming": "\u{0}"}}),
            "service.naming",
        ),
        refused(
            "a level that nobody knows",
            &json!({"log": {"level": "loud"}}),
            "log.level",
        ),
        refused("a section without end", &json!({long_name: {}}), "sss"),
        refused("a section of two lines", &json!({"a\nb": {}}), "[\"a"),
        refused("a section without a name", &json!({"": {}}), "[\"\"]"),
        taken(
            "nulls",
            &json!({"propagation": null, "sampling": {"arg": null}, "tags": {"to": null}, "log": null}),
        ),
        taken(
            "a service of many letters",
            &json!({"service": {"name": "é".repeat(128)}}),
        ),
        refused(
            "a service of too many letters",
            &json!({"service": {"name": "é".repeat(129)}}),
            "service.name",
        ),
        refused(
            "a service of two lines",
            &json!({"service": {"name": "a\n[forged] line\u{1b}"}}),
            "service.name",
        ),
        taken("no logging", &json!({"log": {"level": "off"}})),
        taken("all logging", &json!({"log": {"level": "trace"}})),
    ];
    for section in [
        "propagation",
        "sampling",
        "service",
        "tags",
        "log",
        "customTags",
    ] {
        for value in [json!([]), json!("x"), json!(0), json!(true)] {
            all.push(refused(
                format!("{section} that is {value}"),
                &json!({section: value}),
                section,
            ));
        }
    }
    for arg in [
        "-0.1",
        "1.0000001",
        "10",
        "1e308",
        "-1e-308",
        "\"0.5\"",
        "true",
        "[]",
        "{}",
        "12345678901234567890123",
    ] {
        all.push(text(
            format!("a ratio of {arg}"),
            format!(r#"{{"sampling": {{"arg": {arg}}}}}"#),
            Some("sampling.arg"),
        ));
    }
    for arg in ["0", "-0", "1", "1e-320", "0.1e0", "0.99999999999999999999"] {
        all.push(text(
            format!("a ratio of {arg}"),
            format!(r#"{{"sampling": {{"arg": {arg}}}}}"#),
            None,
        ));
    }
    all
}

/// Text that is hardly JSON.
fn documents() -> Vec<Hostile> {
    let not_json = Some("the configuration is not JSON");
    let nested =
        |open: &str, close: &str, depth| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let fields: String = (0..6_000)
        .map(|number| format!("\"f{number}\":0,"))
        .collect();
    let mut all: Vec<_> = [
        "{",
        "}",
        "[",
        "{\"",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{} {}",
        "{}x",
        "'{}'",
        "{a: 1}",
        "nul",
        "// {}",
        "\u{feff}{}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":1e999}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":NaN}",
        "{\"log\":{},\"log\":{}}",
        "\u{0}",
        "propagation:\n  inject: [b3]\n",
        "{\"a\\nb\":0,\"a\\nb\":0}",
    ]
    .into_iter()
    .map(|broken| text(format!("the text {broken:?}"), broken, not_json))
    .collect();
    all.extend([
        text("nothing", "", None),
        text("white space", " \n\t\r ", None),
        text("null", "null", None),
        text("an object", "{}", None),
        text("true", "true", Some("expected an object")),
        text("a list", "[]", Some("expected an object")),
        text("a number", "1e308", Some("expected an object")),
        text("text", "\"{}\"", Some("expected an object")),
        text("lists in lists", nested("[", "]", 30_000), not_json),
        text(
            "objects in objects",
            nested("{\"a\":", "}", 10_000),
            not_json,
        ),
        text(
            "as deep as JSON may be",
            format!("{{\"log\":{}}}", nested("[", "]", 120)),
            Some("log"),
        ),
        text("1 MB of letters", "a".repeat(1 << 20), not_json),
        text("1 MB of white space", " ".repeat(1 << 20), None),
        text("60 KB of white space", " ".repeat(60_000), None),
        text(
            "a text of 1 MB",
            format!("\"{}\"", "\\u0000".repeat(170_000)),
            Some("expected an object"),
        ),
        text(
            "a field of 1 MB twice",
            format!("{{\"{0}\":0,\"{0}\":0}}", "k".repeat(500_000)),
            not_json,
        ),
        text(
            "6 000 fields",
            format!("{{{fields}\"log\":{{}}}}"),
            not_json,
        ),
        text(
            "a long list",
            format!(
                "{{\"tags\":{{\"to\":[{}0]}}}}",
                "\"accessLog\",".repeat(5_000)
            ),
            Some("tags.to: expected at most 8 sinks"),
        ),
    ]);
    all
}

/// What Envoy hands over as other bytes than JSON.
fn messages() -> Vec<Hostile> {
    let message = |name: &str, message: Value, refused: Option<&str>| Hostile {
        name: name.to_owned(),
        config: Config::Message(message),
        refused: refused.map(str::to_owned),
    };
    let a = |kind: &str, value: Value| {
        let mut message = value;
        message["@type"] = json!(format!("type.googleapis.com/google.protobuf.{kind}"));
        message
    };
    let structure = Some("the configuration is a google.protobuf.Struct");
    let not_json = Some("the configuration is not JSON");
    vec![
        message("no configuration", Value::Null, None),
        message("an empty Struct", a("Struct", json!({"value": {}})), None),
        message(
            "a Struct",
            a("Struct", json!({"value": {"log": {"level": "warn"}}})),
            structure,
        ),
        message(
            "a Struct of numbers",
            a("Struct", json!({"value": {"a": 1, "b": [null, 2.5]}})),
            structure,
        ),
        message("empty bytes", a("BytesValue", json!({"value": ""})), None),
        message(
            "bytes that are JSON",
            a("BytesValue", json!({"value": "e30="})),
            None,
        ),
        message(
            "bytes that are not UTF-8",
            a("BytesValue", json!({"value": "//79/AA="})),
            not_json,
        ),
        message(
            "bytes that are not UTF-8 in a text",
            a("BytesValue", json!({"value": "eyJhIjoi/yJ9"})),
            not_json,
        ),
        message(
            "a number",
            a("UInt32Value", json!({"value": 300})),
            Some("the configuration is"),
        ),
        message(
            "a duration",
            a("Duration", json!({"value": "1.5s"})),
            Some("the configuration is"),
        ),
    ]
}
