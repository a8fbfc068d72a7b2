//! What the trace headers of a request say, read without any of the filter's code.

use anyhow::{Context as _, Result, bail, ensure};
use throughline_dev::http::Headers;

/// The formats, as the filter's configuration names them.
pub const FORMATS: [&str; 4] = ["tracecontext", "b3multi", "b3", "datadog"];

/// A trace context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// 32 digits; a short one is padded.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// Whether it is sampled; `None` where that is deferred.
    pub sampled: Option<bool>,
}

impl Context {
    fn new(trace_id: &str, span_id: &str, sampled: Option<bool>) -> Self {
        Self {
            trace_id: format!("{trace_id:0>32}"),
            span_id: span_id.to_owned(),
            sampled,
        }
    }
}

/// What the first format that is there says.
pub fn first(headers: &Headers) -> Result<Option<Context>> {
    for format in FORMATS {
        if let Some(context) = read(headers, format)? {
            return Ok(Some(context));
        }
    }
    Ok(None)
}

/// What all formats say that are there: the same, and `wanted` are among them.
pub fn agreed(headers: &Headers, wanted: &[&str]) -> Result<Context> {
    for format in wanted {
        let context = read(headers, format)?;
        ensure!(context.is_some(), "{format} is missing in\n{headers:?}");
    }
    let agreed = first(headers)?.with_context(|| format!("no trace context in\n{headers:?}"))?;
    for format in FORMATS {
        let context = read(headers, format)?;
        ensure!(
            context.is_none_or(|context| context == agreed),
            "{format} says something else in\n{headers:?}"
        );
    }
    Ok(agreed)
}

fn read(headers: &Headers, format: &str) -> Result<Option<Context>> {
    let get = |name: &str| headers.get(name).map(std::str::from_utf8).transpose();
    match format {
        "tracecontext" => get("traceparent")?.map(traceparent).transpose(),
        "b3" => get("b3")?.map(single).transpose(),
        "b3multi" => {
            let (Some(trace_id), Some(span_id)) = (get("x-b3-traceid")?, get("x-b3-spanid")?)
            else {
                return Ok(None);
            };
            let debug = get("x-b3-flags")? == Some("1");
            let sampled = get("x-b3-sampled")?.map(|value| value == "1");
            let sampled = debug.then_some(true).or(sampled);
            Ok(Some(Context::new(trace_id, span_id, sampled)))
        }
        "datadog" => {
            let (Some(low), Some(span_id)) =
                (get("x-datadog-trace-id")?, get("x-datadog-parent-id")?)
            else {
                return Ok(None);
            };
            let mut tags = get("x-datadog-tags")?.unwrap_or_default().split(',');
            let high = tags.find_map(|tag| tag.strip_prefix("_dd.p.tid="));
            let (low, span_id): (u64, u64) = (low.parse()?, span_id.parse()?);
            let trace_id = format!("{}{low:016x}", high.unwrap_or_default());
            // 1 and 2 are a yes; 0 and -1 a no.
            let sampled =
                get("x-datadog-sampling-priority")?.map(|value| ["1", "2"].contains(&value));
            Ok(Some(Context::new(
                &trace_id,
                &format!("{span_id:016x}"),
                sampled,
            )))
        }
        other => bail!("no format is called {other}"),
    }
}

fn traceparent(value: &str) -> Result<Context> {
    let ["00", trace_id, span_id, flags] = value.split('-').collect::<Vec<_>>()[..] else {
        bail!("not a traceparent: {value}");
    };
    let flags = u8::from_str_radix(flags, 16).with_context(|| format!("the flags of {value}"))?;
    Ok(Context::new(trace_id, span_id, Some(flags & 1 == 1)))
}

fn single(value: &str) -> Result<Context> {
    let mut parts = value.split('-');
    let (Some(trace_id), Some(span_id)) = (parts.next(), parts.next()) else {
        bail!("not a b3 with ids: {value}");
    };
    let sampled = parts.next().map(|state| matches!(state, "1" | "d"));
    Ok(Context::new(trace_id, span_id, sampled))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn sampled_multi() -> Headers {
        Headers::new()
            .with("x-b3-traceid", TRACE)
            .with("x-b3-spanid", SPAN)
            .with("x-b3-sampled", "1")
    }

    #[test]
    fn every_format_is_read() -> Result<()> {
        let headers = sampled_multi()
            .with("traceparent", format!("00-{TRACE}-{SPAN}-03"))
            .with("b3", format!("{TRACE}-{SPAN}-1-0123456789abcdef"))
            .with("x-datadog-trace-id", "11803532876627986230")
            .with("x-datadog-parent-id", "67667974448284343")
            .with("x-datadog-sampling-priority", "2")
            .with("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=4bf92f3577b34da6");
        let context = agreed(&headers, &FORMATS)?;
        assert_eq!(context, Context::new(TRACE, SPAN, Some(true)));
        Ok(())
    }

    #[test]
    fn a_contradiction_is_seen_whatever_it_is_in() {
        let agrees = |trace: &str, span: &str, flags: &str| {
            let traceparent = format!("00-{trace}-{span}-{flags}");
            agreed(&sampled_multi().with("traceparent", traceparent), &[]).is_ok()
        };
        assert!(agrees(TRACE, SPAN, "01"));
        assert!(!agrees(TRACE, SPAN, "00"));
        assert!(!agrees(TRACE, "0123456789abcdef", "01"));
        assert!(!agrees("0123456789abcdef0123456789abcdef", SPAN, "01"));
    }

    #[test]
    fn what_is_wanted_must_be_there() {
        assert!(agreed(&sampled_multi(), &["b3"]).is_err());
        assert!(agreed(&Headers::new(), &[]).is_err());
    }

    #[test]
    fn a_short_trace_id_is_the_same_as_its_padded_form() -> Result<()> {
        let padded = format!("00-0000000000000000a3ce929d0e0e4736-{SPAN}-00");
        let headers = Headers::new()
            .with("b3", format!("a3ce929d0e0e4736-{SPAN}-0"))
            .with("traceparent", padded);
        assert_eq!(agreed(&headers, &["b3"])?.sampled, Some(false));
        Ok(())
    }
}
