//! What must hold for a request that was forwarded, whatever it held.

use super::contract;
use super::setups::Setup;
use crate::formats::{Context, agreed};
use throughline_dev::http::{Headers, TRACE_HEADERS};

/// What became of a request.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Forwarded {
    /// The trace id that was started, if one was.
    pub started: Option<String>,
    /// The span that must be exported, if one must: its id and its trace's.
    pub span: Option<(String, String)>,
}

/// What is wrong is the error.
pub fn forwarded(setup: &Setup, sent: &Headers, seen: &Headers) -> Result<Forwarded, String> {
    if contract::is_exporters(sent) {
        return passes(sent, seen).map(|()| Forwarded::default());
    }
    let context = agreed(seen)?.ok_or("no trace headers")?;
    formats(setup, seen)?;
    tracestate(setup, sent, seen, &context)?;
    neighbours(setup, sent, seen)?;
    let came = contract::continued(sent, setup.reads);
    match &came {
        Some(came) => continues(setup, came, &context)?,
        None => starts(sent, &context)?,
    }
    let ids = || (context.span_id.clone(), context.trace_id.clone());
    Ok(Forwarded {
        started: came.is_none().then(|| context.trace_id.clone()),
        span: records(setup, &context).then(ids),
    })
}

/// Whether the hop is a span of its own.
fn records(setup: &Setup, context: &Context) -> bool {
    setup.exports && context.sampled
}

/// Tags are no exception.
fn passes(sent: &Headers, seen: &Headers) -> Result<(), String> {
    let all = |headers: &Headers| {
        let trace = TRACE_HEADERS.iter().map(|name| values(headers, name));
        (trace.collect::<Vec<_>>(), foreign(headers, |_| false))
    };
    match all(sent) == all(seen) {
        true => Ok(()),
        false => Err("an exporter's call did not pass untouched".to_owned()),
    }
}

fn continues(setup: &Setup, came: &contract::Came, context: &Context) -> Result<(), String> {
    let keeps_span_id = setup.parent_based && !records(setup, context);
    let is_same = context.trace_id == came.trace_id
        && (!keeps_span_id || context.span_id == came.span_id)
        && (!records(setup, context) || context.span_id != came.span_id)
        && (!setup.parent_based
            || came
                .sampled
                .is_none_or(|sampled| sampled == context.sampled));
    match is_same {
        true => Ok(()),
        false => Err(format!("{came:?} came in, but {context:?} left")),
    }
}

fn starts(sent: &Headers, context: &Context) -> Result<(), String> {
    let holds = |value: &[u8]| {
        let id = context.trace_id.as_bytes();
        value.windows(id.len()).any(|part| part == id)
    };
    match sent.iter().find(|(_, value)| holds(value)) {
        None => Ok(()),
        Some((name, _)) => Err(format!(
            "nothing valid came in, but {} of {} left",
            context.trace_id,
            name.escape_ascii()
        )),
    }
}

fn formats(setup: &Setup, seen: &Headers) -> Result<(), String> {
    let all: [(_, &[&str]); 3] = [
        ("tracecontext", &["traceparent", "tracestate"]),
        ("b3", &["b3"]),
        (
            "b3multi",
            &[
                "x-b3-traceid",
                "x-b3-spanid",
                "x-b3-sampled",
                "x-b3-flags",
                "x-b3-parentspanid",
            ],
        ),
    ];
    for (format, names) in all {
        let first = names.first().copied().unwrap_or_default();
        if setup.writes.contains(&format) {
            if !seen.contains(first) {
                return Err(format!("{first} is missing"));
            }
        } else if setup.removes
            && let Some(left) = names.iter().find(|name| seen.contains(name))
        {
            return Err(format!("{left} was not removed"));
        }
    }
    Ok(())
}

/// It leaves as it came, or not at all; and only on the trace that it came with. Beside a new parent id or flag OpenTelemetry's
/// threshold may be another, and nothing else.
fn tracestate(
    setup: &Setup,
    sent: &Headers,
    seen: &Headers,
    context: &Context,
) -> Result<(), String> {
    let came = contract::read(sent, "tracecontext");
    let belongs = (came.as_ref()).is_some_and(|came| came.trace_id == context.trace_id);
    let writes = setup.writes.contains(&"tracecontext") || !setup.removes;
    let stays = belongs && writes && is_valid_list(sent);
    let expected = match stays {
        true => values(sent, "tracestate"),
        false => Vec::new(),
    };
    let got = values(seen, "tracestate");
    // Neither the parent id nor the flag changed.
    let is_as_it_came = came.is_some_and(|came| {
        came.span_id == context.span_id && came.sampled == Some(context.sampled)
    });
    let is_told = writes && !(belongs && is_as_it_came);
    let is_same = match is_told {
        true => {
            // A member more may cost the last of 32.
            let most = 31;
            let others = |fields: &[Vec<u8>]| -> Vec<Vec<u8>> {
                let others = members(fields).into_iter();
                let others = others.filter(|member| !member.starts_with(b"ot="));
                others.take(most).collect()
            };
            others(&got) == others(&expected) && is_consistent(&got, context)
        }
        false => got == expected,
    };
    match is_same {
        true => Ok(()),
        false => Err(format!("tracestate: expected {} fields", expected.len())),
    }
}

