//! The writes after which every format says the same. The only place that decides on a trace header.

use super::{Field, Format, Propagation, Read, Reads, TraceHeaders, b3, tracecontext};
use crate::trace::{Sampling, SpanContext, SpanId, Text, TraceId};

/// One change to the request's headers.
#[derive(Clone, Copy, Debug)]
pub enum HeaderWrite {
    /// Replaces all values of the name, or adds the first.
    Set(&'static str, Text),
    Remove(&'static str),
}

/// The changes to one request: at most one for each known header, held without allocation.
#[derive(Clone, Debug, Default)]
pub struct HeaderWrites {
    slots: [Option<HeaderWrite>; 8],
    len: usize,
}

impl HeaderWrites {
    fn push(&mut self, write: HeaderWrite) {
        if let Some(slot) = self.slots.get_mut(self.len) {
            *slot = Some(write);
            self.len = self.len.saturating_add(1);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &HeaderWrite> {
        self.slots.iter().flatten()
    }

    /// Makes `name` hold `value` once, if it does not yet.
    fn ensure(&mut self, name: &'static str, field: Field<'_>, value: Text) {
        if !field.is_exactly(value.as_bytes()) {
            self.push(HeaderWrite::Set(name, value));
        }
    }

    fn remove(&mut self, name: &'static str, field: Field<'_>) {
        if field.is_present() {
            self.push(HeaderWrite::Remove(name));
        }
    }
}

/// What must change in `headers` so that all formats leave on `context`, and nothing else.
///
/// `tracestate_is_good` says whether the list that came in is valid; it stays only beside the trace it belongs to.
pub fn inject(
    propagation: &Propagation,
    headers: &TraceHeaders<'_>,
    reads: &Reads,
    context: &SpanContext,
    tracestate_is_good: bool,
) -> HeaderWrites {
    let mut writes = HeaderWrites::default();
    if propagation.writes(Format::TraceContext, headers.traceparent.is_present()) {
        let traceparent = tracecontext::traceparent(context);
        writes.ensure("traceparent", headers.traceparent, traceparent);
        if !tracestate_is_good || !is_on_trace(reads.get(Format::TraceContext), context.trace_id) {
            writes.remove("tracestate", headers.tracestate);
        }
    } else {
        writes.remove("traceparent", headers.traceparent);
        writes.remove("tracestate", headers.tracestate);
    }
    if propagation.writes(Format::B3Multi, headers.has_b3_multi()) {
        write_multi(&mut writes, headers, reads.get(Format::B3Multi), context);
    } else {
        writes.remove("x-b3-traceid", headers.trace_id);
        writes.remove("x-b3-spanid", headers.span_id);
        writes.remove("x-b3-parentspanid", headers.parent_span_id);
        writes.remove("x-b3-sampled", headers.sampled);
        writes.remove("x-b3-flags", headers.flags);
    }
    if propagation.writes(Format::B3, headers.b3.is_present()) {
        write_single(&mut writes, headers.b3, reads.get(Format::B3), context);
    } else {
        writes.remove("b3", headers.b3);
    }
    writes
}

fn is_on_trace(read: Option<Read>, trace_id: TraceId) -> bool {
    read.and_then(|read| read.ids)
        .is_some_and(|(id, _)| id.is_same_trace(trace_id))
}

fn write_multi(
    writes: &mut HeaderWrites,
    headers: &TraceHeaders<'_>,
    read: Option<Read>,
    context: &SpanContext,
) {
    // A 64-bit id may stand there with 16 digits or padded to 32: both say it, neither is rewritten.
    if !headers
        .trace_id
        .is_exactly(context.trace_id.text().as_bytes())
    {
        writes.ensure("x-b3-traceid", headers.trace_id, context.trace_id.b3_text());
    }
    writes.ensure("x-b3-spanid", headers.span_id, context.span_id.text());
    match parent_of(read, context) {
        Some(parent) => {
            writes.ensure("x-b3-parentspanid", headers.parent_span_id, parent.text());
        }
        None => writes.remove("x-b3-parentspanid", headers.parent_span_id),
    }
    let sampled: &[u8] = match context.sampling {
        // "Debug implies an accept decision, so don't also send the X-B3-Sampled header."
        Sampling::Debug => {
            writes.remove("x-b3-sampled", headers.sampled);
            writes.ensure("x-b3-flags", headers.flags, Text::new().push(b"1"));
            return;
        }
        Sampling::Accept => b"1",
        Sampling::Deny => b"0",
    };
    writes.ensure("x-b3-sampled", headers.sampled, Text::new().push(sampled));
    // Values other than 1 say nothing and may stay; behind a repeated one a 1 may hide.
    if headers.flags.count > 1 || headers.flags.trimmed() == Some(b"1") {
        writes.remove("x-b3-flags", headers.flags);
    }
}

fn write_single(
    writes: &mut HeaderWrites,
    field: Field<'_>,
    read: Option<Read>,
    context: &SpanContext,
) {
    let value = b3::single(context, parent_of(read, context));
    // The padded form of a 64-bit id says the same.
    let says_it_padded = context.trace_id.is_64_bit()
        && field.count == 1
        && field
            .first
            .and_then(|text| text.split_at_checked(16))
            .is_some_and(|(padding, text)| padding == [b'0'; 16] && text == value.as_bytes());
    if !says_it_padded {
        writes.ensure("b3", field, value);
    }
}

/// B3's parent, while the span id that it belongs to stays.
fn parent_of(read: Option<Read>, context: &SpanContext) -> Option<SpanId> {
    let (trace_id, span_id) = read?.ids?;
    read?
        .parent
        .filter(|_| span_id == context.span_id && trace_id.is_same_trace(context.trace_id))
}
