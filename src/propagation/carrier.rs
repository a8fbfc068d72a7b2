//! The request's headers as the host hands them over, and the few of them that carry a trace.

use super::{Format, Reason};

/// All request headers, in one buffer, read with one host call and without copying a name or a value.
///
/// The layout is proxy-wasm's map serialisation (ABI 0.2.1): the number of pairs, then for each pair the length of
/// name and value, all `u32` little-endian, then names and values, each closed by a zero byte. A buffer that does
/// not hold what it announces yields the pairs before the fault.
#[derive(Debug, Default)]
pub struct Headers(Vec<u8>);

impl Headers {
    pub const fn from_serialized(buffer: Vec<u8>) -> Self {
        Self(buffer)
    }

    /// The same layout for headers of our own.
    pub fn serialize<T: AsRef<[u8]>>(headers: &[(T, T)]) -> Vec<u8> {
        let length = |text: &T| {
            let length = text.as_ref().len();
            u32::try_from(length).unwrap_or(0).to_le_bytes()
        };
        let count = u32::try_from(headers.len()).unwrap_or(0);
        let mut buffer = count.to_le_bytes().to_vec();
        for (name, value) in headers {
            buffer.extend_from_slice(&length(name));
            buffer.extend_from_slice(&length(value));
        }
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            buffer.extend_from_slice(text.as_ref());
            buffer.push(0);
        }
        buffer
    }

    pub fn into_serialized(self) -> Vec<u8> {
        self.0
    }

    /// Names (lower case, as Envoy holds them) and values, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let (count, rest) = self.0.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or(0);
        let (lengths, texts) = rest
            .split_at_checked(count.saturating_mul(8))
            .unwrap_or((&[], &[]));
        Pairs { lengths, texts }
    }

    /// The first value of `name`, which is lower case.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Every value of `name`, which is lower case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.iter()
            .filter(move |(candidate, _)| *candidate == name.as_bytes())
            .map(|(_, value)| value)
    }
}

#[derive(Clone)]
struct Pairs<'a> {
    lengths: &'a [u8],
    texts: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn length(&mut self) -> Option<usize> {
        let (length, rest) = self.lengths.split_first_chunk::<4>()?;
        self.lengths = rest;
        usize::try_from(u32::from_le_bytes(*length)).ok()
    }

    fn text(&mut self, length: usize) -> Option<&'a [u8]> {
        let (text, rest) = self.texts.split_at_checked(length)?;
        self.texts = rest.split_first()?.1;
        Some(text)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = (self.length()?, self.length()?);
        Some((self.text(name)?, self.text(value)?))
    }
}

/// One header name's occurrences in a request: the first value and how many there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Field<'a> {
    pub first: Option<&'a [u8]>,
    pub count: usize,
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a [u8]) {
        self.first.get_or_insert(value);
        self.count = self.count.saturating_add(1);
    }

    pub const fn is_present(self) -> bool {
        self.first.is_some()
    }

    /// Whether the request holds this header once, with exactly this value.
    pub fn is_exactly(self, value: &[u8]) -> bool {
        self.count == 1 && self.first == Some(value)
    }

    /// The trimmed value where there is one; several say nothing together.
    pub fn alone(self) -> Result<Option<&'a [u8]>, Reason> {
        if self.count > 1 {
            return Err(Reason::Repeated);
        }
        Ok(self.trimmed())
    }

    /// The first value without the optional white space around it (RFC 9110 §5.6.3).
    pub fn trimmed(self) -> Option<&'a [u8]> {
        self.first.map(trim_ows)
    }
}

/// `value` without the spaces and tabs around it.
pub fn trim_ows(value: &[u8]) -> &[u8] {
    let is_ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().take_while(|byte| is_ows(byte)).count();
    let value = value.get(start..).unwrap_or_default();
    let end = value.iter().rev().take_while(|byte| is_ows(byte)).count();
    value
        .get(..value.len().saturating_sub(end))
        .unwrap_or_default()
}

/// The trace headers of one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceHeaders<'a> {
    pub traceparent: Field<'a>,
    pub tracestate: Field<'a>,
    pub b3: Field<'a>,
    pub trace_id: Field<'a>,
    pub span_id: Field<'a>,
    pub parent_span_id: Field<'a>,
    pub sampled: Field<'a>,
    pub flags: Field<'a>,
    pub uber_trace_id: Field<'a>,
    pub x_amzn_trace_id: Field<'a>,
    pub datadog_trace_id: Field<'a>,
    pub datadog_parent_id: Field<'a>,
    pub datadog_sampling_priority: Field<'a>,
    pub datadog_tags: Field<'a>,
    pub x_cloud_trace_context: Field<'a>,
    pub grpc_trace_bin: Field<'a>,
}

