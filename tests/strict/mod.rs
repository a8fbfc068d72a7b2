//! An independent reader of what leaves: written from the specifications alone and stricter than the filter's own parser,
//! so that the filter cannot excuse what it writes by what it would read.
//!
//! Stricter means: one header of each name, no white space, no `true`, version `00`, no unknown flags, and always a decision.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use crate::support::Outcome;
use throughline_dev::http::TRACE_HEADERS;

pub const TRACEPARENT: &str = "traceparent";
pub const TRACESTATE: &str = "tracestate";
pub const B3: &str = "b3";
pub const TRACE: &str = "x-b3-traceid";
pub const SPAN: &str = "x-b3-spanid";
pub const PARENT: &str = "x-b3-parentspanid";
pub const SAMPLED: &str = "x-b3-sampled";
pub const FLAGS: &str = "x-b3-flags";
pub const MULTI: [&str; 5] = [TRACE, SPAN, PARENT, SAMPLED, FLAGS];

/// Those of other formats.
pub fn vendors() -> Vec<&'static str> {
    let ours = [&[TRACEPARENT, TRACESTATE, B3], MULTI.as_slice()].concat();
    let others = TRACE_HEADERS.into_iter();
    others.filter(|name| !ours.contains(name)).collect()
}

pub fn known(name: &str) -> bool {
    TRACE_HEADERS.contains(&name)
}

/// Whether a request reports spans: `b3: 0`, once, and nothing else that says anything of a trace ("Deciding" 3 in
/// docs/propagation.md). It passes as it is.
pub fn is_exporters(headers: &[(String, Vec<u8>)]) -> bool {
    let all = |name: &str| -> Vec<&[u8]> {
        let same = headers.iter().filter(|(known, _)| known == name);
        same.map(|(_, value)| value.as_slice()).collect()
    };
    let others = [&[TRACEPARENT], MULTI.as_slice(), &vendors()].concat();
    all(B3) == [b"0"] && others.iter().all(|name| all(name).is_empty())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Deny,
    Accept,
    Debug,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    pub trace: u128,
    pub span: u64,
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}/{:016x}", self.trace, self.span)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceparent {
    pub ids: Ids,
    pub sampled: bool,
    pub random: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct B3Context {
    pub ids: Ids,
    pub decision: Decision,
    pub parent: Option<u64>,
}

/// Everything known that leaves.
#[derive(Clone, Debug)]
pub struct Leaves {
    pub traceparent: Option<Traceparent>,
    pub tracestate: Vec<Vec<u8>>,
    pub multi: Option<B3Context>,
    pub single: Option<B3Context>,
}

/// The one context that all formats which leave must be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub ids: Ids,
    pub sampled: bool,
    /// W3C alone cannot say.
    pub debug: Option<bool>,
}

impl Leaves {
    pub fn read(outcome: &Outcome) -> Result<Self, String> {
        let one = |name: &str| match outcome.all(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value.to_vec())),
            more => Err(format!("{} headers {name} leave", more.len())),
        };
        let read_traceparent = |v: Vec<u8>| traceparent(&v).ok_or_else(|| invalid(TRACEPARENT, &v));
        let read_single = |v: Vec<u8>| single(&v).ok_or_else(|| invalid(B3, &v));
        let leaves = Self {
            traceparent: one(TRACEPARENT)?.map(read_traceparent).transpose()?,
            tracestate: outcome.all(TRACESTATE).iter().map(|v| v.to_vec()).collect(),
            multi: multi(one)?,
            single: one(B3)?.map(read_single).transpose()?,
        };
        if leaves.traceparent.is_none() && !leaves.tracestate.is_empty() {
            return Err("tracestate leaves without a traceparent".into());
        }
        if !tracestate(&leaves.tracestate) {
            return Err(format!(
                "invalid tracestate leaves: {:?}",
                leaves.tracestate
            ));
        }
        Ok(leaves)
    }

    pub fn agreed(&self) -> Result<Agreed, String> {
        let mut said = Vec::new();
        if let Some(w3c) = &self.traceparent {
            said.push((
                TRACEPARENT,
                Agreed {
                    ids: w3c.ids,
                    sampled: w3c.sampled,
                    debug: None,
                },
            ));
        }
        for (name, b3) in [("x-b3-*", &self.multi), (B3, &self.single)] {
            if let Some(b3) = b3 {
                let sampled = b3.decision != Decision::Deny;
                let debug = Some(b3.decision == Decision::Debug);
                said.push((
                    name,
                    Agreed {
                        ids: b3.ids,
                        sampled,
                        debug,
                    },
                ));
            }
        }
        let (_, mut agreed) = *said.last().ok_or("no trace context leaves")?;
        for (name, other) in &said {
            agreed.debug = agreed.debug.or(other.debug);
            let same_debug = other.debug.is_none() || other.debug == agreed.debug;
            if other.ids != agreed.ids || other.sampled != agreed.sampled || !same_debug {
                return Err(format!("{name} disagrees: {said:?}"));
            }
        }
        Ok(agreed)
    }
}

