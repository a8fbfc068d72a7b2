//! When the driver wakes.

use crate::{
    DEFAULT, TWOS,
    worker::{Worker, status},
};

#[test]
fn an_idle_worker_has_no_tick() {
    let mut worker = Worker::new(DEFAULT);
    assert_eq!(worker.ticks(), [], "nothing waits");
    worker.requests(1, 1);
    assert_eq!(worker.ticks(), [(1, 2000)], "the delay");
    worker.tick();
    assert_eq!(worker.host.sent.len(), 1);
    assert_eq!(worker.ticks(), [(1, 15_000)], "until the answer is lost");
    worker.answer(status(200));
    worker.tick();
    assert_eq!(worker.ticks(), [], "nothing waits any more");
    assert_eq!(worker.counted(), [1, 1, 0]);
}

#[test]
fn a_full_batch_leaves_a_millisecond_later() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 1);
    worker.pass(100);
    assert_eq!(worker.ticks(), [(1, 2000)]);
    worker.requests(1, 1);
    assert_eq!(worker.ticks(), [(1, 1)]);
    assert_eq!(worker.host.sent.len(), 0, "never from a request");
    worker.tick();
    assert_eq!(worker.host.sent.len(), 1);
}

/// A host call each is what a tick costs the requests that arm it.
#[test]
fn few_requests_arm_a_tick() {
    let mut worker = Worker::new(DEFAULT);
    worker.host.calls.clear();
    worker.requests(1, 511);
    assert_eq!(worker.host.calls["set_tick"], 1, "the first one");
    worker.requests(1, 1);
    assert_eq!(
        worker.host.calls["set_tick"], 2,
        "the one that fills a batch"
    );
    worker.requests(1, 600);
    assert_eq!(
        worker.host.calls["set_tick"], 2,
        "the tick is armed already"
    );
}

/// What a request does beside recording its span.
#[test]
fn the_log_phase_only_queues() {
    let mut worker = Worker::new(DEFAULT);
    worker.requests(1, 1);
    worker.host.calls.clear();
    // Fewer than after which the filter asks whether it is alone still.
    worker.requests(1, 50);
    for call in [
        "call",
        "set_tick",
        "increment_spans",
        "define_metric",
        "record",
        "log",
        "set_shared",
        "done",
    ] {
        assert_eq!(worker.host.calls.get(call), None, "{call}");
    }
    assert_eq!(
        worker.host.calls["increment"], 50,
        "requests, and nothing of spans"
    );
    assert_eq!(
        worker.host.calls["shared"], 50,
        "whether Envoy has a tracer, and nothing else"
    );
}

#[test]
fn a_tick_that_was_lost_is_armed_again() {
    let mut worker = Worker::new(DEFAULT);
    worker.requests(1, 1);
    worker.host.ticks.clear();
    worker.pass(10_000);
    worker.requests(1, 1);
    assert_eq!(worker.ticks(), [(1, 1)], "what is due leaves at once");
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let mut worker = Worker::new(DEFAULT);
    worker.requests(1, 1);
    worker.host.now -= 1_000_000_000_000;
    worker.tick();
    assert_eq!(worker.ticks(), [(1, 2000)], "at most the delay again");
}

#[test]
fn finished_spans_are_counted_although_all_are_dropped() {
    let mut worker = Worker::new(
        r#"{"export": {"cluster": "c", "batch": {"maxQueueSize": 2, "maxExportBatchSize": 2}, "maxInFlight": 1}}"#,
    );
    worker.requests(1, 2);
    worker.tick();
    worker.requests(1, 5);
    worker.tick();
    assert_eq!(worker.counted(), [7, 0, 3]);
    assert_eq!(worker.metric("spans{outcome=dropped,reason=queue_full}"), 3);
}
