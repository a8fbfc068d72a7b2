//! Whatever carries a trace, by any tracer's name: what goes where nothing of a trace may pass.

use super::{HeaderWrite, HeaderWrites, Headers};

/// Names in lower case. All that the filter reads and writes itself are among them, or begin as one of [`PREFIXES`].
pub const TRACE_HEADERS: [&str; 32] = [
    // W3C, and what baggage was called before it
    "traceparent",
    "tracestate",
    "baggage",
    "correlation-context",
    // W3C's for responses, where somebody sends it on
    "traceresponse",
    // W3C's, as attributes of a CloudEvent
    "ce-traceparent",
    "ce-tracestate",
    // B3, and Envoy's own beside it
    "b3",
    "x-ot-span-context",
    "x-envoy-force-trace",
    "x-client-trace-id",
    // Jaeger
    "uber-trace-id",
    "jaeger-debug-id",
    "jaeger-baggage",
    // AWS X-Ray
    "x-amzn-trace-id",
    // Google Cloud and OpenCensus
    "x-cloud-trace-context",
    "grpc-trace-bin",
    "grpc-tags-bin",
    // SkyWalking
    "sw6",
    "sw8",
    "sw8-correlation",
    "sw8-x",
    // Elastic APM
    "elastic-apm-traceparent",
    // New Relic
    "newrelic",
    "x-newrelic-id",
    "x-newrelic-transaction",
    // Dynatrace
    "x-dynatrace",
    // AppDynamics
    "singularityheader",
    // Sentry
    "sentry-trace",
    // Azure's Application Insights: the first is the trace id and span id
    "request-id",
    "request-context",
    // Honeycomb
    "x-honeycomb-trace",
];

/// Beginnings of names whose ends are a key of somebody's.
const PREFIXES: [&str; 8] = [
    "x-b3-",
    "x-datadog-",
    // Jaeger's baggage
    "uberctx-",
    // OpenTracing's basic tracer and its baggage
    "ot-tracer-",
    "ot-baggage-",
    // Spring Cloud Sleuth's baggage
    "baggage-",
    // Instana
    "x-instana-",
    // Pinpoint
    "pinpoint-",
];

/// Every header of a trace in `headers`, each once, but for those that `writes` sets. `own` is a name of the user's.
pub fn erase<'a>(headers: &'a Headers, writes: &HeaderWrites, own: Option<&str>) -> Vec<&'a str> {
    let is_set = |name: &str| {
        let mut writes = writes.iter();
        writes.any(|write| matches!(write, HeaderWrite::Set(set, _) if *set == name))
    };
    let mut names = Vec::new();
    for (name, _) in headers.iter() {
        if let Ok(name) = core::str::from_utf8(name)
            && (is_trace_header(name) || own == Some(name))
            && !is_set(name)
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Whether that name, in lower case, is one of them.
pub fn is_trace_header(name: &str) -> bool {
    TRACE_HEADERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_a_trace_is_named_once() {
        let pairs = [
            "traceparent",
            "x-b3-traceid",
            "X-B3-TraceId",
            "x-request-id",
            "baggage",
            "traceparent",
            "uberctx-user",
            "x-datadog-origin",
            "request",
            "x-trace-force",
            "b3x",
        ]
        .map(|name| (name.to_owned(), "1".to_owned()));
        let headers = Headers::from_serialized(Headers::serialize(&pairs));
        let erased = erase(&headers, &HeaderWrites::default(), Some("x-trace-force"));
        assert_eq!(
            erased,
            [
                "traceparent",
                "x-b3-traceid",
                "baggage",
                "uberctx-user",
                "x-datadog-origin",
                "x-trace-force"
            ]
        );
    }
}
