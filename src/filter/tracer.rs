//! What the filter knows of Envoy's own tracer beside it. A tracer writes after every filter, so only a request that is
//! over tells: what left is compared with what the filter left. What one worker finds, all know at their next request.

use core::cell::OnceCell;

use super::{
    hop::Hop,
    host::{Host, PropertyPath},
    lines,
    metrics::Gauge,
    outcome, process,
    streaks::Streaks,
};
use crate::{
    policy::{
        place::{Direction, Place},
        tracer::{Decides, Formats, NativeTracer, is_forced, is_traced, what_it_says},
        trust::Action,
    },
    propagation::{Format, Headers},
    text::one_line,
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

const FILTER_CHAIN: PropertyPath = PropertyPath::of("xds\0filter_chain_name");
const PORT: PropertyPath = PropertyPath::of("destination\0port");
/// How Istio names the chains for what is inbound and of no service. They take all ports, so the port is the peer's to choose.
const OF_ALL_PORTS: &[u8] = b"virtualInbound";
/// So many requests in a row that a tracer should have written to and did not: it is gone. While a listener that had it
/// drains, there are both.
const GONE_AFTER: u8 = 8;

// The bits of a tracer's traits.
const TURNS: u8 = 1;
const RENAMES: u8 = 2;
const SAMPLES: u8 = 4;
const KEEPS: u8 = 8;
const UNTOLD: u8 = 16;

/// What is known of the tracers beside one configuration.
#[derive(Debug)]
pub struct Tracers {
    mode: NativeTracer,
    log: log::LevelFilter,
    gauges: [OnceCell<Gauge>; Format::ALL.len()],
    streaks: Streaks,
}

/// The tracer of a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracer {
    /// None yet seen to be written: `nativeTracer: mirror` before the first response.
    pub writes: Formats,
    /// Requests in a row that it left alone.
    idle: u8,
    pub decides: Decides,
    /// Whether it was seen to make a span of its own in a trace that came in. Zipkin's that shares the caller's does not.
    pub renames: bool,
    /// Whether it was seen to sample by itself.
    pub samples: bool,
    /// As `number` has it.
    direction: u8,
    /// Whose tracer it is, as far as anything is known of it.
    listener: u64,
}

impl Tracer {
    const fn from_value(value: u64) -> Self {
        let [writes, idle, traits, direction, ..] = value.to_le_bytes();
        Self {
            writes: Formats::from_bits(writes),
            idle,
            decides: Decides {
                turns: match (traits & TURNS != 0, traits & KEEPS != 0) {
                    (true, _) => Some(true),
                    (false, true) => Some(false),
                    (false, false) => None,
                },
                is_untold: traits & UNTOLD != 0,
            },
            renames: traits & RENAMES != 0,
            samples: traits & SAMPLES != 0,
            direction,
            listener: 0,
        }
    }

    fn value(self) -> u64 {
        let of = |is: bool, bit: u8| if is { bit } else { 0 };
        let traits = of(self.decides.turns == Some(true), TURNS)
            | of(self.decides.turns == Some(false), KEEPS)
            | of(self.decides.is_untold, UNTOLD)
            | of(self.renames, RENAMES)
            | of(self.samples, SAMPLES);
        let bytes = [self.writes.bits(), self.idle, traits, self.direction];
        u32::from_le_bytes(bytes).into()
    }

    /// What is known after a request that it wrote to.
    fn after(self, seen: &Seen) -> Self {
        let writes = seen.writes.joined_to(self.writes);
        let known = if writes == self.writes.joined_to(writes) {
            self
        } else {
            Self::default()
        };
        // One that keeps decisions and then turns one again does neither because of what was told.
        let is_back = (known.decides.turns, seen.turned) == (Some(false), Some(true));
        let is_untold = known.decides.is_untold || seen.is_untold || is_back;
        Self {
            writes,
            idle: 0,
            decides: Decides {
                // What nothing told was no evidence that it keeps a decision.
                turns: seen
                    .turned
                    .or(known.decides.turns)
                    .filter(|turns| *turns || !is_untold),
                is_untold,
            },
            renames: known.renames || seen.renamed,
            samples: seen.samples.unwrap_or(known.samples),
            direction: self.direction,
            listener: self.listener,
        }
    }

