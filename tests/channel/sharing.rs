//! Several root contexts of a worker with one configuration have one queue.

use crate::{
    DEFAULT, TWOS,
    worker::{Worker, spans, status},
};

#[test]
fn listeners_share_a_queue() {
    let mut worker = Worker::new(DEFAULT);
    worker.join(2, DEFAULT);
    worker.join(3, DEFAULT);
    worker.requests(3, 1);
    worker.requests(2, 1);
    worker.requests(1, 1);
    assert_eq!(worker.ticks(), [(1, 2000)], "the first one drives");
    worker.tick();
    assert_eq!(worker.host.sent.len(), 1, "one batch of all");
    assert_eq!(spans(&worker.host.sent[0]).len(), 3);
    worker.answer(status(200));
    worker.tick();
    assert_eq!(worker.counted(), [3, 3, 0]);
}

#[test]
fn their_limits_are_not_multiplied() {
    const SMALL: &str = r#"{"export": {"cluster": "c", "batch": {"maxQueueSize": 4, "maxExportBatchSize": 2}, "maxInFlight": 1}}"#;
    let mut worker = Worker::new(SMALL);
    worker.join(2, SMALL);
    worker.requests(1, 3);
    worker.requests(2, 3);
    worker.tick();
    assert_eq!(worker.in_flight.len(), 1);
    assert_eq!(worker.counted(), [6, 0, 2]);
}

#[test]
fn another_configuration_has_another_queue() {
    let mut worker = Worker::new(TWOS);
    worker.join(2, DEFAULT);
    worker.requests(1, 1);
    worker.requests(2, 1);
    assert_eq!(worker.ticks(), [(1, 2000), (2, 2000)]);
    worker.pass(2000);
    worker.tick_of(1);
    assert_eq!(spans(&worker.host.sent[0]).len(), 1);
    worker.tick_of(2);
    assert_eq!(spans(&worker.host.sent[1]).len(), 1);
}

/// Without export there is nothing to share, and nothing to do at a tick.
#[test]
fn without_export_nothing_happens() {
    let mut worker = Worker::new("{}");
    worker.host.calls.clear();
    worker.requests(1, 10);
    assert_eq!(worker.ticks(), []);
    worker.tick_of(1);
    assert!(worker.leave(1));
    for call in ["now", "call", "set_tick"] {
        assert_eq!(worker.host.calls.get(call), None, "{call}");
    }
    let properties = worker.host.calls.get("property");
    assert_eq!(properties, Some(&10), "the direction of each request");
}
