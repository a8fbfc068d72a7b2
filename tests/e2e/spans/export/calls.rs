//! What an export call looks like.

use super::stage::{Plan, Stage};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use throughline_dev::http::TRACE_HEADERS;
use throughline_dev::mesh::Cluster;
use throughline_dev::receiver::{Call, Protocol, Receiver};

pub struct Calls {
    receiver: Receiver,
}

/// The protocol, its path, its content type, the code of its success.
const PROTOCOLS: [(Protocol, &str, &str, &str); 4] = [
    (
        Protocol::OtlpHttp,
        "/v1/traces",
        "application/x-protobuf",
        "200",
    ),
    (
        Protocol::OtlpHttpJson,
        "/v1/traces",
        "application/json",
        "200",
    ),
    (
        Protocol::OtlpGrpc,
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        "application/grpc",
        "grpc_0",
    ),
    (Protocol::Zipkin, "/api/v2/spans", "application/json", "202"),
];

impl Calls {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let receiver = Receiver::start()?;
        let headers = json!({
            "x-api-key": "key: ${env:API_KEY}!",
            "x-scope-orgid": {"value": "books"},
        });
        let mut plugins = Vec::new();
        for (protocol, ..) in PROTOCOLS {
            let cluster = format!("calls-{protocol}");
            let export =
                json!({"protocol": protocol.to_string(), "cluster": &cluster, "headers": headers});
            plugins.push(plan.plugin(&cluster, &export));
            plan.cluster(match protocol {
                Protocol::OtlpGrpc => Cluster::new(&cluster, receiver.grpc()).http2(),
                _ => Cluster::new(&cluster, receiver.http()),
            });
        }
        // The cluster of a service, by Istio's name; a prefix as behind a gateway.
        let service =
            json!({"service": "tempo.monitoring", "port": 4318, "path": "/tempo/v1/traces"});
        plugins.push(plan.plugin("service", &service));
        plan.cluster(Cluster::new(
            "outbound|4318||tempo.monitoring",
            receiver.http(),
        ));
        plan.listener("calls", &plugins);
        Ok(Self { receiver })
    }

    pub fn headers(&self, stage: &Stage) -> Result<()> {
        stage.send("calls", 1)?;
        self.receiver.wait_for(5)?;
        let calls = self.receiver.requests();
        ensure!(calls.len() == 5, "{calls:#?}");
        let (service, others): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .partition(|call| call.target.starts_with("/tempo"));
        for (protocol, path, content_type, code) in PROTOCOLS {
            let call = others.iter().find(|call| call.protocol == protocol);
            let call = call.with_context(|| format!("no call by {protocol}"))?;
            let authority = format!("calls-{protocol}");
            ensure!(call.target == path, "{protocol}: {}", call.target);
            check(call, content_type, &authority).with_context(|| protocol.to_string())?;
            for (name, value) in [
                ("x-api-key", "key: open sesame!"),
                ("x-scope-orgid", "books"),
            ] {
                ensure!(
                    is(call, name, &[value]),
                    "{protocol}: {name}: {:?}",
                    call.headers
                );
            }
            let te: &[&str] = if protocol == Protocol::OtlpGrpc {
                &["trailers"]
            } else {
                &[]
            };
            ensure!(is(call, "te", te), "{protocol}: {:?}", call.headers);
            stage.expect_exported(1, 1, code);
        }
        let service = service.first().context("no call to the service")?;
        ensure!(service.target == "/tempo/v1/traces", "{}", service.target);
        check(service, "application/x-protobuf", "tempo.monitoring:4318")?;
        stage.expect_exported(1, 1, "200");
        let invalid = self.receiver.invalid();
        ensure!(invalid.is_empty(), "{invalid:#?}");
        // A plain Envoy is called as its own tracers would call it.
        for span in self.receiver.take() {
            ensure!(span.service == "edge", "{span}");
        }
        Ok(())
    }
}

fn check(call: &Call, content_type: &str, authority: &str) -> Result<()> {
    let agent = format!("throughline/{}", env!("CARGO_PKG_VERSION"));
    for (name, value) in [
        ("host", authority),
        ("content-type", content_type),
        ("user-agent", &agent),
    ] {
        ensure!(
            is(call, name, &[value]),
            "{name} is not {value}:\n{:?}",
            call.headers
        );
    }
    untraced(call)
}

/// `b3: 0` and no other word on any trace.
pub fn untraced(call: &Call) -> Result<()> {
    for name in TRACE_HEADERS {
        let expected: &[&str] = if name == "b3" { &["0"] } else { &[] };
        ensure!(is(call, name, expected), "{name} in\n{:?}", call.headers);
    }
    Ok(())
}

fn is(call: &Call, name: &str, values: &[&str]) -> bool {
    call.headers
        .all(name)
        .eq(values.iter().map(|value| value.as_bytes()))
}