    /// What is known after a request that it should have written to and did not, the first since it wrote or a further one.
    fn after_silence(self, is_first: bool) -> Self {
        let before = if is_first { 0 } else { self.idle };
        let idle = before.saturating_add(1);
        if idle < GONE_AFTER {
            Self { idle, ..self }
        } else {
            Self::default()
        }
    }
}

/// What a tracer did to one request.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    writes: Formats,
    /// Whether it turned a decision to sample; `None` where the request cannot tell.
    turned: Option<bool>,
    /// Whether it decided otherwise than `x-request-id` says.
    is_untold: bool,
    renamed: bool,
    /// Whether it samples by itself, as far as this request tells.
    samples: Option<bool>,
}

/// What is to be found out of one request when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// What the filter left with it; `None` where only the tracer knows.
    pub left: Option<SpanContext>,
    /// The caller's span, and its trace.
    pub caller: Option<(TraceId, SpanId)>,
    /// Whether the filter's own spans are wanted; `None` where the sampler has not been asked, as the trace was not known.
    pub decided: Option<Sampling>,
    /// The decision that the tracer read.
    pub read: Option<bool>,
    pub told: Told,
    /// How far what came in is trusted.
    pub action: Action,
    /// Whether the tracer decides, and the filter left it nothing.
    pub is_tracers_choice: bool,
    /// Whether a tracer that is there writes to it for certain.
    pub must_be_written: bool,
    /// The tracer that the filter stood back for.
    pub tracer: Option<Tracer>,
    /// The span that the access log was told, where the filter did not stand back.
    pub told_span: Option<SpanId>,
}

/// What Envoy told of its own decision when the request came: a route may change the id that says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    is_traced: Option<bool>,
    /// The same, where Envoy wrote it: of what a client sends in another form it need not be true.
    says: Option<bool>,
    is_forced: bool,
}

impl Told {
    pub fn of(headers: &Headers) -> Self {
        Self {
            is_traced: is_traced(headers),
            says: what_it_says(headers),
            is_forced: is_forced(headers),
        }
    }
}

impl Watch {
    /// The caller's span, where that trace is the caller's.
    pub fn caller_in(&self, trace_id: TraceId) -> Option<SpanId> {
        let (of, span_id) = self.caller?;
        of.is_same_trace(trace_id).then_some(span_id)
    }

    /// What a tracer did that left `context`.
    pub fn seen(&self, writes: Formats, context: &SpanContext) -> Seen {
        let sampled = context.sampling.is_sampled();
        let (caller, traced) = (self.caller_in(context.trace_id), self.told.is_traced);
        let may_turn = writes.may_turn() && self.read == Some(true) && caller.is_some();
        Seen {
            writes,
            turned: match (may_turn, sampled, traced) {
                (true, false, _) => Some(true),
                (true, true, Some(false)) => Some(false),
                _ => None,
            },
            is_untold: match self.left {
                // What it reads, it need not keep because of what is told.
                Some(left) if self.read.is_none() && self.told.says.is_some() => {
                    left.sampling.is_sampled() != sampled
                }
                _ => self.is_tracers_choice && sampled && self.told.says == Some(false),
            },
            renamed: caller.is_some_and(|caller| caller != context.span_id),
            samples: (self.is_tracers_choice && !self.told.is_forced).then_some(sampled),
        }
    }

    /// Whether nobody reports a request to which nothing was written.
    pub fn is_nobodys(&self) -> bool {
        self.is_tracers_choice
            && self.told.says == Some(false)
            && self
                .tracer
                .is_some_and(|tracer| !tracer.samples && !tracer.decides.is_untold)
    }

    /// Whether a tracer wrote over what the filter had written. That one it stood back for makes spans of its own in the
    /// same trace is no contradiction.
    pub fn is_contradicted_by(&self, left: &SpanContext) -> bool {
        self.left.is_some_and(|ours| {
            !ours.trace_id.is_same_trace(left.trace_id)
                || ours.sampling.is_sampled() != left.sampling.is_sampled()
                || (self.tracer.is_none() && ours != *left)
        })
    }
}

