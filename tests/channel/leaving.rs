//! Root contexts that go: by a new configuration, a listener that is removed, or the end of the process.

use crate::{
    DEFAULT, TWOS,
    worker::{Worker, spans, status},
};

#[test]
fn one_that_waits_for_nothing_goes_at_once() {
    let mut worker = Worker::new(DEFAULT);
    assert!(worker.leave(1));
    assert_eq!(worker.host.sent.len(), 0);
}

#[test]
fn the_last_one_sends_everything_and_waits_for_the_answers() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 5);
    assert!(!worker.leave(1));
    let sizes: Vec<usize> = worker
        .host
        .sent
        .iter()
        .map(|call| spans(call).len())
        .collect();
    assert_eq!(
        sizes,
        [2, 2, 1],
        "also what was not due, and more than may be in flight"
    );
    worker.answer(status(200));
    worker.answer(status(200));
    assert!(worker.host.done.is_empty(), "an answer is still out");
    worker.answer(status(200));
    assert_eq!(worker.host.done, [1]);
    assert_eq!(worker.counted(), [5, 5, 0]);
}

#[test]
fn what_fails_then_is_lost_and_counted() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 4);
    assert!(!worker.leave(1));
    worker.answer(status(503));
    worker.no_answer();
    assert_eq!(worker.host.done, [1]);
    assert_eq!(worker.host.sent.len(), 2, "not tried again");
    assert_eq!(worker.counted(), [4, 0, 4]);
    assert_eq!(worker.metric("spans{outcome=dropped,reason=shutdown}"), 4);
}

#[test]
fn where_there_is_no_cluster_it_goes_at_once() {
    let mut worker = Worker::new(TWOS);
    worker.host.without_clusters = true;
    worker.requests(1, 5);
    assert!(worker.leave(1));
    assert_eq!(worker.counted(), [5, 0, 5]);
    assert_eq!(worker.metric("spans{outcome=dropped,reason=shutdown}"), 5);
}

/// What waits for its time after a failure leaves now or never.
#[test]
fn what_waits_to_be_tried_again_is_tried_now() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 2);
    worker.tick();
    worker.answer(status(503));
    assert!(!worker.leave(1));
    assert_eq!(worker.host.sent.len(), 2);
    worker.answer(status(200));
    assert_eq!(worker.counted(), [2, 2, 0]);
}

#[test]
fn the_next_one_takes_over() {
    let mut worker = Worker::new(DEFAULT);
    worker.join(2, DEFAULT);
    worker.requests(1, 1);
    worker.pass(500);
    assert!(worker.leave(1));
    assert_eq!(worker.host.ticks[&2], 1500, "the rest of the delay");
    worker.pass(1500);
    worker.tick_of(2);
    assert_eq!(spans(&worker.host.sent[0]).len(), 1);
    worker.answer(status(200));
    assert_eq!(worker.counted(), [1, 1, 0]);
}

#[test]
fn one_that_does_not_drive_leaves_the_others_alone() {
    let mut worker = Worker::new(DEFAULT);
    worker.join(2, DEFAULT);
    worker.requests(2, 1);
    assert!(worker.leave(2));
    assert_eq!(worker.ticks(), [(1, 2000)]);
    worker.tick();
    assert_eq!(spans(&worker.host.sent[0]).len(), 1);
}

#[test]
fn an_answer_is_taken_for_one_that_was_to_go() {
    let mut worker = Worker::new(TWOS);
    worker.join(2, TWOS);
    worker.requests(1, 2);
    worker.tick();
    assert!(!worker.leave(1), "its call is in flight");
    worker.answer(status(503));
    assert_eq!(worker.host.done, [1]);
    worker.tick();
    assert_eq!(
        worker.in_flight,
        [(2, 1)],
        "tried again by the one that stays"
    );
    worker.answer(status(200));
    assert_eq!(worker.counted(), [2, 2, 0]);
}

