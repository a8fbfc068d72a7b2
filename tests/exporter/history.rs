//! What can happen to an exporter.

use proptest::{collection::vec, option::of, prelude::*, sample::select};
use throughline::export::{Answer, Limits, Protocol};

use crate::world::{MILLISECOND, SECOND};

#[derive(Clone, Debug)]
pub enum Event {
    /// A span of about so many bytes ends.
    Offer {
        padding: usize,
    },
    /// The driver's time: lost answers are given up, and everything leaves that may, by a host that knows the cluster.
    Send,
    /// The same with a host that does not.
    Refuse,
    /// A call that is in flight is answered.
    Answer {
        which: prop::sample::Index,
        answer: Answer,
    },
    /// An answer that nobody waits for.
    Stray(u32),
    /// The clock goes on, or is set back.
    Pass(u64),
    Back(u64),
    /// As long as nothing needs to be done.
    Sleep,
}

pub fn history() -> impl Strategy<Value = Vec<Event>> {
    vec(event(), 0..150)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        30 => select(vec![0, 1, 100, 127, 128, 900, 3_000])
            .prop_map(|padding| Event::Offer { padding }),
        15 => Just(Event::Send),
        3 => Just(Event::Refuse),
        20 => (any::<prop::sample::Index>(), answer()).prop_map(|(which, answer)| Event::Answer { which, answer }),
        1 => any::<u32>().prop_map(Event::Stray),
        8 => time().prop_map(Event::Pass),
        2 => time().prop_map(Event::Back),
        10 => Just(Event::Sleep),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let after = of(prop_oneof![0..10 * SECOND, 0..400 * SECOND, any::<u64>()]);
    prop_oneof![
        6 => Just(Answer::Accepted),
        2 => prop_oneof![0_usize..30, any::<usize>()].prop_map(|rejected| Answer::Partial { rejected }),
        6 => after.prop_map(|after| Answer::Retry { after }),
        1 => Just(Answer::Rejected),
        1 => Just(Answer::Garbled),
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        1..20 * MILLISECOND,
        1..3 * SECOND,
        1..90 * SECOND,
        1..100_000 * SECOND,
    ]
}

pub fn any_limits() -> impl Strategy<Value = Limits> {
    (
        1_usize..60,
        select(vec![600, 1_000, 4_096, 65_536, 4 << 20]),
        1_usize..20,
        select(vec![
            10 * MILLISECOND,
            250 * MILLISECOND,
            2 * SECOND,
            60 * SECOND,
        ]),
        1_usize..5,
    )
        .prop_map(
            |(queue, bytes, batch, schedule_delay, max_in_flight)| Limits {
                max_queue_size: queue,
                max_queue_bytes: bytes,
                max_export_batch_size: batch.min(queue),
                schedule_delay,
                max_in_flight,
            },
        )
}

pub fn any_protocol() -> impl Strategy<Value = Protocol> {
    select(vec![
        Protocol::OtlpHttp,
        Protocol::OtlpGrpc,
        Protocol::OtlpHttpJson,
        Protocol::Zipkin,
    ])
}