/// Whether a threshold, where there is one, makes this decision. Digits compare as texts do.
fn is_consistent(list: &[Vec<u8>], context: &Context) -> bool {
    let members = members(list);
    let ot = members
        .iter()
        .find_map(|member| member.strip_prefix(b"ot="));
    let ot = String::from_utf8_lossy(ot.unwrap_or_default()).into_owned();
    let concern = |key: &str| ot.split(';').find_map(|concern| concern.strip_prefix(key));
    let Some(threshold) = concern("th:") else {
        return true;
    };
    let of_trace = context.trace_id.get(18..).unwrap_or_default();
    let randomness = concern("rv:").unwrap_or(of_trace);
    (randomness >= format!("{threshold:0<14}").as_str()) == context.sampled
}

fn members(fields: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let list = fields.join(&b","[..]);
    let members = list.split(|byte| *byte == b',').map(trimmed);
    let members = members.filter(|member| !member.is_empty());
    members.map(<[u8]>::to_vec).collect()
}

/// W3C Trace Context §3.3.1.
fn is_valid_list(sent: &Headers) -> bool {
    let members = members(&values(sent, "tracestate"));
    members.len() <= 32 && members.iter().all(|member| is_member(member))
}

fn is_member(member: &[u8]) -> bool {
    let mut halves = member.splitn(2, |byte| *byte == b'=');
    let (Some(key), Some(value)) = (halves.next(), halves.next()) else {
        return false;
    };
    let (Some(first), 1..=256) = (key.first(), key.len()) else {
        return false;
    };
    let start = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte: &u8| start(byte) || b"_-*/@".contains(byte);
    let value_byte = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != b'=';
    start(first)
        && key.iter().all(rest)
        && (1..=256).contains(&value.len())
        && value.iter().all(value_byte)
}

/// What is no trace header passes byte for byte, save tags.
fn neighbours(setup: &Setup, sent: &Headers, seen: &Headers) -> Result<(), String> {
    let is_tag = |name: &str| setup.tags && (name == "baggage" || name.starts_with("x-tl-"));
    if foreign(sent, is_tag) != foreign(seen, is_tag) {
        return Err("a header that is none of the filter's changed".to_owned());
    }
    match setup.tags {
        true => tags(sent, seen),
        false => Ok(()),
    }
}

/// What is neither of a trace, nor Envoy's, nor a tag.
fn foreign(headers: &Headers, is_tag: impl Fn(&str) -> bool) -> Headers {
    let kept = headers.filtered(|name| {
        (name.starts_with("x-") || name == "baggage")
            && !TRACE_HEADERS.contains(&name)
            && !["x-request-id", "x-forwarded-proto"].contains(&name)
            && !name.starts_with("x-envoy-")
            && !is_tag(name)
    });
    let fields = kept.iter();
    fields
        .map(|(name, value)| (name.to_ascii_lowercase(), trimmed(value).to_vec()))
        .collect()
}

fn tags(sent: &Headers, seen: &Headers) -> Result<(), String> {
    let one = |name: &str| match values(seen, name).as_slice() {
        [] => Ok(None),
        [value] => String::from_utf8(value.clone())
            .map(Some)
            .map_err(|_| format!("{name} is no text")),
        _ => Err(format!("{name} is there more than once")),
    };
    if one("x-tl-stage")?.as_deref() != Some("test") {
        return Err("x-tl-stage is not what is configured".to_owned());
    }
    let port = one("x-tl-port")?.and_then(|port| port.parse::<u16>().ok());
    if port.is_none() || one("x-tl-pod")?.is_none() || one("x-tl-carried")?.is_none() {
        return Err("a tag that always has a value is missing".to_owned());
    }
    if one("x-tl-tenant")?.is_some() && !sent.contains("x-tenant") {
        return Err("what the client sent as a tag passed".to_owned());
    }
    // Members that are no tags keep their bytes and their order.
    let members = |headers: &Headers| -> Vec<Vec<u8>> {
        let names = [
            "stage", "tenant", "port", "carried", "parent", "weird", "number", "pod",
        ];
        let fields = values(headers, "baggage").join(&b","[..]);
        let members = fields.split(|byte| *byte == b',').map(trimmed);
        let named = |member: &[u8]| {
            let key = member.split(|byte| matches!(byte, b'=' | b';')).next();
            names
                .iter()
                .any(|name| key.map(trimmed) == Some(name.as_bytes()))
        };
        members
            .filter(|member| !member.is_empty() && !named(member))
            .map(<[u8]>::to_vec)
            .collect()
    };
    match members(sent) == members(seen) {
        true => Ok(()),
        false => Err("baggage that came in changed".to_owned()),
    }
}

fn values(headers: &Headers, name: &str) -> Vec<Vec<u8>> {
    headers
        .all(name)
        .map(|value| trimmed(value).to_vec())
        .collect()
}

fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