impl Tracers {
    pub fn new(mode: NativeTracer, log: log::LevelFilter) -> Self {
        Self {
            mode,
            log,
            gauges: [const { OnceCell::new() }; Format::ALL.len()],
            streaks: Streaks::default(),
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
        // Who is the listener is asked where that matters.
        let tracer = if known.is_empty() {
            Tracer::default()
        } else {
            let listener = listener(host, hop);
            let entry = known.iter().find(|(known, _)| *known == listener);
            entry.map_or_else(Tracer::default, |(_, value)| Tracer {
                listener,
                ..Tracer::from_value(*value)
            })
        };
        (self.mode == NativeTracer::Mirror || !tracer.writes.is_empty()).then_some(tracer)
    }

    /// Learns from a request that is over, and to which a tracer wrote.
    pub fn learn(&self, host: &mut impl Host, hop: &Hop, watch: &Watch, seen: &Seen) {
        let mut seen = *seen;
        let known = watch.tracer.unwrap_or_default();
        let is_unusual = || !known.samples || self.streaks.has_unsampled(known.listener);
        if seen.samples == Some(true) && is_unusual() && !has_own_request_id(host, hop) {
            seen.samples = None;
        }
        let streak = self
            .streaks
            .wrote(known.listener, known.samples, seen.samples);
        seen.samples = streak.samples;
        let is_news = |known: Tracer| streak.is_first || known.after(&seen) != known;
        if watch.tracer.is_none_or(is_news) {
            self.change(host, hop, &mut |known| known.after(&seen));
        }
    }

    /// Learns from a request that is over, and to which no tracer wrote.
    pub fn miss(&self, host: &mut impl Host, hop: &Hop, watch: &Watch) {
        if self.mode == NativeTracer::Auto && watch.must_be_written && outcome::is_upstreams(host) {
            let listener = watch.tracer.unwrap_or_default().listener;
            let is_first = self.streaks.missed(listener);
            self.change(host, hop, &mut |known| known.after_silence(is_first));
        }
    }

    fn change(&self, host: &mut impl Host, hop: &Hop, change: &mut dyn FnMut(Tracer) -> Tracer) {
        let (direction, listener) = (hop.direction(host), listener(host, hop));
        let mut now = Tracer::default();
        let (before, entries) = process::learn_tracer(host, listener, &mut |value| {
            now = change(Tracer::from_value(value));
            if now.writes.is_empty() {
                return 0;
            }
            now.direction = number(direction);
            now.value()
        });
        let (before, now) = (Tracer::from_value(before).writes, now.writes);
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
        // Said of the first listener of a direction, and of the last.
        let is_others = entries.iter().any(|(known, value)| {
            *known != listener && Tracer::from_value(*value).direction == number(direction)
        });
        if before.is_empty() != now.is_empty()
            && !is_others
            && self.mode == NativeTracer::Auto
            && self.log >= log::LevelFilter::Warn
        {
            let line = lines::tracer(direction, now);
            host.log(log::Level::Warn, &one_line(&line));
        }
    }
}

/// Envoy believes what an `x-request-id` that came in says of the decision, except at the edge, where it makes its own: so a
/// stranger's says nothing of the tracer.
fn has_own_request_id(host: &mut impl Host, hop: &Hop) -> bool {
    !matches!(hop.place(host), Place::SidecarInbound | Place::Waypoint)
        || hop.is_authenticated(host)
}

/// A tracer belongs to a filter chain, whose name need not be its alone.
fn listener(host: &mut impl Host, hop: &Hop) -> u64 {
    let direction = hop.direction(host);
    let chain = host.property(&FILTER_CHAIN).unwrap_or_default();
    let port = if chain.starts_with(OF_ALL_PORTS) {
        None
    } else {
        host.property(&PORT)
    };
    process::hash(&[&[number(direction)], &chain, &port.unwrap_or_default()])
}

/// As Envoy numbers them.
const fn number(direction: Option<Direction>) -> u8 {
    match direction {
        None => 0,
        Some(Direction::Inbound) => 1,
        Some(Direction::Outbound) => 2,
    }
}
