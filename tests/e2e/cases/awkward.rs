//! Bytes, lengths and lists that trip others up.

use super::ids::*;
use crate::case::{Case, case};
use crate::want::{absent, fields, form, is};
use throughline_dev::app::Forward;

pub fn cases() -> Vec<Case> {
    vec![
        case("values and neighbours that are not UTF-8 pass, and the trace goes on")
            .sends("traceparent", TRACEPARENT)
            .sends("x-name", b"Andr\xe9")
            .sends("x-bytes", b"\xff\xfe\x80")
            .forwards(Forward::Everything)
            .both("x-name", is(b"Andr\xe9"))
            .both("x-bytes", is(b"\xff\xfe\x80"))
            .both("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("trace headers that are not UTF-8 are rejected, and a trace starts")
            .sends(
                "traceparent",
                b"00-4bf92f3577b34da6a3ce929d0e0e473\xff-00f067aa0ba902b7-01",
            )
            .sends("tracestate", b"a=\xff")
            .sends("b3", b"\xff\xff")
            .sends("x-b3-traceid", b"\x80")
            .forwards(Forward::Everything)
            .both("traceparent", form("00-{32}-{16}-01"))
            .both("tracestate", absent())
            .both("b3", form("{32}-{16}-1"))
            .one_trace(),
        case("a header of 60 KiB passes, and the trace goes on")
            .sends("traceparent", TRACEPARENT)
            .sends("x-large", "x".repeat(60 << 10))
            .forwards(Forward::Everything)
            .both("x-large", is("x".repeat(60 << 10)))
            .both("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("a traceparent of 60 KiB is rejected, and a trace starts")
            .sends(
                "traceparent",
                format!("{TRACEPARENT}-{}", "0".repeat(60 << 10)),
            )
            .both("traceparent", form("00-{32}-{16}-01"))
            .one_trace(),
        case("baggage passes byte for byte")
            .sends("baggage", b"userId=Am%C3%A9lie,  serverNode = DF%2028;p=1")
            .sends("baggage", b"raw=\xff")
            .forwards(Forward::Everything)
            .both(
                "baggage",
                fields([
                    &b"userId=Am%C3%A9lie,  serverNode = DF%2028;p=1"[..],
                    b"raw=\xff",
                ]),
            ),
        case("a tracestate over several fields passes as it is")
            .sends("traceparent", TRACEPARENT)
            .sends("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
            .sends("tracestate", "vendor@tenant=1 , ,other=2")
            .both(
                "tracestate",
                fields([
                    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                    "vendor@tenant=1 , ,other=2",
                ]),
            )
            .both("traceparent", is(TRACEPARENT)),
        case("a tracestate with a bad member is removed, and the trace goes on")
            .sends("traceparent", TRACEPARENT)
            .sends("tracestate", "rojo=00f067aa0ba902b7")
            .sends("tracestate", "Not A Key=1")
            .both("tracestate", absent())
            .both("traceparent", is(TRACEPARENT))
            .one_trace(),
        case("a tracestate without a traceparent is removed")
            .sends("tracestate", "rojo=00f067aa0ba902b7")
            .both("tracestate", absent())
            .both("traceparent", form("00-{32}-{16}-01")),
    ]
}
