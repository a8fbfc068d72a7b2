//! What holds whatever is in flight, and whatever bytes are shared.

use proptest::prelude::*;
use throughline::{
    join::{
        counts::Counts,
        ladder::{Call, Outcome, decide},
        register::Listing,
        seen::Seen,
        store::{Place, Store, When},
        worker::{End, Ticket},
    },
    trace::{Sampling, SpanContext},
};

use crate::{
    shared::Shared,
    support::{ALL, OnlyRoute, SECOND, START, context, request, worker},
};

/// What happens, one after the other.
#[derive(Clone, Debug)]
enum Event {
    Begin {
        worker: usize,
        route: u32,
        keys: Vec<u64>,
        sampling: Option<Sampling>,
    },
    End {
        which: usize,
        is_aborted: bool,
    },
    Call {
        keys: Vec<u64>,
        tokens: Vec<u64>,
    },
    Pass {
        seconds: u64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let keys = || proptest::collection::vec(1_u64..6, 0..3);
    let sampling = proptest::option::of(prop_oneof![
        Just(Sampling::Deny),
        Just(Sampling::Accept),
        Just(Sampling::Debug),
    ]);
    prop_oneof![
        3 => (0..2_usize, 1..4_u32, keys(), sampling).prop_map(
            |(worker, route, keys, sampling)| Event::Begin { worker, route, keys, sampling },
        ),
        2 => (any::<usize>(), any::<bool>())
            .prop_map(|(which, is_aborted)| Event::End { which, is_aborted }),
        3 => (keys(), keys()).prop_map(|(keys, tokens)| Event::Call { keys, tokens }),
        1 => (0..40_u64).prop_map(|seconds| Event::Pass { seconds }),
    ]
}

/// A request as the test knows it.
struct Known {
    worker: usize,
    ticket: Ticket,
    route: u32,
    keys: Vec<u64>,
    context: Option<SpanContext>,
    began: u64,
    /// When it is over, where it was aborted.
    over: Option<u64>,
}

impl Known {
    fn is_listed(&self, now: u64, seconds: u64) -> bool {
        self.over
            .is_none_or(|over| now <= over || now - over < seconds * SECOND)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_join_is_of_the_only_one_that_it_can_be(events in proptest::collection::vec(event(), 1..60)) {
        let mut shared = Shared::default();
        let mut workers = [worker(1), worker(2)];
        let mut known: Vec<Known> = Vec::new();
        let mut now = START;
        let mut number = 0;
        for event in events {
            match event {
                Event::Begin { worker, route, keys, sampling } => {
                    number += 1;
                    let mut listed = request(number, route, &keys);
                    listed.context = sampling.map(|sampling| context(number, sampling));
                    let ticket = workers[worker].begin(&mut shared, now, &listed);
                    let context = listed.context;
                    known.push(Known { worker, ticket, route, keys, context, began: now, over: None });
                }
                Event::End { which, is_aborted } => {
                    let open: Vec<usize> =
                        (0..known.len()).filter(|at| known[*at].over.is_none()).collect();
                    let Some(at) = which.checked_rem(open.len()).map(|which| open[which]) else {
                        continue;
                    };
                    let how = if is_aborted { End::Aborted } else { End::Answered };
                    let (worker, ticket) = (known[at].worker, known[at].ticket);
                    workers[worker].end(&mut shared, now, ticket, how);
                    if is_aborted {
                        let more = (4 * (now - known[at].began)).clamp(SECOND / 2, 60 * SECOND);
                        known[at].over = Some(now + more);
                    } else {
                        known.swap_remove(at);
                    }
                }
                Event::Pass { seconds } => for _ in 0..seconds {
                    now += SECOND;
                    for worker in &mut workers {
                        worker.tick(&mut shared, now);
                    }
                }
                Event::Call { keys, tokens } => {
                    let call = Call { keys: &keys, tokens: &tokens, callee: 1, ..Call::default() };
                    let seen = workers[1].look(&mut shared, now);
                    let in_flight: Vec<&Known> = known.iter().filter(|one| one.is_listed(now, 0)).collect();
                    prop_assert_eq!(seen.in_flight().count(), in_flight.len());
                    let Outcome::Joined(joined) = decide(ALL, &seen, &call, &OnlyRoute(1)) else {
                        continue;
                    };
                    let its = known.iter().find(|one| one.context.is_some_and(|its| its.span_id == joined.context.span_id));
                    let its = its.expect("a join is of a request that is listed");
                    let context = its.context.unwrap();
                    prop_assert_eq!(joined.context.trace_id, context.trace_id);
                    prop_assert_eq!(joined.context.random, context.random);
                    if joined.rung.is_exact() {
                        prop_assert_eq!(joined.context.sampling, context.sampling);
                        let only = |hash: &&u64| {
                            let mut carriers = known.iter().filter(|one| one.is_listed(now, 60) && one.keys.contains(hash));
                            carriers.next().is_some_and(|one| core::ptr::eq(one, its)) && carriers.next().is_none()
                        };
                        prop_assert!(keys.iter().chain(&tokens).any(|hash| only(&hash)));
                    } else {
                        prop_assert_eq!(joined.context.sampling.is_sampled(), context.sampling.is_sampled());
                        prop_assert_ne!(joined.context.sampling, Sampling::Debug);
                        prop_assert_eq!(its.route, 1);
                        prop_assert_eq!(in_flight.iter().filter(|one| one.route == 1).count(), 1);
                    }
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..1700), is_framed: bool, now: u64) {
        let mut bytes = bytes;
        if is_framed && bytes.len() >= 1072 {
            // A header that fits what follows it.
            bytes[0] = 1;
            bytes[1] %= 9;
            let stride = 41 + 8 * usize::from(bytes[1]);
            let count = (bytes.len() - 1072) / stride;
            bytes.truncate(1072 + count * stride);
            bytes[2..4].copy_from_slice(&(count as u16).to_le_bytes());
            prop_assert!(Listing::read(&bytes).is_some());
        }
        let mut shared = Shared::default();
        shared.set(Place::Register(0), &bytes, When::Always);
        let seen = Seen::read(&mut shared, now);
        let call = Call { keys: &[1], tokens: &[2], callee: 3, ..Call::default() };
        decide(ALL, &seen, &call, &OnlyRoute(1));
        prop_assert!(seen.in_flight().count() <= 256);
        if let Some(counts) = Counts::decode(&bytes) {
            prop_assert_eq!(counts.encode(), bytes.clone());
        }
        // And written beside, or over.
        worker(1).begin(&mut shared, now, &request(1, 1, &[]));
    }
}
