//! A trace that comes in goes on, in every format.

use super::ids::*;
use crate::case::{Case, case};
use crate::want::{absent, is};
use serde_json::json;
use throughline_dev::app::Forward;

pub fn cases() -> Vec<Case> {
    vec![
        case("a W3C trace goes on, and B3 says the same")
            .sends("traceparent", TRACEPARENT)
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-traceid", is(TRACE))
            .both("x-b3-spanid", is(SPAN))
            .both("x-b3-sampled", is("1"))
            .both("x-b3-flags", absent())
            .both("b3", absent())
            .one_trace(),
        case("a W3C trace that is not sampled stays so")
            .sends("traceparent", TRACEPARENT_DENIED)
            .both("traceparent", is(TRACEPARENT_DENIED))
            .both("x-b3-sampled", is("0"))
            .one_trace(),
        case("B3 in several headers goes on, and W3C says the same")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-parentspanid", PARENT)
            .sends("x-b3-sampled", "1")
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-traceid", is(TRACE))
            .both("x-b3-spanid", is(SPAN))
            .both("x-b3-parentspanid", is(PARENT))
            .both("x-b3-sampled", is("1"))
            .one_trace(),
        case("B3 with 64 bits keeps them, and W3C has them with zeros in front")
            .sends("x-b3-traceid", LOW)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-sampled", "1")
            .both("x-b3-traceid", is(LOW))
            .both("traceparent", is(TRACEPARENT_LOW))
            .one_trace(),
        case("B3 in one header goes on, in every format")
            .sends("b3", format!("{TRACE}-{SPAN}-1-{PARENT}"))
            .both("b3", is(format!("{TRACE}-{SPAN}-1-{PARENT}")))
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-traceid", is(TRACE))
            .one_trace(),
        case("B3 in one header with 64 bits goes on, in every format")
            .sends("b3", format!("{LOW}-{SPAN}-1"))
            .both("b3", is(format!("{LOW}-{SPAN}-1")))
            .both("traceparent", is(TRACEPARENT_LOW))
            .both("x-b3-traceid", is(LOW))
            .one_trace(),
        case("B3 that denies is not sampled in W3C")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-sampled", "0")
            .both("traceparent", is(TRACEPARENT_DENIED))
            .both("x-b3-sampled", is("0"))
            .one_trace(),
        case("B3's debug stays debug, and is sampled in W3C")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-flags", "1")
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-flags", is("1"))
            .both("x-b3-sampled", absent())
            .one_trace(),
        case("B3 that defers is decided by the sampler: by default it samples")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-sampled", is("1"))
            .one_trace(),
        case("B3 that defers is decided by the sampler: always_off denies")
            .config(json!({"sampling": {"sampler": "parentbased_always_off"}}))
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .both("traceparent", is(TRACEPARENT_DENIED))
            .both("x-b3-sampled", is("0"))
            .one_trace(),
        case("a service that forwards B3 only stays on the trace that came as W3C")
            .sends("traceparent", TRACEPARENT)
            .forwards(Forward::B3_MULTI)
            .callee("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("a service that forwards traceparent only stays on the trace that came as B3")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-sampled", "1")
            .forwards(Forward::TRACEPARENT)
            .callee("x-b3-traceid", is(TRACE))
            .callee("x-b3-sampled", is("1"))
            .one_trace(),
        case("one B3 header is written where it is configured")
            .config(json!({"propagation": {"inject": ["tracecontext", "b3"]}}))
            .sends("traceparent", TRACEPARENT)
            .forwards(Forward::B3_SINGLE)
            .both("b3", is(format!("{TRACE}-{SPAN}-1")))
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-traceid", absent())
            .one_trace(),
    ]
}
