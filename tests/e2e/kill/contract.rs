//! What docs/propagation.md says about what came in, read from its tables and not from the filter's code.

use crate::formats::is_id;
use throughline_dev::http::{Headers, TRACE_HEADERS};

/// A context that came in. The decision is `None` where it was deferred, or where this reader leaves it open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Came {
    /// 32 digits.
    pub trace_id: String,
    pub span_id: String,
    pub sampled: Option<bool>,
    /// B3's.
    parent: Option<String>,
}

/// A format that is read, by its name in `extract`; `b3` is the single header only.
pub type Format = &'static str;

/// Whether it reports spans: `b3: 0` and nothing else of a trace. It passes as it is, whatever is configured.
pub fn is_exporters(headers: &Headers) -> bool {
    let others =
        |name: &str| TRACE_HEADERS.contains(&name) && !["b3", "tracestate"].contains(&name);
    let is_alone = headers.all("b3").count() == 1 && headers.filtered(others).is_empty();
    is_alone && first(headers, "b3").as_deref() == Some("0")
}

/// The context that goes on: the first format that yields ids, with the wider trace id of another on the same trace, and
/// the span of one that is its child.
pub fn continued(headers: &Headers, order: &[Format]) -> Option<Came> {
    let came: Vec<Came> = order
        .iter()
        .filter_map(|format| read(headers, format))
        .collect();
    let (mut first, others) = came
        .split_first()
        .map(|(first, others)| (first.clone(), others))?;
    for other in others {
        let (high, low) = first.trace_id.split_at(16);
        let is_same = other.trace_id == first.trace_id
            || (other.trace_id.ends_with(low)
                && (high == ZEROS || other.trace_id.starts_with(ZEROS)));
        if !is_same {
            continue;
        }
        if high == ZEROS {
            first.trace_id.clone_from(&other.trace_id);
        }
        if other.parent.as_ref() == Some(&first.span_id) {
            first.span_id.clone_from(&other.span_id);
        }
    }
    Some(first)
}

const ZEROS: &str = "0000000000000000";

pub fn read(headers: &Headers, format: Format) -> Option<Came> {
    match format {
        "tracecontext" => traceparent(headers),
        "b3" => single(headers),
        _ => multi(headers),
    }
}

fn traceparent(headers: &Headers) -> Option<Came> {
    let value = first(headers, "traceparent")?;
    if headers.all("traceparent").count() != 1 {
        return None;
    }
    let (fixed, rest) = value.split_at_checked(55)?;
    let [version, trace_id, span_id, flags] =
        fixed.split('-').collect::<Vec<_>>().try_into().ok()?;
    let is_version = match (version, rest) {
        ("ff", _) => false,
        ("00", rest) => rest.is_empty(),
        (_, rest) => rest.is_empty() || rest.starts_with('-'),
    };
    let pair = |text: &str| text.len() == 2 && is_id(&format!("{text}1"), &[3]);
    if !is_version || !pair(version) || !pair(flags) {
        return None;
    }
    let bits = u8::from_str_radix(flags, 16).ok()?;
    came(trace_id, span_id, &[32], Some(bits & 1 == 1))
}

fn single(headers: &Headers) -> Option<Came> {
    let value = first(headers, "b3")?;
    let state = |word| match word {
        "1" | "d" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    let is_parent = |text: &str| is_id(text, &[16]) || text == ZEROS;
    match value.split('-').collect::<Vec<_>>().as_slice() {
        [trace_id, span_id] => came(trace_id, span_id, &[16, 32], None),
        [trace_id, span_id, parent] if is_parent(parent) => Some(Came {
            parent: Some((*parent).to_owned()),
            ..came(trace_id, span_id, &[16, 32], None)?
        }),
        [trace_id, span_id, word] => came(trace_id, span_id, &[16, 32], Some(state(word)?)),
        [trace_id, span_id, word, parent] if is_parent(parent) => Some(Came {
            parent: Some((*parent).to_owned()),
            ..came(trace_id, span_id, &[16, 32], Some(state(word)?))?
        }),
        _ => None,
    }
}

fn multi(headers: &Headers) -> Option<Came> {
    let sampled = first(headers, "x-b3-sampled").map(|word| word.to_ascii_lowercase());
    let is_debug = first(headers, "x-b3-flags").as_deref() == Some("1");
    let is_known = matches!(
        sampled.as_deref(),
        None | Some("0" | "1" | "true" | "false")
    );
    if !is_debug && !is_known {
        return None;
    }
    let (trace_id, span_id) = (
        first(headers, "x-b3-traceid")?,
        first(headers, "x-b3-spanid")?,
    );
    // The single header may hold a decision for it: left open.
    let decided = match sampled.as_deref() {
        _ if headers.contains("b3") => None,
        _ if is_debug => Some(true),
        word => word.map(|word| matches!(word, "1" | "true")),
    };
    Some(Came {
        parent: first(headers, "x-b3-parentspanid").filter(|parent| is_id(parent, &[16])),
        ..came(&trace_id, &span_id, &[16, 32], decided)?
    })
}

fn came(trace_id: &str, span_id: &str, lengths: &[usize], sampled: Option<bool>) -> Option<Came> {
    (is_id(trace_id, lengths) && is_id(span_id, &[16])).then(|| Came {
        trace_id: format!("{trace_id:0>32}"),
        span_id: span_id.to_owned(),
        sampled,
        parent: None,
    })
}

/// The first value without optional white space. A byte that is not ASCII is never part of anything valid.
fn first(headers: &Headers, name: &str) -> Option<String> {
    let text = headers.get(name)?.iter().map(|byte| char::from(*byte));
    let text: String = text.collect();
    Some(text.trim_matches([' ', '\t']).to_owned())
}
