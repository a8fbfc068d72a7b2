//! The writes after which every format says the same. The only place that decides on a trace header.

use super::{
    Field, Format, Propagation, Read, Reads, TraceHeaders, b3, datadog, gcp, jaeger, tracecontext,
    xray,
};
use crate::trace::{Sampling, SpanContext, SpanId, Text, TraceId};

/// One change to the request's headers.
#[derive(Clone, Debug)]
pub enum HeaderWrite {
    /// Replaces all values of the name, or adds the first.
    Set(&'static str, Value),
    Remove(&'static str),
}

/// What a header is to hold.
#[derive(Clone, Debug)]
pub enum Value {
    /// Of a length that is known.
    Short(Text),
    /// With parts that came in.
    Long(Vec<u8>),
}

impl Value {
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(text) => text.as_bytes(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Short(text)
    }
}

/// The changes to one request: at most one for each known header. As many as W3C and B3 take are held without allocation.
#[derive(Clone, Debug, Default)]
pub struct HeaderWrites {
    slots: [Option<HeaderWrite>; 8],
    len: usize,
    others: Vec<HeaderWrite>,
}

impl HeaderWrites {
    fn push(&mut self, write: HeaderWrite) {
        match self.slots.get_mut(self.len) {
            Some(slot) => {
                *slot = Some(write);
                self.len = self.len.saturating_add(1);
            }
            None => self.others.push(write),
        }
    }

    /// What `name` is to hold, if that changes.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.iter().find_map(|write| match write {
            HeaderWrite::Set(known, value) if *known == name => Some(value.as_bytes()),
            _ => None,
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &HeaderWrite> {
        self.slots.iter().flatten().chain(&self.others)
    }

    /// Makes `name` hold `value` once, if it does not yet.
    fn ensure(&mut self, name: &'static str, field: Field<'_>, value: impl Into<Value>) {
        let value = value.into();
        if !field.is_exactly(value.as_bytes()) {
            self.push(HeaderWrite::Set(name, value));
        }
    }

    fn remove(&mut self, name: &'static str, field: Field<'_>) {
        if field.is_present() {
            self.push(HeaderWrite::Remove(name));
        }
    }

    /// Removes what came in of that format.
    pub(super) fn withdraw(&mut self, headers: &TraceHeaders<'_>, format: Format) {
        for (name, field) in headers.fields(format) {
            self.remove(name, field);
        }
    }
}

/// W3C's list, which leaves only beside the trace it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    Removed,
    AsItCame,
    /// Never empty.
    Is(Vec<u8>),
}

/// What must change in `headers` so that all formats leave on `context` but the one `left_out`, and nothing else.
pub fn inject(
    propagation: &Propagation,
    headers: &TraceHeaders<'_>,
    reads: &Reads,
    context: &SpanContext,
    list: List,
    left_out: Option<Format>,
) -> HeaderWrites {
    let mut writes = HeaderWrites::default();
    let leaves =
        |format| Some(format) != left_out && propagation.writes(format, headers.has(format));
    if leaves(Format::TraceContext) {
        let traceparent = tracecontext::traceparent(context);
        writes.ensure("traceparent", headers.traceparent, traceparent);
        match list {
            List::Removed => writes.remove("tracestate", headers.tracestate),
            List::AsItCame => {}
            List::Is(list) => writes.ensure("tracestate", headers.tracestate, Value::Long(list)),
        }
    } else {
        writes.withdraw(headers, Format::TraceContext);
    }
    if leaves(Format::B3Multi) {
        write_multi(&mut writes, headers, reads.get(Format::B3Multi), context);
    } else {
        writes.withdraw(headers, Format::B3Multi);
    }
    if leaves(Format::B3) {
        write_single(&mut writes, headers.b3, reads.get(Format::B3), context);
    } else {
        writes.withdraw(headers, Format::B3);
    }
    let read = |format| leaves(format).then(|| reads.get(format));
    let single = [
        (
            Format::Jaeger,
            "uber-trace-id",
            headers.uber_trace_id,
            jaeger::value as fn(&SpanContext) -> Text,
        ),
        (
            Format::XRay,
            "x-amzn-trace-id",
            headers.x_amzn_trace_id,
            xray::value,
        ),
        (
            Format::Gcp,
            "x-cloud-trace-context",
            headers.x_cloud_trace_context,
            gcp::value,
        ),
        (
            Format::GrpcTraceBin,
            "grpc-trace-bin",
            headers.grpc_trace_bin,
            gcp::binary,
        ),
    ];
    for (format, name, field, value) in single {
        match read(format) {
            Some(read) if says(field, read, context, format) => {}
            Some(_) => writes.ensure(name, field, value(context)),
            None => writes.remove(name, field),
        }
    }
    write_datadog(&mut writes, headers, read(Format::Datadog), context);
    writes
}

/// Whether a header that came in once says what `context` says, however it spells it.
fn says(field: Field<'_>, read: Option<Read>, context: &SpanContext, format: Format) -> bool {
    // Of these formats only Jaeger's can say debug.
    let decided = |sampling: Sampling| match format {
        Format::Jaeger => sampling == context.sampling,
        _ => sampling.is_sampled() == context.sampling.is_sampled(),
    };
    field.count == 1
        && read.is_some_and(|read| {
            read.ids == Some((context.trace_id, context.span_id))
                && read.sampling.is_some_and(decided)
        })
}

/// `read` is `None` where the format does not leave.
fn write_datadog(
    writes: &mut HeaderWrites,
    headers: &TraceHeaders<'_>,
    read: Option<Option<Read>>,
    context: &SpanContext,
) {
    let (Some(read), Some(trace_id)) = (read, datadog::trace_id(context)) else {
        writes.withdraw(headers, Format::Datadog);
        return;
    };
    // What says the same stays, with leading zeros and with its tags in any order.
    let (said_trace, said_span) = read.and_then(|read| read.ids).unzip();
    if said_trace != Some(context.trace_id) {
        writes.ensure("x-datadog-trace-id", headers.datadog_trace_id, trace_id);
    }
    if said_span != Some(context.span_id) {
        let span_id = Text::new().push_decimal(context.span_id.bits());
        writes.ensure("x-datadog-parent-id", headers.datadog_parent_id, span_id);
    }
    // Who decided is told by the number: it stays while the decision does.
    let priority = read.and_then(|read| read.sampling);
    let is_decided = priority.is_some_and(|decision| {
        decision.is_sampled() == context.sampling.is_sampled()
            && context.sampling != Sampling::Debug
    });
    if !is_decided {
        let priority: &[u8] = match context.sampling {
            Sampling::Deny => b"0",
            Sampling::Accept => b"1",
            Sampling::Debug => b"2",
        };
        writes.ensure(
            "x-datadog-sampling-priority",
            headers.datadog_sampling_priority,
            Text::new().push(priority),
        );
    }
    let is_on_trace = is_on_trace(read, context.trace_id);
    if is_on_trace && datadog::tags_say(headers, context) {
        return;
    }
    let tags = datadog::tags_of(headers, context, is_on_trace);
    if tags.is_empty() {
        writes.remove("x-datadog-tags", headers.datadog_tags);
    } else {
        writes.ensure("x-datadog-tags", headers.datadog_tags, Value::Long(tags));
    }
}

fn is_on_trace(read: Option<Read>, trace_id: TraceId) -> bool {
    read.and_then(|read| read.trace_id())
        .is_some_and(|id| id.is_same_trace(trace_id))
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
