use core::num::NonZeroU64;

use throughline::{
    join::{
        ladder::{Call, Evidence, Joined, Outcome, Rung, Rungs, Why, Working, decide},
        register::Request,
        seen::Seen,
        worker::Worker,
    },
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

use crate::shared::Shared;

pub const SECOND: u64 = 1_000_000;
/// By then every register is complete.
pub const START: u64 = 1_000 * SECOND;

pub const ALL: Rungs = Rungs {
    key: true,
    token: true,
    route: true,
    sole: true,
};

pub fn context(number: u64, sampling: Sampling) -> SpanContext {
    SpanContext {
        trace_id: TraceId::new(u128::from(number) << 64 | 7).unwrap(),
        span_id: SpanId::new(number).unwrap(),
        sampling,
        random: number.is_multiple_of(2),
    }
}

pub fn request<'a>(number: u64, route: u32, hashes: &'a [u64]) -> Request<'a> {
    Request {
        context: Some(context(number, Sampling::Accept)),
        route,
        hashes,
        has_more_tokens: false,
    }
}

/// A worker whose VM started long ago.
pub fn worker(owner: u64) -> Worker {
    let mut worker = Worker::new(NonZeroU64::new(owner).unwrap(), 4, START - 100 * SECOND);
    // A look at the clock in between, or it seems to have been set.
    for second in (0..=100).rev().step_by(10) {
        worker.tick(&mut Shared::default(), START - second * SECOND);
    }
    worker
}

/// Knows that only `route` calls anybody, and that nobody calls by himself.
pub struct OnlyRoute(pub u32);

impl Evidence for OnlyRoute {
    fn infer(&self, _: &Seen, _: &Call<'_>, in_flight: &[Working]) -> Option<usize> {
        let mut places = (0..in_flight.len()).filter(|place| in_flight[*place].route == self.0);
        let place = places.next()?;
        let is_only = places.next().is_none() && !in_flight[place].is_aborted;
        is_only.then_some(place)
    }
}

pub fn joined(outcome: Outcome) -> Option<(Rung, u64)> {
    match outcome {
        Outcome::Joined(Joined { rung, context }) => Some((rung, context.span_id.bits())),
        Outcome::Abstained(_) => None,
    }
}

pub fn why(outcome: Outcome) -> Option<Why> {
    match outcome {
        Outcome::Joined(_) => None,
        Outcome::Abstained(abstained) => Some(abstained.why),
    }
}

/// What becomes of a call that comes at `now` through `worker`.
pub fn call(worker: &Worker, shared: &mut Shared, now: u64, keys: &[u64]) -> Outcome {
    let call = Call {
        keys,
        tokens: &[],
        callee: 1,
        ..Call::default()
    };
    decide(ALL, &worker.look(shared, now), &call, &OnlyRoute(1))
}
