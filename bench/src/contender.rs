//! What is compared: everything that may watch a request in Envoy, in the same place.

use anyhow::Result;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use throughline_dev::accounts::labelled;
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};
use throughline_dev::receiver::{Protocol, Receiver};

/// The only listener.
pub const LISTENER: &str = "main";

/// Where requests go.
const APPLICATION: &str = "application";

/// Where spans go, if any do.
const COLLECTOR: &str = "collector";

/// As many as the filter puts into one call, for Envoy's tracers, whose default is 5.
const LARGE_BATCH: u32 = 512;

/// One of those that are compared.
#[derive(Clone, Debug)]
pub struct Contender {
    pub name: &'static str,
    pub export: Option<Protocol>,
    tracing: Tracing,
    plugin: Option<Plugin>,
    runtime: Value,
}

impl Contender {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            export: None,
            tracing: Tracing::without_provider(),
            plugin: None,
            runtime: json!({}),
        }
    }

    fn tracing(mut self, tracing: Tracing, export: Protocol) -> Self {
        (self.tracing, self.export) = (tracing, Some(export));
        self
    }

    fn plugin(mut self, module: &Path, configuration: &Value) -> Self {
        self.plugin = Some(Plugin::new(module, configuration));
        self
    }

    fn exporting(mut self, export: Protocol) -> Self {
        self.export = Some(export);
        self
    }

    fn runtime(mut self, key: &str, value: u32) -> Self {
        self.runtime = json!({key: value});
        self
    }

    /// An Envoy with one worker that sends all requests to the application, as a sidecar does, or answers them itself
    /// where there is none. Nothing but the contender differs.
    pub fn proxy(&self, receiver: &Receiver, application: Option<SocketAddr>) -> Proxy {
        let route = match application {
            Some(_) => Route::any(APPLICATION),
            None => Route::answer(200, ""),
        };
        let mut listener = Listener::inbound(LISTENER)
            .route(route)
            .tracing(self.tracing.clone())
            .merge(&json!({"access_log": []}));
        if let Some(plugin) = &self.plugin {
            listener = listener.plugin(plugin);
        }
        let collector = receiver.cluster(COLLECTOR, self.export.unwrap_or(Protocol::OtlpHttp));
        let runtime = json!([{"name": "static", "static_layer": self.runtime}]);
        let mut proxy = Proxy::new(Node::sidecar("productpage", "productpage-v1", "bookinfo"))
            .listener(listener)
            .cluster(collector);
        if let Some(address) = application {
            proxy = proxy.cluster(Cluster::new(APPLICATION, address).http2());
        }
        let proxy = proxy.merge(&json!({"layered_runtime": {"layers": runtime}}));
        labelled(proxy)
    }
}

/// The one that all others are compared to.
pub const NOTHING: &str = "no filter";

/// The one whose cost the filter's is measured against.
pub const NATIVE: &str = "OpenTelemetry tracer, OTLP/gRPC";

/// The modules that Envoy loads.
#[derive(Debug)]
pub struct Modules {
    smallest: tempfile::NamedTempFile,
    throughline: PathBuf,
}

impl Modules {
    /// The built filter, and the smallest one.
    pub fn new(throughline: &Path) -> Result<Self> {
        let smallest = tempfile::Builder::new().suffix(".wasm").tempfile()?;
        std::fs::write(&smallest, wat::parse_str(include_str!("smallest.wat"))?)?;
        Ok(Self {
            smallest,
            throughline: throughline.to_owned(),
        })
    }

    /// All contenders, in the order of the table. Every tracer and every export samples all requests.
    pub fn contenders(&self) -> Vec<Contender> {
        let opentelemetry = || Tracing::opentelemetry_grpc(COLLECTOR, "productpage", 100.0);
        let zipkin = || Tracing::zipkin(COLLECTOR, 100.0);
        let mut contenders = vec![
            Contender::new(NOTHING),
            Contender::new("no filter, once more"),
            Contender::new("smallest Wasm filter").plugin(self.smallest.path(), &json!({})),
            Contender::new("Throughline").plugin(&self.throughline, &json!({})),
            Contender::new("Throughline, nativeTracer: own")
                .plugin(&self.throughline, &json!({"nativeTracer": "own"})),
            Contender::new(NATIVE).tracing(opentelemetry(), Protocol::OtlpGrpc),
            Contender::new("OpenTelemetry tracer, OTLP/gRPC, 512 a call")
                .tracing(opentelemetry(), Protocol::OtlpGrpc)
                .runtime("tracing.opentelemetry.min_flush_spans", LARGE_BATCH),
            Contender::new("OpenTelemetry tracer, OTLP/HTTP").tracing(
                Tracing::opentelemetry(COLLECTOR, "productpage", 100.0),
                Protocol::OtlpHttp,
            ),
            Contender::new("Zipkin tracer").tracing(zipkin(), Protocol::Zipkin),
        ];
        contenders.extend(self.exports());
        contenders
    }

    /// The filter with the default settings of each export.
    pub fn exports(&self) -> [Contender; 4] {
        [
            ("Throughline, otlp-grpc", Protocol::OtlpGrpc),
            ("Throughline, otlp-http", Protocol::OtlpHttp),
            ("Throughline, otlp-http-json", Protocol::OtlpHttpJson),
            ("Throughline, zipkin", Protocol::Zipkin),
        ]
        .map(|(name, protocol)| {
            let configuration =
                json!({"export": {"protocol": protocol.to_string(), "cluster": COLLECTOR}});
            Contender::new(name)
                .plugin(&self.throughline, &configuration)
                .exporting(protocol)
        })
    }
}