fn invalid(name: &str, value: &[u8]) -> String {
    format!(
        "invalid {name} leaves: {:?}",
        String::from_utf8_lossy(value)
    )
}

/// Lower-case hex digits, exactly `digits` of them, and not all zero.
pub fn id(text: &[u8], digits: usize) -> Option<u128> {
    let valid = text.len() == digits && text.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let text = std::str::from_utf8(text).ok().filter(|_| valid)?;
    u128::from_str_radix(text, 16).ok().filter(|id| *id != 0)
}

pub fn b3_trace(text: &[u8]) -> Option<u128> {
    id(text, 32).or_else(|| id(text, 16))
}

pub fn span(text: &[u8]) -> Option<u64> {
    id(text, 16).and_then(|id| u64::try_from(id).ok())
}

/// W3C Trace Context Level 2, version 00, as a sender may write it: only the two known flags.
pub fn traceparent(value: &[u8]) -> Option<Traceparent> {
    let fields: Vec<&[u8]> = value.split(|b| *b == b'-').collect();
    let [b"00", trace, parent, flags] = fields.as_slice() else {
        return None;
    };
    let flags = match *flags {
        b"00" => 0,
        b"01" => 1,
        b"02" => 2,
        b"03" => 3,
        _ => return None,
    };
    let ids = Ids {
        trace: id(trace, 32)?,
        span: span(parent)?,
    };
    Some(Traceparent {
        ids,
        sampled: flags & 1 != 0,
        random: flags & 2 != 0,
    })
}

/// The single header with ids and a decision: what a proxy that always decides may send.
pub fn single(value: &[u8]) -> Option<B3Context> {
    let fields: Vec<&[u8]> = value.split(|b| *b == b'-').collect();
    let (trace, span_id, state, parent) = match *fields.as_slice() {
        [trace, span_id, state] => (trace, span_id, state, None),
        [trace, span_id, state, parent] => (trace, span_id, state, Some(span(parent)?)),
        _ => return None,
    };
    let decision = match state {
        b"0" => Decision::Deny,
        b"1" => Decision::Accept,
        b"d" => Decision::Debug,
        _ => return None,
    };
    Some(B3Context {
        ids: Ids {
            trace: b3_trace(trace)?,
            span: span(span_id)?,
        },
        decision,
        parent,
    })
}

/// The several headers. `x-b3-flags` other than `1` means nothing to any reader and may pass.
fn multi(
    one: impl Fn(&str) -> Result<Option<Vec<u8>>, String>,
) -> Result<Option<B3Context>, String> {
    let (trace, span_id) = (one(TRACE)?, one(SPAN)?);
    let (parent, sampled, flags) = (one(PARENT)?, one(SAMPLED)?, one(FLAGS)?);
    let debug = flags.as_deref() == Some(b"1");
    let (Some(trace), Some(span_id)) = (&trace, &span_id) else {
        let rest = [
            (TRACE, &trace),
            (SPAN, &span_id),
            (PARENT, &parent),
            (SAMPLED, &sampled),
        ];
        return match rest.iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) => Err(format!("{name} leaves without the other x-b3-* headers")),
            None if debug => Err(format!("{FLAGS}: 1 leaves without ids")),
            None => Ok(None),
        };
    };
    let decision = match (debug, sampled.as_deref()) {
        (true, None) => Decision::Debug,
        (true, Some(_)) => return Err(format!("{SAMPLED} leaves beside {FLAGS}: 1")),
        (false, Some(b"0")) => Decision::Deny,
        (false, Some(b"1")) => Decision::Accept,
        (false, None) => return Err(format!("x-b3-* leaves without {SAMPLED}")),
        (false, Some(other)) => return Err(invalid(SAMPLED, other)),
    };
    let ids = Ids {
        trace: b3_trace(trace).ok_or_else(|| invalid(TRACE, trace))?,
        span: span(span_id).ok_or_else(|| invalid(SPAN, span_id))?,
    };
    let parent = match parent {
        Some(parent) => Some(span(&parent).ok_or_else(|| invalid(PARENT, &parent))?),
        None => None,
    };
    Ok(Some(B3Context {
        ids,
        decision,
        parent,
    }))
}

