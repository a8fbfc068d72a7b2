//! What one request showed.

use anyhow::{Context, Result, bail, ensure};
use std::fmt;
use throughline_dev::http::Headers;

/// What left in one format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    pub trace_id: String,
    pub span_id: String,
    pub sampled: bool,
}

/// `traceparent`, if it is there.
pub fn w3c(headers: &Headers) -> Result<Option<Left>> {
    let Some(value) = headers.get("traceparent") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value)?;
    let fields: Vec<&str> = text.split('-').collect();
    let [_, trace_id, span_id, flags] = fields.as_slice() else {
        bail!("traceparent: {text}");
    };
    Ok(Some(Left {
        trace_id: (*trace_id).to_owned(),
        span_id: (*span_id).to_owned(),
        sampled: *flags == "01",
    }))
}

/// B3: `x-b3-*`, or else `b3`.
pub fn b3(headers: &Headers) -> Result<Option<Left>> {
    Ok(multi(headers)?.or(single(headers)?))
}

/// Whether both spellings of B3 are there and name two spans, or a debug flag beside a no.
pub fn is_b3_split(headers: &Headers) -> Result<bool> {
    let (multi, single) = (multi(headers)?, single(headers)?);
    let is_denied = headers.get("x-b3-sampled") == Some(b"0");
    Ok((multi.is_some() && single.is_some() && multi != single)
        || (is_denied && is_debug(headers)))
}

fn single(headers: &Headers) -> Result<Option<Left>> {
    let Some(value) = headers.get("b3") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value)?;
    let mut fields = text.split('-');
    let (Some(trace_id), Some(span_id), Some(sampled @ ("0" | "1"))) =
        (fields.next(), fields.next(), fields.next())
    else {
        bail!("b3: {text}");
    };
    Ok(Some(Left {
        trace_id: format!("{trace_id:0>32}"),
        span_id: span_id.to_owned(),
        sampled: sampled == "1",
    }))
}

fn multi(headers: &Headers) -> Result<Option<Left>> {
    let text = |name: &str| {
        let value = headers.get(name).map(<[u8]>::to_vec);
        value.map(String::from_utf8).transpose()
    };
    let Some(trace_id) = text("x-b3-traceid")? else {
        return Ok(None);
    };
    let sampled = text("x-b3-sampled")?;
    let is_debug = is_debug(headers);
    ensure!(
        matches!(sampled.as_deref(), Some("0" | "1")) || (sampled.is_none() && is_debug),
        "x-b3-sampled: {sampled:?}"
    );
    Ok(Some(Left {
        trace_id: format!("{trace_id:0>32}"),
        span_id: text("x-b3-spanid")?.context("x-b3-spanid")?,
        sampled: is_debug || sampled.as_deref() == Some("1"),
    }))
}

fn is_debug(headers: &Headers) -> bool {
    headers.get("x-b3-flags") == Some(b"1")
}

/// What is told of one request, in the words of the files in `seen/`.
#[derive(Clone, Debug)]
pub struct Cell {
    pub came_in: Option<String>,
    pub w3c: Option<Left>,
    pub b3: Option<Left>,
    pub is_b3_split: bool,
    /// The access log's trace id.
    pub logged: Option<String>,
    pub by_tracer: bool,
    pub by_filter: bool,
}

impl Cell {
    /// Whether two formats name different traces.
    pub fn is_a_fight(&self) -> bool {
        matches!((&self.w3c, &self.b3), (Some(w3c), Some(b3)) if w3c.trace_id != b3.trace_id)
    }

    /// Whether one format says that the trace is sampled, and another that it is not.
    pub fn is_half_sampled(&self) -> bool {
        matches!((&self.w3c, &self.b3), (Some(w3c), Some(b3)) if w3c.sampled != b3.sampled)
    }

    /// Whether the access log has the trace that left.
    pub fn is_logged_right(&self) -> bool {
        let left = [&self.w3c, &self.b3];
        let mut ids = left.into_iter().flatten().map(|left| &left.trace_id);
        ids.all(|trace_id| self.logged.as_ref() == Some(trace_id))
    }

    fn trace(&self, trace_id: Option<&str>) -> &'static str {
        let first = self.w3c.as_ref().or(self.b3.as_ref());
        match trace_id {
            None => "-",
            Some(id) if self.came_in.as_deref() == Some(id) => "in",
            Some(id) if first.is_some_and(|first| first.trace_id == id) => "new",
            Some(_) => "another",
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = |left: &Option<Left>| match left {
            None => "-".to_owned(),
            Some(left) => format!(
                "{}{}",
                self.trace(Some(&left.trace_id)),
                if left.sampled { "" } else { "(0)" }
            ),
        };
        let reported = match (self.by_tracer, self.by_filter) {
            (true, true) => "twice",
            (true, false) => "tracer",
            (false, true) => "filter",
            (false, false) => "nobody",
        };
        write!(
            f,
            "w3c={} b3={} log={} reported={reported}",
            left(&self.w3c),
            left(&self.b3),
            self.trace(self.logged.as_deref()),
        )
    }
}
