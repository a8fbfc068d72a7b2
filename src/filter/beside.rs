//! The end of a request beside which Envoy may have a tracer of its own: what really left, and whose spans tell of it.

use super::{
    Filter, hop::Hop, host::Host, neighbours, outcome, recording::Recording, tell_access_log,
    tracer::Watch,
};
use crate::{
    config::Settings,
    engine::{self, Decided},
    policy::{
        sampling::Verdict,
        tracer::{Formats, is_redecided},
    },
    propagation::{Headers, Reads, TraceHeaders},
    span::{Sides, WhenMirroring},
    trace::SpanContext,
};

/// What became of a request whose spans begin when it is over.
pub(super) struct Recorded {
    pub recording: Option<Recording>,
    pub decided: Decided,
}

impl Default for Recorded {
    fn default() -> Self {
        Self {
            recording: None,
            decided: Decided::Before,
        }
    }
}

impl Filter {
    /// Finds out what really left with a request that is over: the access log and the spans follow it, and tell of the
    /// request as it `came`, as far as that was kept.
    pub(super) fn finish_watched(
        &self,
        host: &mut impl Host,
        watch: &Watch,
        came: Option<&Headers>,
        recording: Option<Recording>,
    ) {
        let Some(headers) = host.request_headers() else {
            return self.finish(host, recording);
        };
        let reads = Reads::of(&TraceHeaders::of(&headers));
        let written = Formats::written_over(watch.left.as_ref(), &reads);
        let left = written.context(&reads);
        let is_neighbours = |told| neighbours::wrote_over(host, told);
        if left.is_some() && watch.told_span.is_some_and(is_neighbours) {
            return self.finish(host, recording);
        }
        let hop = Hop::new(self.proxy);
        match &left {
            Some(left) => {
                let seen = watch.seen(written, left);
                self.tracers.learn(host, &hop, watch, &seen);
            }
            None => self.tracers.miss(host, &hop, watch),
        }
        let left = match left {
            Some(left) => left,
            // Nobody wrote after the filter, or no more than a decision.
            None => match (watch.left, watch.tracer) {
                (Some(left), Some(_)) => left,
                (Some(left), None) => {
                    if is_redecided(&left, &reads) {
                        self.counters.native_override(host);
                    }
                    return self.finish(host, recording);
                }
                (None, _) => {
                    let came = came.unwrap_or(&headers);
                    let recording = self.record_alone(host, came, &hop, watch);
                    let recording = self.tell_tags(host, came, recording);
                    return self.finish(host, recording);
                }
            },
        };
        if watch.is_contradicted_by(&left) {
            self.counters.native_override(host);
        }
        let came = came.unwrap_or(&headers);
        let recorded = self.record_beside(host, came, &hop, &left, watch);
        if recorded.recording.is_none() && Some(left) != watch.left {
            tell_access_log(host, &left, None, watch.left.as_ref());
        }
        let recording = self.tell_tags(host, came, recorded);
        self.finish(host, recording);
    }

    /// Tells a span that began when its request was over the tags; and the access log those of a rule, which were not known before.
    pub(super) fn tell_tags(
        &self,
        host: &mut impl Host,
        headers: &Headers,
        recorded: Recorded,
    ) -> Option<Recording> {
        let Recorded {
            mut recording,
            decided,
        } = recorded;
        match (recording.as_mut(), decided) {
            (None, Decided::Here(Verdict { rule, .. })) => {
                if let Some(rule) = rule {
                    self.tags.tell_ruled(host, rule);
                }
            }
            (None, Decided::Before | Decided::Forced) => {}
            (span, _) => self.tags.tell(host, headers, decided, span),
        }
        recording
    }

    /// Begins the spans of a request that was left to a tracer and went nowhere, so that nothing was written to it: where Envoy
    /// traces none, nobody else tells of it.
    pub(super) fn record_alone<H: Host>(
        &self,
        host: &mut H,
        headers: &Headers,
        hop: &Hop,
        watch: &Watch,
    ) -> Recorded {
        if !watch.is_nobodys() || outcome::is_upstreams(host) {
            return Recorded::default();
        }
        let Ok(plan) = self.begin(host, headers, watch.action, false, hop) else {
            return Recorded::default();
        };
        tell_access_log(host, &plan.context, plan.spans, None);
        Recorded {
            recording: self.record(&plan, headers, outcome::request_time, host),
            decided: plan.decided,
        }
    }

    /// Begins the spans of a request whose context, as it left, is a tracer's.
    pub(super) fn record_beside<H: Host>(
        &self,
        host: &mut H,
        headers: &Headers,
        hop: &Hop,
        left: &SpanContext,
        watch: &Watch,
    ) -> Recorded {
        let Settings { sampler, spans, .. } = &self.settings;
        if self.export.is_none() {
            return Recorded::default();
        }
        // What is sampled, the tracer reports.
        let is_reported = left.sampling.is_sampled();
        let (is_recorded, decided) = match watch.decided {
            _ if is_reported => (
                spans.when_mirroring == WhenMirroring::Export,
                Decided::Before,
            ),
            // Of the rest it has decided that nobody is to report it.
            _ if watch.tracer.is_some_and(|tracer| tracer.samples) => (false, Decided::Before),
            Some(decided) => (decided.is_sampled(), Decided::Before),
            None => {
                // A stranger's ids decide no more than what it says of them.
                let randomness = if watch.action.trusts() {
                    Ok(engine::randomness_of(headers, left.trace_id))
                } else {
                    engine::new_randomness(host)
                };
                let Ok(randomness) = randomness else {
                    return Recorded::default();
                };
                let verdict = sampler.decide(randomness, headers, host);
                (verdict.is_sampled, Decided::Here(verdict))
            }
        };
        if !is_recorded {
            return Recorded {
                recording: None,
                decided,
            };
        }
        let sides = Sides::of(self.proxy, hop.direction(host));
        let came_in = watch.caller_in(left.trace_id);
        let trusted = watch.action.trusts().then_some(headers);
        let Ok(plan) = engine::join(left, came_in, is_reported, sides, trusted, host) else {
            return Recorded::default();
        };
        tell_access_log(host, left, plan.spans, watch.left.as_ref());
        Recorded {
            recording: self.record(&plan, headers, outcome::request_time, host),
            decided,
        }
    }
}
