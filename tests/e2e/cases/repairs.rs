//! What is stale, contradictory or broken leaves in order.

use super::ids::*;
use crate::case::{Case, case};
use crate::want::{absent, form, is, not};
use serde_json::json;

pub fn cases() -> Vec<Case> {
    vec![
        case("a stale b3 is rewritten to agree")
            .sends("traceparent", TRACEPARENT)
            .sends("b3", format!("{OTHER_TRACE}-{OTHER_SPAN}-1"))
            .both("traceparent", is(TRACEPARENT))
            .both("b3", is(format!("{TRACE}-{SPAN}-1")))
            .one_trace(),
        case("a stale b3 is removed where that is configured")
            .config(json!({"propagation": {"staleHeaders": "remove"}}))
            .sends("traceparent", TRACEPARENT)
            .sends("b3", format!("{OTHER_TRACE}-{OTHER_SPAN}-1"))
            .both("traceparent", is(TRACEPARENT))
            .both("b3", absent())
            .one_trace(),
        case("where formats contradict each other the first in extract wins, and it is counted")
            .sends("traceparent", TRACEPARENT)
            .sends("x-b3-traceid", OTHER_TRACE)
            .sends("x-b3-spanid", OTHER_SPAN)
            .sends("x-b3-sampled", "0")
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-traceid", is(TRACE))
            .both("x-b3-spanid", is(SPAN))
            .both("x-b3-sampled", is("1"))
            // Once: behind the first proxy there is nothing left to contradict.
            .counts("throughline_conflicts", 1)
            .one_trace(),
        case("an application's own B3 span under the traceparent that it copied is the newer one")
            .sends("traceparent", TRACEPARENT)
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", OTHER_SPAN)
            .sends("x-b3-parentspanid", SPAN)
            .sends("x-b3-sampled", "1")
            .both("traceparent", is(format!("00-{TRACE}-{OTHER_SPAN}-01")))
            .both("x-b3-spanid", is(OTHER_SPAN))
            .both("x-b3-parentspanid", is(SPAN))
            .counts("throughline_conflicts", 0)
            .one_trace(),
        case("with b3 first in extract, B3 wins over W3C")
            .config(json!({"propagation": {"extract": ["b3", "tracecontext"]}}))
            .sends("traceparent", TRACEPARENT)
            .sends("tracestate", "vendor=value")
            .sends("x-b3-traceid", OTHER_TRACE)
            .sends("x-b3-spanid", OTHER_SPAN)
            .sends("x-b3-sampled", "0")
            .both(
                "traceparent",
                is(format!("00-{OTHER_TRACE}-{OTHER_SPAN}-00")),
            )
            .both("tracestate", absent())
            .both("x-b3-traceid", is(OTHER_TRACE))
            .counts("throughline_conflicts", 1)
            .one_trace(),
        case("the wider trace id is kept when B3 has its low 64 bits")
            .sends("traceparent", TRACEPARENT)
            .sends("x-b3-traceid", LOW)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-sampled", "1")
            .both("traceparent", is(TRACEPARENT))
            .both("x-b3-traceid", is(TRACE))
            .one_trace(),
        case("two traceparent headers are none")
            .sends("traceparent", TRACEPARENT)
            .sends("traceparent", TRACEPARENT)
            .both("traceparent", form("00-{32}-{16}-01"))
            .both("traceparent", not(TRACEPARENT))
            .both("x-b3-traceid", not(TRACE))
            .one_trace(),
        case("of a repeated B3 header the first counts, and one leaves")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-traceid", OTHER_TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-sampled", "1")
            .both("x-b3-traceid", is(TRACE))
            .both("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("an empty x-b3-parentspanid is removed, and the trace goes on")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-parentspanid", "")
            .sends("x-b3-sampled", "1")
            .both("x-b3-parentspanid", absent())
            .both("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("upper-case hexadecimal digits are not valid: a new trace starts")
            .sends("traceparent", TRACEPARENT.to_ascii_uppercase())
            .both("traceparent", form("00-{32}-{16}-01"))
            .both("x-b3-traceid", not(TRACE))
            .one_trace(),
    ]
}
