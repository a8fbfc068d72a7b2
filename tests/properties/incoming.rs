//! What a request says, by "Reading" in docs/propagation.md: a second implementation, to compare with.

use crate::strict::{
    B3, Decision, FLAGS, Ids, MULTI, PARENT, SAMPLED, SPAN, TRACE, TRACEPARENT, b3_trace, id, span,
    trim,
};

/// What one format says; formats that are rejected or absent say nothing.
#[derive(Clone, Debug)]
pub struct Said {
    pub ids: Option<Ids>,
    pub decision: Option<Decision>,
    /// B3's.
    pub parent: Option<u64>,
    pub is_w3c: bool,
    pub is_random: bool,
}

#[derive(Debug)]
pub struct Incoming {
    pub w3c: Option<Said>,
    pub single: Option<Said>,
    pub multi: Option<Said>,
    pub has_traceparent: bool,
    pub has_single: bool,
    pub has_multi: bool,
}

/// Equal, or one is 64-bit and the low half of the other.
pub fn same_trace(a: u128, b: u128) -> bool {
    let low = |id: u128| id & u128::from(u64::MAX);
    a == b || (a >> 64 == 0 || b >> 64 == 0) && low(a) == low(b)
}

impl Said {
    pub fn is_debug(&self) -> bool {
        self.decision == Some(Decision::Debug)
    }
}

impl Incoming {
    pub fn read(request: &[(String, Vec<u8>)]) -> Self {
        let all = |name: &str| -> Vec<&[u8]> {
            request
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, value)| trim(value))
                .collect()
        };
        let first = |name: &str| all(name).first().copied();
        let w3c = match all(TRACEPARENT).as_slice() {
            [value] => traceparent(value),
            _ => None,
        };
        let single = first(B3).and_then(single);
        let multi = multi(first);
        Self {
            w3c,
            single,
            multi,
            has_traceparent: first(TRACEPARENT).is_some(),
            has_single: first(B3).is_some(),
            has_multi: MULTI.iter().any(|name| first(name).is_some()),
        }
    }

    /// What the readers find, in their order.
    pub fn in_order(&self, readers: &[&str]) -> Vec<&Said> {
        let said = readers.iter().filter_map(|format| match *format {
            "tracecontext" => self.w3c.as_ref(),
            "b3" => self.single.as_ref(),
            _ => self.multi.as_ref(),
        });
        said.collect()
    }
}

fn says(ids: Option<Ids>, decision: Option<Decision>) -> Said {
    Said {
        ids,
        decision,
        parent: None,
        is_w3c: false,
        is_random: false,
    }
}

fn traceparent(value: &[u8]) -> Option<Said> {
    let (head, tail) = value.split_at_checked(55)?;
    let version = byte(&head[..2])?;
    let is_known = version == 0 && tail.is_empty();
    let is_later = (1..=0xfe).contains(&version) && (tail.is_empty() || tail[0] == b'-');
    let dashes = [head[2], head[35], head[52]] == [b'-'; 3];
    let flags = byte(&head[53..])?;
    let ids = Ids {
        trace: id(&head[3..35], 32)?,
        span: span(&head[36..52])?,
    };
    let decision = if flags & 1 == 1 {
        Decision::Accept
    } else {
        Decision::Deny
    };
    let said = Said {
        is_w3c: true,
        is_random: flags & 2 == 2,
        ..says(Some(ids), Some(decision))
    };
    (dashes && (is_known || is_later)).then_some(said)
}

fn byte(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    match digits {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

fn state(field: &[u8]) -> Option<Decision> {
    match field {
        b"0" => Some(Decision::Deny),
        b"1" => Some(Decision::Accept),
        b"d" => Some(Decision::Debug),
        _ => None,
    }
}

fn single(value: &[u8]) -> Option<Said> {
    let fields: Vec<&[u8]> = value.split(|b| *b == b'-').collect();
    let is_parent = |field: &[u8]| span(field).is_some() || field == [b'0'; 16];
    let (trace, span_id, decision, parent) = match *fields.as_slice() {
        [alone] => return Some(says(None, Some(state(alone)?))),
        [trace, span_id] => (trace, span_id, None, None),
        [trace, span_id, parent] if is_parent(parent) => (trace, span_id, None, span(parent)),
        [trace, span_id, word] => (trace, span_id, Some(state(word)?), None),
        [trace, span_id, word, parent] if is_parent(parent) => {
            (trace, span_id, Some(state(word)?), span(parent))
        }
        _ => return None,
    };
    let ids = ids(trace, span_id)?;
    Some(Said {
        parent,
        ..says(Some(ids), decision)
    })
}

fn ids(trace: &[u8], span_id: &[u8]) -> Option<Ids> {
    Some(Ids {
        trace: b3_trace(trace)?,
        span: span(span_id)?,
    })
}

fn multi<'a>(first: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Said> {
    let decision = match (first(FLAGS), first(SAMPLED)) {
        (Some(b"1"), _) => Some(Decision::Debug),
        (_, None) => None,
        (_, Some(word)) => Some(match word.to_ascii_lowercase().as_slice() {
            b"1" | b"true" => Decision::Accept,
            b"0" | b"false" => Decision::Deny,
            _ => return None,
        }),
    };
    match (first(TRACE), first(SPAN)) {
        (Some(trace), Some(span_id)) => {
            let ids = ids(trace, span_id)?;
            let parent = first(PARENT).and_then(span);
            Some(Said {
                parent,
                ..says(Some(ids), decision)
            })
        }
        (None, None) => decision.map(|decision| says(None, Some(decision))),
        _ => None,
    }
}
