//! Whether one side continues what the other writes, from what was seen.

use crate::cells::Cell;
use crate::context::{Context, agreed, first};
use crate::stage::{Filter, Seen, Stage};
use anyhow::{Context as _, Result, ensure};
use std::fmt;
use throughline_dev::receiver::{Kind, Span};

/// An answer of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The trace goes on, with the right parent.
    Yes,
    /// It begins a trace of its own.
    NewTrace,
    /// The same trace, but its span has the id of the one that should be its parent.
    SharedSpan,
    /// The question did not arise.
    Unasked,
}

impl Verdict {
    /// Whether it needs an explanation.
    pub fn is_no(self) -> bool {
        matches!(self, Self::NewTrace | Self::SharedSpan)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::NewTrace => "**no**: new trace",
            Self::SharedSpan => "**no**: shared span id",
            Self::Unasked => "–",
        })
    }
}

/// What is judged.
pub struct Exchange<'a> {
    /// Where it happened.
    pub stage: &'a Stage,
    /// With whom.
    pub cell: &'a Cell,
    /// What the filter was set to.
    pub filter: Filter,
    /// What was seen on the wire.
    pub seen: &'a Seen,
    /// How many spans there were before.
    pub known: usize,
}

impl Exchange<'_> {
    /// Whether the application continues what the filter wrote, which should be `sampled`.
    pub fn inbound(&self, sampled: bool) -> Result<Verdict> {
        let received = self
            .seen
            .received
            .as_ref()
            .context("the request did not pass the filter")?;
        let received = agreed(received, self.cell.formats())?;
        ensure!(
            received.sampled == Some(sampled),
            "the filter turned the decision: {received:?}"
        );
        if let Some(written) = self.unsampled()? {
            ensure!(
                !sampled,
                "it turned the decision: {written:?} after {received:?}"
            );
            ensure!(
                written.trace_id == received.trace_id,
                "a new trace that is not sampled: {written:?}"
            );
            return Ok(Verdict::Yes);
        }
        if sampled && self.filter == Filter::Exports {
            let (trace_id, span_id) = (&received.trace_id, &received.span_id);
            self.stage.of_sidecar(Kind::Server, trace_id, span_id)?;
        }
        let server = self.application_span(Kind::Server)?;
        if server.trace_id != received.trace_id {
            return Ok(Verdict::NewTrace);
        }
        if server.span_id == received.span_id {
            return Ok(Verdict::SharedSpan);
        }
        ensure!(sampled, "it sampled what the filter did not: {server:#?}");
        let parent = server.parent_id.as_ref() == Some(&received.span_id);
        ensure!(parent, "{server:#?}\nis no child of {received:?}");
        Ok(Verdict::Yes)
    }

    /// Whether the filter continues what the application wrote.
    pub fn outbound(&self) -> Result<Verdict> {
        let arrived = agreed(&self.seen.arrived, self.cell.formats())?;
        if let Some(written) = self.unsampled()? {
            // Nobody reports a span, so the ids stay.
            ensure!(
                arrived == written,
                "the callee got {arrived:?} for {written:?}"
            );
            return Ok(Verdict::Yes);
        }
        let client = self.application_span(Kind::Client)?;
        if arrived.trace_id != client.trace_id {
            return Ok(Verdict::NewTrace);
        }
        ensure!(
            arrived.sampled == Some(true),
            "the decision was lost: {arrived:?}"
        );
        let parent = match self.filter {
            Filter::Propagates => Some(arrived.span_id),
            Filter::Exports => {
                let hop =
                    self.stage
                        .of_sidecar(Kind::Client, &arrived.trace_id, &arrived.span_id)?;
                hop.parent_id
            }
        };
        ensure!(
            parent.as_ref() == Some(&client.span_id),
            "{parent:?} is not\n{client:#?}"
        );
        Ok(Verdict::Yes)
    }

    /// What the application wrote, if that is not sampled.
    fn unsampled(&self) -> Result<Option<Context>> {
        let written = first(&self.seen.wrote)?;
        Ok(written.filter(|written| written.sampled == Some(false)))
    }

    fn application_span(&self, kind: Kind) -> Result<Span> {
        let written = first(&self.seen.wrote)?;
        let of_this_call = |span: &Span| {
            let of = |written: &Context| written.trace_id == span.trace_id;
            written.as_ref().is_none_or(of)
        };
        self.stage
            .of_application(self.known, kind, of_this_call)
            .with_context(|| format!("the application wrote\n{:?}", self.seen.wrote))
    }
}
