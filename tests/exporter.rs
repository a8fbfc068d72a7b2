//! The exporter's queue under everything that can happen to it, in any order: what it holds, what it sends when, and
//! that every span is counted exactly once.

#[path = "exporter/history.rs"]
mod history;
#[path = "exporter/world.rs"]
mod world;

use proptest::prelude::*;
use throughline::export::{Answer, Exporter, Limits, Loss, Protocol};

use history::{Event, any_limits, any_protocol, history};
use world::{MILLISECOND, SECOND, TIMEOUT, World};

fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(1000),
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_happens_every_span_is_counted_once(
        protocol in any_protocol(), limits in any_limits(), events in history(),
    ) {
        let mut world = World::new(protocol, limits);
        for event in &events {
            world.meet(event);
        }
        world.close_and_drain();
    }
}

fn limits() -> Limits {
    Limits {
        max_queue_size: 100,
        max_queue_bytes: 1 << 20,
        max_export_batch_size: 10,
        schedule_delay: 2 * SECOND,
        max_in_flight: 4,
    }
}

/// Offers as many spans, one after the other.
fn offer(world: &mut World, spans: usize) {
    for _ in 0..spans {
        world.meet(&Event::Offer { padding: 10 });
    }
}

#[test]
fn a_batch_leaves_when_it_is_full_or_old() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    assert_eq!(world.wait(), None, "nothing waits");
    offer(&mut world, 1);
    assert_eq!(world.wait(), Some(2 * SECOND), "for more spans");
    world.pass(500 * MILLISECOND);
    offer(&mut world, 8);
    assert_eq!(world.wait(), Some(1_500 * MILLISECOND), "from the first on");
    assert_eq!(world.send(), 0, "neither full nor old");
    offer(&mut world, 1);
    assert_eq!(world.wait(), Some(0), "full");
    assert_eq!(world.send(), 1);
    offer(&mut world, 3);
    world.pass(2 * SECOND);
    assert_eq!(world.wait(), Some(0), "old");
    assert_eq!(world.send(), 1);
    world.close_and_drain();
}

#[test]
fn so_many_are_in_flight_and_no_more() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 60);
    assert_eq!(world.send(), 4);
    assert_eq!(
        world.wait(),
        Some(TIMEOUT + 5 * SECOND),
        "an answer is looked for until then"
    );
    world.answer(0, Answer::Accepted);
    assert_eq!(world.send(), 1, "an answer makes room");
    world.close_and_drain();
}

#[test]
fn after_a_failure_one_batch_asks_whether_it_is_over() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 60);
    assert_eq!(world.send(), 4);
    for _ in 0..4 {
        world.answer(0, Answer::Retry { after: None });
    }
    assert_eq!(world.send(), 0, "not at once");
    let wait = world.wait().expect("a time");
    assert!(
        (8 * SECOND / 2..=8 * SECOND * 3 / 2).contains(&wait),
        "the fourth failure: {wait}"
    );
    world.pass(wait);
    assert_eq!(world.send(), 1, "one asks");
    world.answer(0, Answer::Accepted);
    assert_eq!(world.send(), 4, "the others follow");
    world.close_and_drain();
}

#[test]
fn a_batch_is_given_up_after_a_minute() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 10);
    assert_eq!(world.send(), 1);
    let mut tries = 1;
    let mut passed = 0;
    loop {
        world.answer(0, Answer::Retry { after: None });
        if world.lost(Loss::RetriesExhausted) > 0 {
            break;
        }
        let wait = world.wait().expect("a time");
        assert!(
            wait <= 45 * SECOND,
            "the longest is 30 s, half as much more by jitter: {wait}"
        );
        passed += wait;
        world.pass(wait);
        assert_eq!(world.send(), 1);
        tries += 1;
    }
    assert_eq!(world.lost(Loss::RetriesExhausted), 10);
    assert!(
        passed >= 60 * SECOND && tries >= 4,
        "{tries} tries in {passed} ns"
    );
    world.close_and_drain();
}

/// OTLP specification, "OTLP/HTTP Throttling": not before the collector's own word, whatever it says to other calls.
#[test]
fn a_collector_that_asks_for_time_gets_it() {
    for (asked, least) in [(7, 7), (300, 300), (100_000, 300), (0, 0)] {
        let mut world = World::new(Protocol::OtlpHttp, limits());
        offer(&mut world, 10);
        assert_eq!(world.send(), 1);
        let after = Some(asked * SECOND);
        world.answer(0, Answer::Retry { after });
        let wait = world.wait().expect("a time");
        assert!(
            wait >= least * SECOND && wait <= 300 * SECOND,
            "{asked}: {wait}"
        );
        world.close_and_drain();
    }
}

