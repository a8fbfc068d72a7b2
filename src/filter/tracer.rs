//! What the filter knows of Envoy's own tracer beside it. A tracer writes after every filter, so only a request that is
//! over tells: what left is compared with what the filter left. What one worker finds, all know at their next request.

use core::cell::OnceCell;

use super::{
    hop::Hop,
    host::{Host, PropertyPath},
    lines,
    metrics::Gauge,
    process,
};
use crate::{
    policy::{
        place::Direction,
        tracer::{Formats, NativeTracer},
    },
    propagation::Format,
    text::one_line,
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

const DETAILS: PropertyPath = PropertyPath::of("response\0code_details");
/// So many requests in a row that a tracer should have written to and did not: it is gone. While a listener that had it
/// drains, there are both.
const GONE_AFTER: u8 = 8;

/// What is known of the tracers beside one configuration.
#[derive(Debug)]
pub struct Tracers {
    mode: NativeTracer,
    log: log::LevelFilter,
    gauges: [OnceCell<Gauge>; Format::ALL.len()],
}

/// The tracer of a listener's direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracer {
    /// None yet seen to be written: `nativeTracer: mirror` before the first response.
    pub writes: Formats,
    /// Requests in a row that it left alone.
    idle: u8,
    /// Whether it turned the decision of a request that came in sampled, as Envoy's OpenTelemetry tracer does from 1.39 on
    /// where Envoy itself decides otherwise.
    pub turns: bool,
}

impl Tracer {
    const fn from_value(value: u64) -> Self {
        let [writes, idle, turns, ..] = value.to_le_bytes();
        Self {
            writes: Formats::from_bits(writes),
            idle,
            turns: turns != 0,
        }
    }

    const fn value(self) -> u64 {
        let turns = if self.turns { 1 } else { 0 };
        u64::from_le_bytes([self.writes.bits(), self.idle, turns, 0, 0, 0, 0, 0])
    }
}

/// What is to be found out of one request when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// What the filter left with it; `None` where only the tracer knows.
    pub left: Option<SpanContext>,
    /// The span that the caller named.
    pub came_in: Option<SpanId>,
    /// Whether the filter's own spans are wanted; `None` where the sampler has not been asked, as the trace was not known.
    pub decided: Option<Sampling>,
    /// The tracer that the filter stood back for.
    pub tracer: Option<Tracer>,
}

impl Watch {
    /// The caller's span, where that trace is the caller's.
    pub fn caller_in(&self, trace_id: TraceId) -> Option<SpanId> {
        let is_same_trace = |ours: SpanContext| ours.trace_id.is_same_trace(trace_id);
        self.came_in
            .filter(|_| self.left.is_some_and(is_same_trace))
    }

    /// Whether a tracer wrote over what the filter had written. That one it stood back for makes spans of its own in the
    /// same trace is no contradiction.
    pub fn is_contradicted_by(&self, left: &SpanContext) -> bool {
        self.left.is_some_and(|ours| {
            !ours.trace_id.is_same_trace(left.trace_id) || (self.tracer.is_none() && ours != *left)
        })
    }
}

impl Tracers {
    pub const fn new(mode: NativeTracer, log: log::LevelFilter) -> Self {
        Self {
            mode,
            log,
            gauges: [const { OnceCell::new() }; Format::ALL.len()],
        }
    }

    /// Whether a request's end tells anything.
    pub fn are_watched(&self) -> bool {
        self.mode != NativeTracer::Own
    }

    /// The tracer of this request's listener. Where none was ever seen, that costs one look into the process's store.
    pub fn of_request(&self, host: &mut impl Host, hop: &Hop) -> Option<Tracer> {
        if self.mode == NativeTracer::Own {
            return None;
        }
        let known = process::tracers(host);
        let of_direction = |direction: u64| {
            let entry = known.iter().find(|(known, _)| *known == direction);
            entry.map_or_else(Tracer::default, |(_, value)| Tracer::from_value(*value))
        };
        let any = known
            .iter()
            .any(|(_, value)| !Tracer::from_value(*value).writes.is_empty());
        let tracer = if any {
            of_direction(number(hop.direction(host)))
        } else {
            Tracer::default()
        };
        (self.mode == NativeTracer::Mirror || !tracer.writes.is_empty()).then_some(tracer)
    }

    /// Learns from a request that is over in which formats something else left than the filter had left, and what.
    pub fn learn(
        &self,
        host: &mut impl Host,
        hop: &Hop,
        watch: &Watch,
        written: Formats,
        left: Option<&SpanContext>,
    ) {
        if let Some(left) = left {
            let turned = watch.left.is_some_and(|ours| {
                ours.trace_id.is_same_trace(left.trace_id)
                    && ours.sampling.is_sampled()
                    && !left.sampling.is_sampled()
            });
            let is_known = watch.tracer.is_some_and(|known| {
                known.writes == written && known.idle == 0 && (known.turns || !turned)
            });
            if !is_known {
                self.change(host, hop, &mut |known| Tracer {
                    writes: written,
                    idle: 0,
                    turns: turned || (known.turns && known.writes == written),
                });
            }
        } else if self.mode == NativeTracer::Auto
            && watch.tracer.is_some()
            && host.property(&DETAILS).as_deref() == Some(b"via_upstream")
        {
            self.change(host, hop, &mut |known| {
                let idle = known.idle.saturating_add(1);
                if idle < GONE_AFTER {
                    Tracer { idle, ..known }
                } else {
                    Tracer::default()
                }
            });
        }
    }

    fn change(&self, host: &mut impl Host, hop: &Hop, change: &mut dyn FnMut(Tracer) -> Tracer) {
        let direction = hop.direction(host);
        let (before, entries) = process::learn_tracer(host, number(direction), &mut |value| {
            change(Tracer::from_value(value)).value()
        });
        let writes = |direction: u64| {
            let entry = entries.iter().find(|(known, _)| *known == direction);
            entry.map_or(Formats::NONE, |(_, value)| {
                Tracer::from_value(*value).writes
            })
        };
        let (before, now) = (Tracer::from_value(before).writes, writes(number(direction)));
        if before == now {
            return;
        }
        for format in before.iter().chain(now.iter()) {
            let is_written = entries
                .iter()
                .any(|(_, value)| Tracer::from_value(*value).writes.contains(format));
            if let Some(gauge) = self.gauges.get(format as usize) {
                let labels = [("format", format.name())];
                let gauge = gauge.get_or_init(|| Gauge::define(host, &labels, "native_tracer"));
                gauge.record(host, is_written.into());
            }
        }
        if self.mode == NativeTracer::Auto && self.log >= log::LevelFilter::Warn {
            let line = lines::tracer(direction, now);
            host.log(log::Level::Warn, &one_line(&line));
        }
    }
}

/// As Envoy numbers them.
const fn number(direction: Option<Direction>) -> u64 {
    match direction {
        None => 0,
        Some(Direction::Inbound) => 1,
        Some(Direction::Outbound) => 2,
    }
}
