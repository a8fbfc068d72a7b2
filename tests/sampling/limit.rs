//! `sampling.maxPerSecond`.

use crate::support::FakeHost;
use crate::{filter, is_sampled};

const SECOND: u64 = 1_000_000_000;

#[test]
fn each_second_of_the_clock_has_its_own() {
    let mut host = FakeHost::default();
    host.now = 7 * SECOND;
    // Two workers: two instances over the one process.
    let config = r#"{"sampling": {"maxPerSecond": 5}}"#;
    let workers = [filter(&mut host, config), filter(&mut host, config)];
    for second in 7..10 {
        host.now = second * SECOND;
        let mut sampled = 0;
        for request in 0..40 {
            host.now += SECOND / 50;
            sampled += usize::from(is_sampled(&workers[request % 2], &mut host, &[]));
        }
        assert_eq!(sampled, 5, "second {second}");
    }
}

/// Nobody has counted yet, and two workers begin at once: what one of them has counted is not overwritten.
#[test]
fn the_first_second_has_no_more_than_others() {
    let mut host = FakeHost::default();
    host.now = 7 * SECOND;
    let filter = filter(&mut host, r#"{"sampling": {"maxPerSecond": 5}}"#);
    let counted = [7_u64.to_le_bytes(), 5_u64.to_le_bytes()].concat();
    host.raced = Some(("throughline.sampled", counted));
    assert!(
        !is_sampled(&filter, &mut host, &[]),
        "another took the last"
    );
    assert_eq!(host.raced, None, "it came in between");
}

/// A second ends while a worker stands still, and others use up the next one.
#[test]
fn a_worker_that_stands_still_does_not_begin_a_second_anew() {
    let mut host = FakeHost::default();
    let config = r#"{"sampling": {"maxPerSecond": 2}, "nativeTracer": "own"}"#;
    let filter = filter(&mut host, config);
    host.now = 12 * SECOND;
    let mut sampled = 0;
    for _ in 0..4 {
        sampled += usize::from(is_sampled(&filter, &mut host, &[]));
    }
    host.now = 11 * SECOND - 1;
    host.now_after_shared = Some(12 * SECOND + 1);
    for _ in 0..4 {
        sampled += usize::from(is_sampled(&filter, &mut host, &[]));
    }
    assert_eq!(host.now_after_shared, None, "it stood still");
    assert_eq!(sampled, 2);
}

#[test]
fn only_decisions_to_sample_that_are_made_here_count() {
    let mut host = FakeHost::default();
    host.now = 7 * SECOND;
    let config = r#"{"sampling": {"maxPerSecond": 1, "rules": [{"match": {"paths": ["/quiet"]}, "ratio": 0}]}}"#;
    let filter = filter(&mut host, config);
    let continued = (
        "traceparent",
        "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
    );
    for _ in 0..3 {
        assert!(!is_sampled(&filter, &mut host, &[(":path", "/quiet")]));
        assert!(is_sampled(&filter, &mut host, &[continued]));
        assert!(is_sampled(&filter, &mut host, &[("b3", "d")]));
    }
    assert!(is_sampled(&filter, &mut host, &[]));
    assert!(!is_sampled(&filter, &mut host, &[]));
}

#[test]
fn a_clock_that_jumps_neither_opens_nor_closes_it_for_good() {
    let mut host = FakeHost::default();
    let filter = filter(&mut host, r#"{"sampling": {"maxPerSecond": 1}}"#);
    host.now = 100 * SECOND;
    assert!(is_sampled(&filter, &mut host, &[]));
    assert!(!is_sampled(&filter, &mut host, &[]));
    // The clock was set back.
    host.now = 50 * SECOND;
    assert!(is_sampled(&filter, &mut host, &[]));
    assert!(!is_sampled(&filter, &mut host, &[]));
}