#[test]
fn a_collector_that_asks_for_time_gets_it_whatever_it_answers_to_other_calls() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 20);
    assert_eq!(world.send(), 2);
    world.answer(
        0,
        Answer::Retry {
            after: Some(7 * SECOND),
        },
    );
    world.answer(0, Answer::Accepted);
    let wait = world.wait().expect("a time");
    assert_eq!(wait, 7 * SECOND);
    assert_eq!(world.send(), 0);
    world.close_and_drain();
}

#[test]
fn an_answer_that_never_comes_is_a_failure() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 10);
    assert_eq!(world.send(), 1);
    world.pass(TIMEOUT + 5 * SECOND - 1);
    assert_eq!(world.overdue(), 0, "not yet");
    world.pass(1);
    assert_eq!(world.wait(), Some(0));
    assert_eq!(world.overdue(), 1);
    world.pass(60 * SECOND);
    assert_eq!(world.send(), 1, "tried again");
    world.close_and_drain();
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut exporter = Exporter::new(limits(), TIMEOUT, World::envelope(Protocol::Zipkin));
    assert_eq!(exporter.answered(7, Answer::Accepted, 0, 0), None);
    assert_eq!((exporter.bytes(), exporter.wait(0)), (0, None));
}

/// The newest is what is lost, as in OpenTelemetry's batch processor.
#[test]
fn a_full_queue_drops_the_newest() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 103);
    assert_eq!(world.lost(Loss::QueueFull), 3);
    let mut world = World::new(
        Protocol::OtlpHttp,
        Limits {
            max_queue_bytes: 4096,
            ..limits()
        },
    );
    world.meet(&Event::Offer { padding: 3_000 });
    world.meet(&Event::Offer { padding: 3_000 });
    assert_eq!(world.lost(Loss::QueueBytes), 1);
    world.meet(&Event::Offer { padding: 500 });
    assert_eq!(world.lost(Loss::QueueBytes), 1, "a smaller one fits");
    world.close_and_drain();
}

/// However small the queue, a collector that is well loses nothing of a steady stream.
#[test]
fn a_small_queue_is_sent_before_it_is_full() {
    let mut exporter = Exporter::new(
        Limits {
            max_queue_bytes: 65_536,
            ..Limits::default()
        },
        TIMEOUT,
        World::envelope(Protocol::OtlpHttp),
    );
    for token in 0..1_000 {
        assert_eq!(exporter.offer(&[0; 1_300], 0), Ok(()), "{token}");
        if let Some(batch) = exporter.next(0) {
            exporter.sent(batch, token, 1, 0);
            exporter.answered(token, Answer::Accepted, 0, 0);
        }
    }
}

/// The limit is hard: what is written around the spans when a batch leaves counts too.
#[test]
fn the_limit_of_bytes_holds_to_the_byte() {
    for protocol in [
        Protocol::OtlpHttp,
        Protocol::OtlpGrpc,
        Protocol::OtlpHttpJson,
        Protocol::Zipkin,
    ] {
        for max_queue_bytes in 500..1_500 {
            let limits = Limits {
                max_queue_bytes,
                ..limits()
            };
            let mut world = World::new(protocol, limits);
            offer(&mut world, 10);
            world.pass(2 * SECOND);
            world.send();
            world.close_and_drain();
        }
    }
}

/// Collectors' gRPC servers take 4 MiB by default.
#[test]
fn a_body_stays_below_what_collectors_take() {
    let mut world = World::new(
        Protocol::OtlpGrpc,
        Limits {
            max_queue_size: 65_536,
            max_queue_bytes: 64 << 20,
            max_export_batch_size: 65_536,
            ..limits()
        },
    );
    for _ in 0..80 {
        world.meet(&Event::Offer { padding: 100_000 });
    }
    assert_eq!(world.send(), 2);
    assert!(world.largest() < 4 << 20, "{}", world.largest());
    world.close_and_drain();
}

#[test]
fn what_is_tried_when_it_closes_is_tried_once() {
    let mut world = World::new(Protocol::OtlpHttp, limits());
    offer(&mut world, 35);
    world.close();
    assert_eq!(world.send(), 4, "everything, at once");
    world.answer(0, Answer::Accepted);
    world.answer(0, Answer::Retry { after: None });
    world.answer(0, Answer::Partial { rejected: 4 });
    assert_eq!(world.send(), 0, "nothing again");
    assert_eq!(world.lost(Loss::Shutdown), 10);
    assert_eq!(world.lost(Loss::PartialSuccess), 4);
    world.close_and_drain();
}