/// W3C Trace Context Level 2, §3.3.1: the fields together are one list.
pub fn tracestate(fields: &[Vec<u8>]) -> bool {
    let list = fields.join(&b","[..]);
    let members = list
        .split(|b| *b == b',')
        .map(trim)
        .filter(|member| !member.is_empty());
    let mut count = 0;
    for member in members {
        count += 1;
        let Some(equals) = member.iter().position(|b| *b == b'=') else {
            return false;
        };
        let (key, value) = (&member[..equals], &member[equals + 1..]);
        let first = key
            .first()
            .is_some_and(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'));
        let rest = key
            .iter()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'));
        let opaque = value.iter().all(|b| matches!(b, 0x20..=0x7e) && *b != b'=');
        if !first || !rest || !opaque || key.len() > 256 || !(1..=256).contains(&value.len()) {
            return false;
        }
    }
    count <= 32
}

/// The members of a list and the concerns of `ot`, without the order that a new threshold may change.
pub fn without_threshold(fields: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (ot, mut others): (Vec<_>, Vec<_>) = members(fields)
        .into_iter()
        .partition(|member| member.starts_with(b"ot="));
    // A member more may cost the last of 32.
    others.truncate(31);
    let concerns = ot.first().map(|member| member[3..].split(|b| *b == b';'));
    let kept = concerns.into_iter().flatten().map(<[u8]>::to_vec);
    others.extend(kept.filter(|concern| is_concern(concern) && !concern.starts_with(b"th:")));
    others
}

/// OpenTelemetry, trace/tracestate-handling.md: what is written otherwise need not stay.
fn is_concern(concern: &[u8]) -> bool {
    let text = String::from_utf8_lossy(concern);
    let Some((key, value)) = text.split_once(':') else {
        return false;
    };
    let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(is_key)
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Whether `ot`'s threshold, if one is there, makes this very decision (OpenTelemetry,
/// trace/tracestate-probability-sampling.md, "Decision algorithm"). Digits compare as texts do.
pub fn is_consistent(fields: &[Vec<u8>], trace: u128, sampled: bool) -> bool {
    // Of two under one key none counts.
    let of_ot = |key: &str| -> Vec<String> {
        let members = members(fields);
        let ot = members
            .iter()
            .find_map(|member| member.strip_prefix(b"ot="))
            .unwrap_or_default();
        let ot = String::from_utf8_lossy(ot).into_owned();
        let concerns = ot.split(';');
        let all = concerns.filter_map(|concern| concern.strip_prefix(key));
        all.map(str::to_owned).collect()
    };
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let thresholds = of_ot("th:");
    let [threshold] = thresholds.as_slice() else {
        return thresholds.is_empty();
    };
    let randomness = match of_ot("rv:").as_slice() {
        [rv] if rv.len() == 14 && is_hex(rv) => rv.clone(),
        _ => format!("{:014x}", trace & ((1 << 56) - 1)),
    };
    is_hex(threshold) && (randomness >= format!("{threshold:0<14}")) == sampled
}

fn members(fields: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let list = fields.join(&b","[..]);
    let members = list.split(|b| *b == b',').map(trim);
    let members = members.filter(|member| !member.is_empty());
    members.map(<[u8]>::to_vec).collect()
}

/// Without the optional white space around it.
pub fn trim(value: &[u8]) -> &[u8] {
    let ows = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !ows(b)).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|b| !ows(b))
        .map_or(start, |last| last + 1);
    &value[start..end]
}
