//! Vendors' formats: one comes in, and all that leave say the same.

use super::ids::*;
use crate::case::{Case, case};
use crate::want::{absent, form, is, not};
use serde_json::json;
use throughline_dev::app::Forward;

/// [`TRACE`] and [`SPAN`] as vendors write them.
const UBER: &str = "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1";
const XRAY: &str = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1";
const CLOUD: &str = "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1";
const DATADOG_TRACE: &str = "11803532876627986230";
const DATADOG_SPAN: &str = "67667974448284343";
const DATADOG_TAGS: &str = "_dd.p.tid=4bf92f3577b34da6";
const GRPC: &str = "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE";

pub fn cases() -> Vec<Case> {
    let all = json!({"propagation": {
        "extract": ["tracecontext", "b3", "jaeger", "xray", "datadog", "gcp"],
        "inject": ["tracecontext", "jaeger", "xray", "datadog", "gcp"],
    }});
    let comes_in = |name, headers: &[(&str, &str)]| {
        let case = case(name).config(all.clone()).forwards(Forward::Everything);
        let sends = |case: Case, (header, value): &(&str, &str)| case.sends(header, value);
        headers
            .iter()
            .fold(case, sends)
            .both("traceparent", is(TRACEPARENT))
            .both("uber-trace-id", is(UBER))
            .both("x-amzn-trace-id", is(XRAY))
            .both("x-cloud-trace-context", is(CLOUD))
            .both("x-datadog-trace-id", is(DATADOG_TRACE))
            .both("x-datadog-parent-id", is(DATADOG_SPAN))
            .both("x-datadog-sampling-priority", is("1"))
            .both("x-datadog-tags", is(DATADOG_TAGS))
            .one_trace()
    };
    vec![
        comes_in(
            "W3C leaves in every vendor's words",
            &[("traceparent", TRACEPARENT)],
        ),
        comes_in(
            "Jaeger's header goes on in every format",
            &[("uber-trace-id", UBER)],
        ),
        comes_in(
            "X-Ray's header goes on in every format",
            &[("x-amzn-trace-id", XRAY)],
        ),
        comes_in(
            "Datadog's headers go on in every format",
            &[
                ("x-datadog-trace-id", DATADOG_TRACE),
                ("x-datadog-parent-id", DATADOG_SPAN),
                ("x-datadog-sampling-priority", "1"),
                ("x-datadog-tags", DATADOG_TAGS),
            ],
        ),
        comes_in(
            "Google's header goes on in every format",
            &[("x-cloud-trace-context", CLOUD)],
        ),
        comes_in(
            "Google's binary header goes on in every format",
            &[("grpc-trace-bin", GRPC)],
        )
        .both("grpc-trace-bin", is(GRPC)),
        case("what no format of ours reads is made to agree")
            .sends("traceparent", TRACEPARENT)
            .sends("uber-trace-id", "1:2:0:0")
            .sends("x-datadog-trace-id", "7")
            .sends("grpc-trace-bin", "!")
            .forwards(Forward::Everything)
            .both("uber-trace-id", is(UBER))
            .both("x-datadog-trace-id", is(DATADOG_TRACE))
            .both("x-datadog-parent-id", is(DATADOG_SPAN))
            .both("grpc-trace-bin", is(GRPC))
            .both("x-amzn-trace-id", absent())
            .one_trace(),
        case("or removed")
            .config(json!({"propagation": {"staleHeaders": "remove"}}))
            .sends("traceparent", TRACEPARENT)
            .sends("uber-trace-id", "1:2:0:0")
            .sends("x-datadog-trace-id", "7")
            .sends("x-amzn-trace-id", "?")
            .forwards(Forward::Everything)
            .both("uber-trace-id", absent())
            .both("x-datadog-trace-id", absent())
            .both("x-amzn-trace-id", absent())
            .one_trace(),
        case("a load balancer's trace begins here")
            .config(
                json!({"propagation": {"extract": ["xray"], "inject": ["xray", "tracecontext"]}}),
            )
            .sends(
                "x-amzn-trace-id",
                "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736",
            )
            .forwards(Forward::Everything)
            .both(
                "traceparent",
                form("00-4bf92f3577b34da6a3ce929d0e0e4736-{16}-01"),
            )
            .both(
                "x-amzn-trace-id",
                form("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={16};Sampled=1"),
            )
            .one_trace(),
        case("its decision is that of no other trace")
            .config(json!({"propagation": {"extract": ["xray", "b3multi"]}}))
            .sends(
                "x-amzn-trace-id",
                "Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Sampled=0",
            )
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-sampled", "1")
            .forwards(Forward::Everything)
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-sampled", is("1"))
            .both("x-amzn-trace-id", is(XRAY))
            .counts("throughline_conflicts", 1)
            .one_trace(),
        case("a synthetic test's trace begins here")
            .config(
                json!({"propagation": {"extract": ["datadog"], "inject": ["datadog", "tracecontext"]}}),
            )
            .sends("x-datadog-trace-id", DATADOG_TRACE)
            .sends("x-datadog-parent-id", "0")
            .sends("x-datadog-sampling-priority", "1")
            .sends("x-datadog-tags", DATADOG_TAGS)
            .sends("x-datadog-origin", "synthetics")
            .forwards(Forward::Everything)
            .both(
                "traceparent",
                form("00-4bf92f3577b34da6a3ce929d0e0e4736-{16}-01"),
            )
            .both("x-datadog-trace-id", is(DATADOG_TRACE))
            .both("x-datadog-parent-id", not("0"))
            .both("x-datadog-sampling-priority", is("1"))
            .both("x-datadog-origin", is("synthetics"))
            .one_trace(),
        case("the random flag is set on new traces where that is asked for")
            .config(json!({"propagation": {"randomFlag": "set"}}))
            .both("traceparent", form("00-{32}-{16}-03"))
            .one_trace(),
        case("or never leaves")
            .config(json!({"propagation": {"randomFlag": "drop"}}))
            .sends(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
            )
            .both("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("baggage is dropped where that is asked for")
            .config(json!({"propagation": {"baggage": "drop"}}))
            .sends("baggage", "userId=alice")
            .forwards(Forward::Everything)
            .both("baggage", absent()),
    ]
}