/// Else it would gather calls as long as there is traffic, and never go.
#[test]
fn one_that_was_to_go_sends_no_more() {
    let mut worker = Worker::new(TWOS);
    worker.join(2, TWOS);
    worker.requests(1, 2);
    worker.tick();
    assert!(!worker.leave(1));
    worker.requests(2, 2);
    assert_eq!(worker.ticks(), [(2, 1)], "only the new driver has a tick");
    worker.tick();
    assert_eq!(worker.in_flight, [(1, 0), (2, 1)]);
}

/// Also then, as it may have been on its way already.
#[test]
fn a_tick_of_one_that_was_to_go_sends_nothing() {
    let mut worker = Worker::new(TWOS);
    worker.join(2, TWOS);
    worker.requests(1, 2);
    worker.tick();
    assert!(!worker.leave(1));
    worker.requests(2, 2);
    worker.pass(1);
    worker.tick_of(1);
    assert_eq!(worker.in_flight, [(1, 0)]);
}

#[test]
fn an_answer_that_never_comes_holds_nobody_when_another_one_stays() {
    let mut worker = Worker::new(TWOS);
    worker.join(2, TWOS);
    worker.requests(1, 2);
    worker.tick();
    assert!(!worker.leave(1));
    worker.pass(15_000);
    worker.tick_of(2);
    assert_eq!(worker.host.done, [1]);
}

#[test]
fn an_answer_that_never_comes_does_not_hold_the_last_one() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 2);
    assert!(!worker.leave(1));
    assert_eq!(worker.ticks(), [(1, 15_000)], "somebody must look");
    worker.tick();
    assert_eq!(worker.host.done, [1]);
    assert_eq!(worker.counted(), [2, 0, 2]);
}

/// Envoy configures the new root context before the old one is to go.
#[test]
fn a_new_configuration_starts_anew_while_the_old_one_is_flushed() {
    const OTHER: &str = r#"{"export": {"cluster": "other"}}"#;
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 1);
    worker.join(2, OTHER);
    worker.requests(2, 1);
    assert!(!worker.leave(1));
    assert_eq!(worker.host.sent[0].cluster, "collector");
    worker.answer(status(200));
    assert_eq!(worker.host.done, [1]);
    worker.tick();
    assert_eq!(worker.host.sent[1].cluster, "other");
    worker.answer(status(200));
    assert_eq!(worker.counted(), [2, 2, 0]);
}

/// A listener that changes twice, or comes back, meets its old queue while that is still being flushed.
#[test]
fn a_configuration_that_comes_back_does_not_join_a_queue_that_closes() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 1);
    assert!(!worker.leave(1));
    worker.join(2, TWOS);
    worker.requests(2, 2);
    worker.tick_of(2);
    assert_eq!(worker.in_flight, [(1, 0), (2, 1)]);
    worker.answer(status(200));
    worker.answer(status(200));
    assert_eq!(worker.host.done, [1]);
    assert_eq!(worker.counted(), [3, 3, 0]);
}

/// Envoy ends a VM without any root at once, and its calls with it.
#[test]
fn what_goes_with_the_vm_is_counted_at_once() {
    let mut worker = Worker::new(TWOS);
    worker.requests(1, 3);
    worker.tick();
    assert!(!worker.host.sent.is_empty(), "a call is out");
    assert!(worker.leave_with_the_vm(1), "nothing to wait for");
    assert_eq!(worker.counted(), [3, 0, 3]);
    worker.answer(status(200));
    assert_eq!(worker.counted(), [3, 0, 3], "an answer changes nothing");
}

#[test]
fn an_exporter_that_goes_fails_no_more() {
    let mut worker = Worker::new(TWOS);
    worker.host.without_clusters = true;
    worker.requests(1, 2);
    worker.tick();
    assert_eq!(worker.metric("export_unreachable"), 1);
    worker.host.without_clusters = false;
    assert!(!worker.leave(1), "a call is out");
    assert_eq!(worker.metric("export_unreachable"), 0);
    worker.no_answer();
    assert_eq!(worker.metric("export_unreachable"), 0);
}
