//! A request and what it left behind, and what must hold whatever became of it.

use super::hop::Hop;
use crate::formats::agreed;
use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;
use std::net::SocketAddr;
use throughline_dev::http::{Request, Response};
use throughline_dev::receiver::{Kind, Span, Value};

/// A request that was sent.
pub struct Sent {
    pub hop: Hop,
    pub listener: String,
    pub id: String,
    pub request: Request,
    /// Where its client connected from.
    pub from: SocketAddr,
    /// `None` where the client did not wait for one.
    pub answer: Option<Response>,
}

impl Sent {
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }
}

/// The request, its spans and its line of the access log.
pub struct Exchange {
    pub sent: Sent,
    pub outer: Span,
    pub inner: Option<Span>,
    pub log: Json,
}

impl Exchange {
    /// Puts the spans in order, and checks what holds for every request.
    pub fn of(sent: Sent, spans: Vec<Span>, log: Json) -> Result<Self> {
        let described = || {
            format!(
                "{}: {} {}",
                sent.hop, sent.request.method, sent.request.target
            )
        };
        let (mut outer, mut inner) = (None, None);
        for span in spans {
            if span.kind == sent.hop.outer() && outer.is_none() {
                outer = Some(span);
            } else {
                ensure!(
                    span.kind == Kind::Client && sent.hop.is_both(),
                    "{}: {span}",
                    described()
                );
                inner = Some(span);
            }
        }
        let exchange = Self {
            outer: outer
                .with_context(|| format!("{}: no {} span", described(), sent.hop.outer()))?,
            inner,
            log,
            sent,
        };
        let problems = exchange.problems();
        ensure!(
            problems.is_empty(),
            "{}\n  {}\n{:#}\n{}",
            exchange.described(),
            problems.join("\n  "),
            exchange.log,
            shown(exchange.spans())
        );
        Ok(exchange)
    }

    pub fn described(&self) -> String {
        let Sent { hop, request, .. } = &self.sent;
        format!("{hop}: {} {}", request.method, request.target)
    }

    /// The span whose id leaves.
    pub fn innermost(&self) -> &Span {
        self.inner.as_ref().unwrap_or(&self.outer)
    }

    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        std::iter::once(&self.outer).chain(&self.inner)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut same = |what: &str, got: &str, expected: &str| {
            if got != expected {
                problems.push(format!("{what}: {got:?}, not {expected:?}"));
            }
        };
        let Self {
            sent,
            outer,
            inner,
            log,
        } = self;
        let logged = |key: &str| text(&log[key]);
        // The filter's words in the access log, against its span.
        same("trace.id", &logged("trace.id"), &outer.trace_id);
        same("span.id", &logged("span.id"), &outer.span_id);
        same("trace.sampled", &logged("trace.sampled"), "true");
        // The caller's context, as this test reads it.
        if let Ok(Some(caller)) = agreed(&sent.request.headers) {
            same("the trace", &outer.trace_id, &caller.trace_id);
            let parent = outer.parent_id.as_deref().unwrap_or_default();
            same("the parent", parent, &caller.span_id);
        }
        if let Some(inner) = inner {
            let parent = inner.parent_id.as_deref().unwrap_or_default();
            same("the client span's parent", parent, &outer.span_id);
            same("the client span's trace", &inner.trace_id, &outer.trace_id);
        }
        // Envoy's words, against the spans.
        for span in self.spans() {
            for (key, logged) in self.logged(span.kind) {
                // Which names there are at all is another test's matter where the configuration chooses them.
                if self.is_usual() || span.attributes.contains_key(key) {
                    same(key, &sorted(&span.attribute(key)), &sorted(&logged));
                }
            }
            if span.attributes.contains_key("response_code_details") {
                same(
                    "details",
                    &span.attribute("response_code_details"),
                    &logged("details"),
                );
            }
            let empty = |(_, value): &(&String, &Value)| value.as_str() == Some("");
            let empty: Vec<_> = span
                .attributes
                .iter()
                .filter(empty)
                .map(|(key, _)| &**key)
                .collect();
            same("what is there and empty", &empty.join(", "), "");
            let started: u64 = logged("started").parse().unwrap_or(u64::MAX);
            let micros = |nanoseconds: u64| nanoseconds / 1000;
            let is_before = micros(span.start_ns) < micros(started);
            same("starts before the request", &is_before.to_string(), "false");
        }
        problems
    }

    /// Whether the listener has the configuration that most have.
    fn is_usual(&self) -> bool {
        self.sent.listener == self.sent.hop.listener()
    }

    /// What the access log says of attributes; empty where it says that there is nothing.
    fn logged(&self, kind: Kind) -> Vec<(&'static str, String)> {
        let logged = |key: &str| text(&self.log[key]);
        let status = Some(logged("status"))
            .filter(|status| status != "0")
            .unwrap_or_default();
        let flags = Some(logged("flags")).filter(|flags| !flags.is_empty());
        let mut all = vec![
            ("http.response.status_code", status.clone()),
            ("http.status_code", status),
            ("response_flags", flags.unwrap_or_else(|| "-".to_owned())),
            ("request_size", logged("received")),
            ("response_size", logged("sent")),
            ("upstream_cluster", logged("cluster")),
        ];
        if kind == Kind::Client {
            let resent = logged("attempts")
                .parse()
                .unwrap_or(0_u64)
                .saturating_sub(1);
            let resent = Some(resent)
                .filter(|resent| *resent > 0)
                .map(|resent| resent.to_string());
            all.push(("http.request.resend_count", resent.unwrap_or_default()));
            all.push(("upstream_address", logged("host")));
        } else {
            all.push(("http.protocol", logged("protocol")));
            all.push(("client.address", self.sent.from.ip().to_string()));
            all.push(("client.port", self.sent.from.port().to_string()));
        }
        all
    }
}

/// Envoy writes flags in the order in which they were set.
fn sorted(flags: &str) -> String {
    let mut flags: Vec<_> = flags.split(',').collect();
    flags.sort_unstable();
    flags.join(",")
}

/// For a failure.
pub fn shown<'a>(spans: impl IntoIterator<Item = &'a Span>) -> String {
    let spans: Vec<_> = spans.into_iter().map(ToString::to_string).collect();
    spans.join("\n")
}

/// A value of the access log; empty where Envoy has none.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) if text == "-" => String::new(),
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
