//! All formats at once.

use crate::strict::{B3, SAMPLED, SPAN, TRACE, TRACEPARENT};
use crate::{CLOUD, DD_PARENT, DD_PRIORITY, DD_TAGS, DD_TRACE, Row, UBER, XRAY, check, row};

const ALL: &str = "extract tracecontext b3 jaeger xray datadog gcp; inject tracecontext b3multi b3 jaeger xray datadog gcp";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("one comes in, all leave", ALL, &[(CLOUD, "{T}/{S#};o=1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1"), (UBER, "{T}:{S}:0:1"),
          (XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=1"), (DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high}"),
          (CLOUD, "{T}/{S#};o=1")], ""),
    row("each on a trace of its own: the first of extract", ALL, &[(CLOUD, "{U}/{V#};o=1"), (XRAY, "Root=1-{T8}-{T24};Parent={V};Sampled=1"), (UBER, "{T}:{S}:0:0")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (B3, "{T}-{S}-0"), (UBER, "{T}:{S}:0:0"),
          (XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=0"), (DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "0"), (DD_TAGS, "_dd.p.tid={high}"),
          (CLOUD, "{T}/{S#};o=0")], ""),
    row("b3: 0 beside another trace is no exporter's", "extract tracecontext jaeger; inject tracecontext", &[(B3, "0"), (UBER, "{T}:{S}:0:1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (UBER, "{T}:{S}:0:1"), (B3, "{T}-{S}-1")], ""),
];

#[test]
fn every_row_holds() {
    check(ROWS);
}
