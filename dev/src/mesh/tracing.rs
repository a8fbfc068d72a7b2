//! Envoy's native tracing on a listener.

use serde_json::{Value, json};

/// Who traces natively, if anybody.
#[derive(Clone, Debug)]
pub struct Tracing {
    provider: Option<Value>,
    percent: f64,
    propagates: bool,
}

impl Tracing {
    /// Istio's default: tracing is configured, but no provider is.
    pub fn without_provider() -> Self {
        Self {
            provider: None,
            percent: 1.0,
            propagates: true,
        }
    }

    /// Envoy's Zipkin tracer, reporting `percent` of new traces to a cluster.
    pub fn zipkin(cluster: &str, percent: f64) -> Self {
        let provider = json!({"name": "envoy.tracers.zipkin", "typed_config": {
            "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
            "collector_cluster": cluster,
            "collector_endpoint": "/api/v2/spans",
            "collector_endpoint_version": "HTTP_JSON",
            "collector_hostname": cluster,
            "trace_id_128bit": true,
            "shared_span_context": false,
        }});
        Self {
            provider: Some(provider),
            percent,
            propagates: true,
        }
    }

    /// The same, which goes on with the caller's span: Envoy's default, and not Istio's.
    pub fn zipkin_sharing_spans(cluster: &str, percent: f64) -> Self {
        Self::zipkin_with(cluster, percent, &json!({"shared_span_context": true}))
    }

    fn zipkin_with(cluster: &str, percent: f64, settings: &Value) -> Self {
        let mut tracing = Self::zipkin(cluster, percent);
        if let Some(provider) = &mut tracing.provider {
            super::merge::merge(provider, &json!({"typed_config": settings}));
        }
        tracing
    }

    /// The first, which reads and writes W3C's headers beside B3's.
    pub fn zipkin_and_w3c(cluster: &str, percent: f64) -> Self {
        let option = json!({"trace_context_option": "USE_B3_WITH_W3C_PROPAGATION"});
        Self::zipkin_with(cluster, percent, &option)
    }

    /// Envoy's OpenTelemetry tracer over OTLP/HTTP, reporting `percent` of new traces to a cluster.
    pub fn opentelemetry(cluster: &str, service: &str, percent: f64) -> Self {
        let uri = format!("http://{cluster}/v1/traces");
        let http = json!({"http_uri": {"uri": uri, "cluster": cluster, "timeout": "5s"}});
        Self::opentelemetry_over("http_service", &http, service, percent)
    }

    /// The same over OTLP/gRPC, to an HTTP/2 cluster.
    pub fn opentelemetry_grpc(cluster: &str, service: &str, percent: f64) -> Self {
        let grpc = json!({"envoy_grpc": {"cluster_name": cluster}, "timeout": "5s"});
        Self::opentelemetry_over("grpc_service", &grpc, service, percent)
    }

    fn opentelemetry_over(exporter: &str, settings: &Value, service: &str, percent: f64) -> Self {
        let provider = json!({"name": "envoy.tracers.opentelemetry", "typed_config": {
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            exporter: settings,
            "service_name": service,
        }});
        Self {
            provider: Some(provider),
            percent,
            propagates: true,
        }
    }

    /// The same, which leaves the headers alone; for Envoy 1.38 and later.
    #[must_use]
    pub fn without_propagation(mut self) -> Self {
        self.propagates = false;
        self
    }

    /// The `tracing` of an HTTP connection manager.
    pub fn to_json(&self) -> Value {
        let mut tracing = json!({
            "client_sampling": {"value": 100.0},
            "random_sampling": {"value": self.percent},
            "overall_sampling": {"value": 100.0},
        });
        if let Some(provider) = &self.provider {
            super::merge::merge(&mut tracing, &json!({"provider": provider}));
        }
        if !self.propagates {
            super::merge::merge(&mut tracing, &json!({"no_context_propagation": true}));
        }
        tracing
    }
}