impl<'a> TraceHeaders<'a> {
    pub fn of(headers: &'a Headers) -> Self {
        let mut found = Self::default();
        for (name, value) in headers.iter() {
            let field = match name {
                b"traceparent" => &mut found.traceparent,
                b"tracestate" => &mut found.tracestate,
                b"b3" => &mut found.b3,
                b"x-b3-traceid" => &mut found.trace_id,
                b"x-b3-spanid" => &mut found.span_id,
                b"x-b3-parentspanid" => &mut found.parent_span_id,
                b"x-b3-sampled" => &mut found.sampled,
                b"x-b3-flags" => &mut found.flags,
                b"uber-trace-id" => &mut found.uber_trace_id,
                b"x-amzn-trace-id" => &mut found.x_amzn_trace_id,
                b"x-datadog-trace-id" => &mut found.datadog_trace_id,
                b"x-datadog-parent-id" => &mut found.datadog_parent_id,
                b"x-datadog-sampling-priority" => &mut found.datadog_sampling_priority,
                b"x-datadog-tags" => &mut found.datadog_tags,
                b"x-cloud-trace-context" => &mut found.x_cloud_trace_context,
                b"grpc-trace-bin" => &mut found.grpc_trace_bin,
                _ => continue,
            };
            field.add(value);
        }
        found
    }

    /// Whether this is an exporter's own call: `b3: 0` and nothing else of a trace (B3, "Sampling State": it keeps
    /// the calls that report spans from making more of them).
    pub fn is_exporters(&self) -> bool {
        self.b3.is_exactly(b"0")
            && Format::ALL
                .into_iter()
                .all(|format| format == Format::B3 || !self.has(format))
    }

    /// Every header of that format, with its name.
    pub fn fields(&self, format: Format) -> [(&'static str, Field<'a>); 5] {
        let none = ("", Field::default());
        match format {
            Format::TraceContext => [
                ("traceparent", self.traceparent),
                ("tracestate", self.tracestate),
                none,
                none,
                none,
            ],
            Format::B3 => [("b3", self.b3), none, none, none, none],
            Format::B3Multi => [
                ("x-b3-traceid", self.trace_id),
                ("x-b3-spanid", self.span_id),
                ("x-b3-parentspanid", self.parent_span_id),
                ("x-b3-sampled", self.sampled),
                ("x-b3-flags", self.flags),
            ],
            Format::Jaeger => [
                ("uber-trace-id", self.uber_trace_id),
                none,
                none,
                none,
                none,
            ],
            Format::XRay => [
                ("x-amzn-trace-id", self.x_amzn_trace_id),
                none,
                none,
                none,
                none,
            ],
            Format::Datadog => [
                ("x-datadog-trace-id", self.datadog_trace_id),
                ("x-datadog-parent-id", self.datadog_parent_id),
                (
                    "x-datadog-sampling-priority",
                    self.datadog_sampling_priority,
                ),
                ("x-datadog-tags", self.datadog_tags),
                none,
            ],
            Format::Gcp => [
                ("x-cloud-trace-context", self.x_cloud_trace_context),
                none,
                none,
                none,
                none,
            ],
            Format::GrpcTraceBin => [
                ("grpc-trace-bin", self.grpc_trace_bin),
                none,
                none,
                none,
                none,
            ],
        }
    }

    /// Whether any format came in, good or bad.
    pub fn are_any(&self) -> bool {
        Format::ALL.into_iter().any(|format| self.has(format))
    }

    /// Whether any header of that format came in.
    pub fn has(&self, format: Format) -> bool {
        let any = |fields: &[Field<'_>]| fields.iter().any(|field| field.is_present());
        match format {
            Format::TraceContext => self.traceparent.is_present(),
            Format::B3 => self.b3.is_present(),
            Format::B3Multi => any(&[
                self.trace_id,
                self.span_id,
                self.parent_span_id,
                self.sampled,
                self.flags,
            ]),
            Format::Jaeger => self.uber_trace_id.is_present(),
            Format::XRay => self.x_amzn_trace_id.is_present(),
            Format::Datadog => any(&[
                self.datadog_trace_id,
                self.datadog_parent_id,
                self.datadog_sampling_priority,
                self.datadog_tags,
            ]),
            Format::Gcp => self.x_cloud_trace_context.is_present(),
            Format::GrpcTraceBin => self.grpc_trace_bin.is_present(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pairs: `a: 1`, `b: ` (empty value).
    const TWO: &[u8] = b"\x02\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0a\x001\0b\0\0";

    fn pairs(buffer: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        Headers::from_serialized(buffer.to_vec())
            .iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect()
    }

    #[test]
    fn pairs_are_read_in_order() {
        assert_eq!(
            pairs(TWO),
            [
                (b"a".to_vec(), b"1".to_vec()),
                (b"b".to_vec(), b"".to_vec())
            ]
        );
    }

    #[test]
    fn a_buffer_cut_anywhere_yields_a_prefix() {
        let whole = pairs(TWO);
        for length in 0..TWO.len() {
            let cut = pairs(&TWO[..length]);
            assert!(whole.starts_with(&cut), "cut at {length}: {cut:?}");
        }
    }

    #[test]
    fn a_count_that_lies_yields_nothing() {
        assert!(pairs(b"\xff\xff\xff\xff").is_empty());
        assert!(pairs(b"\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xffa\0").is_empty());
    }

    #[test]
    fn only_spaces_and_tabs_are_trimmed() {
        for (value, expected) in [
            (" \t1\t ", "1"),
            ("", ""),
            (" ", ""),
            ("1 2", "1 2"),
            ("\x0b1", "\x0b1"),
        ] {
            assert_eq!(trim_ows(value.as_bytes()), expected.as_bytes(), "{value:?}");
        }
    }
}
