//! One request's spans, from its headers to its end.

use std::borrow::Cow;

use super::{host::Host, outcome::Questions};
use crate::{
    engine::{Plan, Spans},
    export::{Block, Encoding, SpanWriter},
    policy::{redaction::Redaction, service::Service},
    propagation::{Headers, List, trim_ows},
    span::{
        Attributes, End, Identity, Kind, Link, Parent, RequestView, Sides, SpanSettings, Start,
    },
};

/// What all spans of a configuration have in common.
#[derive(Debug)]
pub struct Recorder {
    encoding: Encoding,
    settings: SpanSettings,
    redaction: Redaction,
    service: Service,
    service_name: String,
    identity: Block,
    questions: Questions,
}

/// The spans of a request in flight.
#[derive(Debug)]
pub struct Recording {
    sides: Sides,
    outer: SpanWriter,
    /// The client span under a server span.
    inner: Option<SpanWriter>,
    is_grpc: bool,
}

impl Attributes for Recording {
    fn text(&mut self, key: &str, value: &str) {
        self.outer.text(key, value);
        if let Some(inner) = &mut self.inner {
            inner.text(key, value);
        }
    }

    fn int(&mut self, key: &str, value: i64) {
        self.outer.int(key, value);
        if let Some(inner) = &mut self.inner {
            inner.int(key, value);
        }
    }

    fn bool(&mut self, key: &str, value: bool) {
        self.outer.bool(key, value);
        if let Some(inner) = &mut self.inner {
            inner.bool(key, value);
        }
    }
}

impl Recorder {
    pub fn new(
        encoding: Encoding,
        settings: SpanSettings,
        redaction: Redaction,
        service: Service,
        service_name: String,
        identity: &Identity,
    ) -> Self {
        let mut block = Block::new(encoding);
        identity.describe(&mut redaction.before(&mut block));
        Self {
            encoding,
            settings,
            redaction,
            service,
            service_name,
            identity: block,
            questions: Questions::default(),
        }
    }

    /// Writes all that is known at `at`, in nanoseconds since the epoch.
    pub fn begin(&self, plan: &Plan, spans: &Spans, headers: &Headers, at: u64) -> Recording {
        let request = RequestView::of(headers);
        let name = request.name();
        let trace_state = match (plan.writes.value("tracestate"), &plan.tracestate) {
            (Some(list), _) => bounded(String::from_utf8_lossy(list)),
            (None, List::Is(list)) => bounded(String::from_utf8_lossy(list)),
            (None, List::AsItCame) => trace_state(headers),
            (None, List::Removed) => Cow::default(),
        };
        let links: Vec<Link> = spans.links.into_iter().flatten().collect();
        let begin = |kind, span_id, parent, links| {
            let start = Start {
                trace_id: plan.context.trace_id,
                span_id,
                parent,
                kind,
                name: &name,
                at,
                sampling: plan.context.sampling,
                random: plan.context.random,
                trace_state: &trace_state,
                links,
            };
            let mut span = SpanWriter::begin(self.encoding, &start, &self.service_name);
            span.block(&self.identity);
            let mut attributes = self.redaction.before(&mut span);
            request.describe(kind, self.settings, &mut attributes);
            span
        };
        let kind = spans.sides.outer();
        let caller = spans.parent.map(|span_id| Parent {
            span_id,
            is_remote: true,
        });
        let here = Parent {
            span_id: spans.outer,
            is_remote: false,
        };
        Recording {
            sides: spans.sides,
            outer: begin(kind, spans.outer, caller, &links),
            inner: spans
                .inner
                .map(|id| begin(Kind::Client, id, Some(here), &[])),
            is_grpc: request.is_grpc(),
        }
    }

    /// Ends the spans as the host says that the request ended, one, or two where it was sent on; and says when that was, in
    /// nanoseconds since the epoch.
    pub fn finish(
        &self,
        host: &mut impl Host,
        recording: Recording,
    ) -> ([Option<Vec<u8>>; 2], u64) {
        let Recording {
            sides,
            outer,
            inner,
            is_grpc,
        } = recording;
        let mut outcome = self.questions.ask(host, sides, is_grpc);
        let upstream = &mut outcome.upstream;
        upstream.service = upstream
            .cluster
            .as_deref()
            .and_then(|cluster| self.service.of_callee(cluster));
        let at = host.now();
        let end = |mut span: SpanWriter, kind| {
            let mut attributes = self.redaction.before(&mut span);
            outcome.describe(kind, self.settings.semconv, &mut attributes);
            let error = outcome.error(kind);
            span.end(&End {
                at,
                error: error.as_deref(),
                legacy: self.settings.semconv.legacy,
                remote: Some(outcome.remote(kind)),
            })
        };
        let inner = inner.filter(|_| outcome.upstream.address.is_some());
        let spans = [
            Some(end(outer, sides.outer())),
            inner.map(|span| end(span, Kind::Client)),
        ];
        (spans, at)
    }
}

/// W3C's list as it came, whose fields combine in their order (W3C §3.3.1).
fn trace_state(headers: &Headers) -> Cow<'_, str> {
    let mut fields = headers
        .all("tracestate")
        .filter(|field| !trim_ows(field).is_empty());
    let (Some(first), second) = (fields.next(), fields.next()) else {
        return Cow::default();
    };
    bounded(match second {
        None => String::from_utf8_lossy(first),
        Some(second) => {
            let all: Vec<&[u8]> = [first, second].into_iter().chain(fields).collect();
            Cow::Owned(String::from_utf8_lossy(&all.join(&b',')).into_owned())
        }
    })
}

/// One that is longer than vendors must pass on (W3C §3.3.1.5) is left out whole: a part of it would say what nobody
/// said.
fn bounded(list: Cow<'_, str>) -> Cow<'_, str> {
    const MOST: usize = 512;
    if list.len() > MOST {
        Cow::default()
    } else {
        list
    }
}
