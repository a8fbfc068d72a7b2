//! What every case must hold without saying so: whatever trace headers arrive, they are valid, and all say the same.
//!
//! This reads the headers by itself, and not with the filter's code: a mistake there must not hide itself here.

use throughline_dev::http::Headers;

/// What one format says.
#[derive(PartialEq, Eq, Debug)]
pub struct Context {
    /// 32 digits, a 64-bit id with zeros before it.
    pub trace_id: String,
    pub span_id: String,
    pub sampled: bool,
}

/// The trace id that all formats agree on, 32 digits; `None` when there are no trace headers; else what is wrong.
pub fn agreed_trace_id(headers: &Headers) -> Result<Option<String>, String> {
    Ok(agreed(headers)?.map(|context| context.trace_id))
}

/// What all formats agree on; `None` when there are no trace headers; else what is wrong.
pub fn agreed(headers: &Headers) -> Result<Option<Context>, String> {
    let readings: [(&str, Option<Context>); 3] = [
        ("traceparent", traceparent(headers)?),
        ("x-b3-*", b3_multi(headers)?),
        ("b3", b3_single(headers)?),
    ];
    let mut first: Option<(&str, Context)> = None;
    for (name, context) in readings {
        match (&first, context) {
            (None, Some(context)) => first = Some((name, context)),
            (Some((first, has)), Some(context)) if *has != context => {
                return Err(format!("{first} says {has:?}, but {name} says {context:?}"));
            }
            _ => {}
        }
    }
    Ok(first.map(|(_, context)| context))
}

fn traceparent(headers: &Headers) -> Result<Option<Context>, String> {
    let Some(value) = single(headers, "traceparent")? else {
        return Ok(None);
    };
    match value.split('-').collect::<Vec<_>>().as_slice() {
        ["00", trace_id, span_id, flags @ ("00" | "01" | "02" | "03")] if trace_id.len() == 32 => {
            context(trace_id, span_id, flags.ends_with(['1', '3'])).map(Some)
        }
        _ => Err(format!("traceparent: {value:?} is not valid")),
    }
}

fn b3_multi(headers: &Headers) -> Result<Option<Context>, String> {
    const IDS: [&str; 3] = ["x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid"];
    let read = |name| single(headers, name);
    // Any other value of the flags says nothing, whatever bytes it has.
    let is_debug = headers.all("x-b3-flags").any(|value| value == b"1");
    let sampled = match (read("x-b3-sampled")?.as_deref(), is_debug) {
        (Some("1"), false) | (None, true) => true,
        (Some("0"), false) => false,
        (None, false) if !IDS.iter().any(|name| headers.contains(name)) => return Ok(None),
        other => return Err(format!("x-b3-sampled and debug are {other:?}")),
    };
    parent(read("x-b3-parentspanid")?.as_deref())?;
    match (read("x-b3-traceid")?, read("x-b3-spanid")?) {
        (Some(trace_id), Some(span_id)) => context(&trace_id, &span_id, sampled).map(Some),
        other => Err(format!("x-b3-traceid and x-b3-spanid are {other:?}")),
    }
}

fn b3_single(headers: &Headers) -> Result<Option<Context>, String> {
    let Some(value) = single(headers, "b3")? else {
        return Ok(None);
    };
    let decision = |word| match word {
        "1" | "d" => Ok(true),
        "0" => Ok(false),
        _ => Err(format!("b3: {value:?} has an unknown decision")),
    };
    let fields: Vec<_> = value.split('-').collect();
    parent(fields.get(3).copied())?;
    match fields.as_slice() {
        [trace_id, span_id, state] | [trace_id, span_id, state, _] => {
            context(trace_id, span_id, decision(state)?).map(Some)
        }
        _ => Err(format!("b3: {value:?} is not valid")),
    }
}

fn parent(id: Option<&str>) -> Result<(), String> {
    match id {
        Some(id) if !is_id(id, &[16]) => Err(format!("parent span id {id:?}: not valid")),
        _ => Ok(()),
    }
}

/// Lower-case hexadecimal digits, not all zero.
pub fn is_id(id: &str, lengths: &[usize]) -> bool {
    lengths.contains(&id.len())
        && id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && id.bytes().any(|byte| byte != b'0')
}

fn context(trace_id: &str, span_id: &str, sampled: bool) -> Result<Context, String> {
    if !is_id(trace_id, &[16, 32]) || !is_id(span_id, &[16]) {
        return Err(format!(
            "trace id {trace_id:?}, span id {span_id:?}: not valid"
        ));
    }
    Ok(Context {
        trace_id: format!("{trace_id:0>32}"),
        span_id: span_id.to_owned(),
        sampled,
    })
}

fn single(headers: &Headers, name: &str) -> Result<Option<String>, String> {
    let mut fields = headers.all(name);
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(format!("{name}: {} is no text", value.escape_ascii())),
        },
        (Some(_), Some(_)) => Err(format!("{name} is there more than once")),
    }
}

#[test]
fn disagreement_is_seen() {
    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = Headers::new().with("traceparent", TRACEPARENT);
    assert_eq!(agreed_trace_id(&Headers::new()), Ok(None));
    assert_eq!(
        agreed_trace_id(&headers),
        Ok(Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()))
    );
    for (name, value) in [
        ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"),
        ("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-1"),
        ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-1"),
        ("b3", "1"),
        ("x-b3-sampled", "1"),
        ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("traceparent", TRACEPARENT),
    ] {
        assert!(
            agreed_trace_id(&headers.clone().with(name, value)).is_err(),
            "{name}: {value}"
        );
    }
}
