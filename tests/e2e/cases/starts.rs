//! Where no trace comes in, one starts.

use crate::case::{Case, case};
use crate::want::{absent, form, is};
use serde_json::json;
use throughline_dev::app::Forward;

pub fn cases() -> Vec<Case> {
    vec![
        case("a request without trace headers starts a trace, in every format")
            .both("traceparent", form("00-{32}-{16}-01"))
            .both("x-b3-traceid", form("{32}"))
            .both("x-b3-spanid", form("{16}"))
            .both("x-b3-sampled", is("1"))
            .both("x-b3-parentspanid", absent())
            .both("b3", absent())
            .both("tracestate", absent())
            .one_trace(),
        case("a trace that starts under always_off is not sampled")
            .config(json!({"sampling": {"sampler": "parentbased_always_off"}}))
            .both("traceparent", form("00-{32}-{16}-00"))
            .both("x-b3-sampled", is("0"))
            .one_trace(),
        case("a B3 decision without ids decides over the trace that starts")
            .sends("x-b3-sampled", "0")
            .both("traceparent", form("00-{32}-{16}-00"))
            .both("x-b3-sampled", is("0"))
            .one_trace(),
        case("a service that forwards nothing starts another trace at its call")
            .forwards(Forward::Nothing)
            .callee("traceparent", form("00-{32}-{16}-01")),
    ]
}
