//! Hostile configurations of `export`, `spans` and `resource`. No cluster that they name is there.

use super::corpus::{Hostile, refused, taken};
use serde_json::{Map, Value, json};

const PROTOCOLS: [&str; 4] = ["otlp-http", "otlp-grpc", "otlp-http-json", "zipkin"];

pub fn all() -> Vec<Hostile> {
    [destinations(), limits(), attributes(), mistakes()]
        .into_iter()
        .flatten()
        .collect()
}

/// What leaves at once, so that every one of them is called.
fn fast(mut export: Value) -> Value {
    export["batch"] = json!({"maxExportBatchSize": 1, "scheduleDelay": "10ms"});
    json!({"export": export})
}

fn destinations() -> Vec<Hostile> {
    // A bare name in one of Envoy's own gRPC calls ends the process.
    let clusters = [
        "nowhere",
        "analytics",
        "outbound|4317||é☃",
        "a\u{20}b%00",
        "{\"a\": 1}",
    ];
    let long = "c".repeat(256);
    let mut all = Vec::new();
    for protocol in PROTOCOLS {
        for cluster in clusters.into_iter().chain([long.as_str()]) {
            let name = format!("{protocol} to the cluster {cluster:.20}");
            all.push(taken(
                name,
                &fast(json!({"protocol": protocol, "cluster": cluster})),
            ));
        }
        let service = json!({"protocol": protocol, "service": "*.Nowhere.svc", "port": 65_535});
        all.push(taken(
            format!("{protocol} to a service that is not there"),
            &fast(service),
        ));
    }
    all
}

fn limits() -> Vec<Hostile> {
    let headers: Map<String, Value> = (0..16)
        .map(|number| (format!("x-{number}"), json!("v".repeat(4096))))
        .collect();
    let tags: Map<String, Value> = (0..32)
        .map(|number| {
            (
                format!("t{number}"),
                json!({"literal": {"value": "é".repeat(128)}}),
            )
        })
        .collect();
    let resource: Map<String, Value> = (0..32)
        .map(|number| {
            (
                format!("☃ {number}"),
                json!({"literal": {"value": "é".repeat(128)}}),
            )
        })
        .collect();
    let smallest = json!({"maxQueueSize": 1, "maxQueueBytes": 65_536, "maxExportBatchSize": 1, "scheduleDelay": "10ms"});
    let largest = json!({"maxQueueSize": 65_536, "maxQueueBytes": 67_108_864, "maxExportBatchSize": 65_536, "scheduleDelay": "1m"});
    vec![
        taken(
            "the smallest limits",
            &json!({"export": {"cluster": "nowhere", "batch": smallest, "maxInFlight": 1, "timeout": "10ms"}}),
        ),
        taken(
            "the largest limits",
            &json!({"export": {"cluster": "nowhere", "batch": largest, "maxInFlight": 64, "timeout": "1m"}}),
        ),
        taken(
            "as many and as long headers as may be",
            &fast(
                json!({"cluster": "nowhere", "headers": headers.into_iter().take(12).collect::<Map<_, _>>()}),
            ),
        ),
        taken(
            "as many and as long tags and attributes as may be",
            &json!({
                "export": {"cluster": "nowhere"}, "customTags": tags, "tags": {"to": ["span"]}, "resource": resource,
            }),
        ),
        taken(
            "a path of one byte",
            &json!({"export": {"cluster": "nowhere"}, "spans": {"maxPathTagLength": 1, "redactQuery": false, "semconv": "legacy"}}),
        ),
    ]
}

fn attributes() -> Vec<Hostile> {
    let from = |path: &str| json!({"node": {"path": path}});
    let resource = json!({
        "number": from("NUMBER"), "bool": from("BOOL"), "null": from("NULL"), "list": from("LIST"),
        "nested": from("NESTED"), "lines": from("LINES"), "long": from("LONG"), "ünïcödé": from("ünïcödé"),
        "dotted": from("LABELS.dotted.example/name"),
    });
    PROTOCOLS
        .map(|protocol| {
            let export = json!({"protocol": protocol, "cluster": "nowhere"});
            taken(
                format!("{protocol} with a resource of every kind of metadata"),
                &json!({"export": export, "resource": resource}),
            )
        })
        .into()
}

fn mistakes() -> Vec<Hostile> {
    let export = |name: &str, field: &str, value: Value, path: &str| {
        let mut export = json!({"cluster": "nowhere"});
        export[field] = value;
        refused(name, &json!({"export": export}), path)
    };
    let header = |value: &str| json!({"x-a": value});
    let literal = json!({"literal": {"value": "x"}});
    vec![
        refused(
            "an export without a destination",
            &json!({"export": {}}),
            "export",
        ),
        refused(
            "an export that is text",
            &json!({"export": "otlp\n"}),
            "export",
        ),
        export(
            "a protocol that nobody knows",
            "protocol",
            json!("jaeger\r\n"),
            "export.protocol",
        ),
        export(
            "two destinations",
            "service",
            json!("tempo"),
            "export.cluster",
        ),
        export(
            "a port beside a cluster",
            "port",
            json!(4317),
            "export.port",
        ),
        export(
            "a cluster without end",
            "cluster",
            json!("c".repeat(60_000)),
            "export.cluster",
        ),
        export(
            "a cluster with a zero",
            "cluster",
            json!("a\u{0}b"),
            "export.cluster",
        ),
        export(
            "a path with a line break",
            "path",
            json!("/a\r\nb: c"),
            "export.path",
        ),
        export(
            "a header with a line break",
            "headers",
            header("a\r\nb: c"),
            "export.headers.x-a",
        ),
        export(
            "a header without end",
            "headers",
            header(&"v".repeat(60_000)),
            "export.headers.x-a",
        ),
        export(
            "a variable that is not there",
            "headers",
            header("${env:NOWHERE}"),
            "export.headers.x-a",
        ),
        export(
            "a variable without end",
            "headers",
            header(&"${env:".repeat(9_000)),
            "export.headers.x-a",
        ),
        export(
            "a header of the exporter's",
            "headers",
            json!({"b3": "1"}),
            "export.headers.b3",
        ),
        export(
            "a time-out of nothing",
            "timeout",
            json!("0s"),
            "export.timeout",
        ),
        export(
            "a time-out without end",
            "timeout",
            json!("9".repeat(60_000) + "s"),
            "export.timeout",
        ),
        export(
            "a queue of nothing",
            "batch",
            json!({"maxQueueSize": 0}),
            "export.batch.maxQueueSize",
        ),
        export(
            "a queue that overflows",
            "batch",
            json!({"maxQueueBytes": 1e300}),
            "export.batch.maxQueueBytes",
        ),
        export(
            "half a call in flight",
            "maxInFlight",
            json!(0.5),
            "export.maxInFlight",
        ),
        refused(
            "names that nobody knows",
            &json!({"spans": {"semconv": "new"}}),
            "spans.semconv",
        ),
        refused(
            "a path without end",
            &json!({"spans": {"maxPathTagLength": 1e18}}),
            "spans.maxPathTagLength",
        ),
        refused(
            "the service's name as an attribute",
            &json!({"resource": {"service.name": literal}}),
            "resource[\"service.name\"]",
        ),
        refused(
            "an attribute without a name",
            &json!({"resource": {"": literal}}),
            "resource[\"\"]",
        ),
        refused(
            "an attribute with a line break",
            &json!({"resource": {"a\nb": literal}}),
            "resource[\"a",
        ),
        refused(
            "a tag that spans have already",
            &json!({"export": {"cluster": "nowhere"}, "customTags": {"error": literal}}),
            "customTags.error",
        ),
    ]
}
