//! Registers, their owners and their readers; what becomes of those that die.

use throughline::{
    join::{
        ladder::{Rung, Why},
        register::MOST_LISTED,
        store::{Place, Store, When},
        worker::{End, Ticket, Worker},
    },
    trace::Sampling,
};

use crate::{
    shared::Shared,
    support::{SECOND, START, call, context, joined, request, why, worker},
};

/// Half a second in flight, a minute for its keys.
const LINGER: u64 = 61 * SECOND;
const GONE: u64 = 600 * SECOND;

#[test]
fn what_one_worker_begins_another_finds_until_it_ends() {
    let (mut shared, mut here, there) = (Shared::default(), worker(1), worker(2));
    assert_eq!(why(call(&there, &mut shared, START, &[])), Some(Why::Idle));
    let ticket = here.begin(&mut shared, START, &request(5, 1, &[]));
    assert_eq!(
        joined(call(&there, &mut shared, START, &[])),
        Some((Rung::Sole, 5))
    );
    here.end(&mut shared, START, ticket, End::Answered);
    assert_eq!(why(call(&there, &mut shared, START, &[])), Some(Why::Idle));
}

#[test]
fn beginning_and_ending_write_once_and_read_nothing() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    let first = here.begin(&mut shared, START, &request(5, 1, &[]));
    (shared.reads, shared.writes) = (0, 0);
    let second = here.begin(&mut shared, START, &request(6, 1, &[]));
    here.end(&mut shared, START, first, End::Answered);
    here.end(&mut shared, START, second, End::Answered);
    assert_eq!((shared.reads, shared.writes), (0, 3));
    call(&here, &mut shared, START, &[]);
    assert_eq!(
        (shared.reads, shared.writes),
        (2, 3),
        "a read for each register, and one past the last"
    );
}

#[test]
fn each_worker_takes_a_register_of_its_own_and_leaves_it_to_the_next() {
    let mut shared = Shared::default();
    let mut workers = [1, 2, 3].map(worker);
    let tickets = workers
        .each_mut()
        .map(|worker| worker.begin(&mut shared, START, &request(1, 1, &[])));
    for slot in 0..3 {
        assert!(shared.get(Place::Register(slot)).is_some(), "{slot}");
    }
    assert!(shared.get(Place::Register(3)).is_none());
    workers[1].end(&mut shared, START, tickets[1], End::Answered);
    workers[1].leave(&mut shared, START);
    let mut fourth = worker(4);
    fourth.begin(&mut shared, START, &request(1, 1, &[]));
    assert!(shared.get(Place::Register(3)).is_none());
}

#[test]
fn a_worker_that_leaves_in_the_middle_leaves_its_requests_listed() {
    let (mut shared, mut here, mut there) = (Shared::default(), worker(1), worker(2));
    here.begin(&mut shared, START, &request(5, 1, &[50]));
    here.leave(&mut shared, START);
    there.begin(&mut shared, START, &request(6, 1, &[60]));
    assert!(
        shared.get(Place::Register(1)).is_some(),
        "the first is not free"
    );
    for (key, expected) in [(50, 5), (60, 6)] {
        let outcome = call(&there, &mut shared, START, &[key]);
        assert_eq!(joined(outcome), Some((Rung::Key, expected)));
    }
}

/// A VM that died said nothing, and its worker may go on without the filter.
#[test]
fn after_a_death_nothing_is_said_until_nothing_of_it_is_left() {
    let (mut shared, mut dead, mut here) = (Shared::default(), worker(1), worker(2));
    dead.begin(&mut shared, START, &request(5, 1, &[50]));
    let mut now = START;
    here.begin(&mut shared, now, &request(6, 1, &[60]));
    while now < START + GONE {
        now += SECOND;
        here.tick(&mut shared, now);
        let outcome = call(&here, &mut shared, now, &[60]);
        if now > START + 10 * SECOND {
            assert_eq!(why(outcome), Some(Why::Incomplete), "{now}");
        } else {
            assert_eq!(joined(outcome), Some((Rung::Key, 6)), "{now}");
        }
    }
    now += SECOND;
    here.tick(&mut shared, now);
    let ticket = here.begin(&mut shared, now, &request(7, 1, &[70]));
    let outcome = call(&here, &mut shared, now, &[70]);
    assert_eq!(joined(outcome), Some((Rung::Key, 7)));
    here.end(&mut shared, now, ticket, End::Answered);
    // And its register is another's.
    worker(3).begin(&mut shared, now, &request(1, 1, &[]));
    assert!(shared.get(Place::Register(2)).is_none());
}

/// It stood still so long that another took it for dead.
#[test]
fn who_lost_its_register_overwrites_nobody() {
    let (mut shared, mut slow) = (Shared::default(), worker(1));
    slow.begin(&mut shared, START, &request(5, 1, &[50]));
    let now = START + GONE + SECOND;
    let mut next = Worker::new(2.try_into().unwrap(), 4, now);
    next.begin(&mut shared, now, &request(6, 1, &[60]));
    assert!(shared.get(Place::Register(1)).is_none(), "taken over");
    slow.begin(&mut shared, now, &request(7, 1, &[70]));
    slow.tick(&mut shared, now);
    assert!(shared.get(Place::Register(1)).is_some(), "moved on");
    // Both have waited until they know everything.
    for second in 0..=60 {
        slow.tick(&mut shared, now + second * SECOND);
        next.tick(&mut shared, now + second * SECOND);
    }
    let now = now + 60 * SECOND;
    for (key, expected) in [(50, 5), (60, 6), (70, 7)] {
        let outcome = call(&slow, &mut shared, now, &[key]);
        assert_eq!(joined(outcome), Some((Rung::Key, expected)));
    }
}

#[test]
fn a_new_vm_says_nothing_while_streams_may_be_older_than_it() {
    let mut shared = Shared::default();
    let mut here = Worker::new(1.try_into().unwrap(), 4, START);
    for second in 0..60 {
        let now = START + second * SECOND;
        here.tick(&mut shared, now);
        let ticket = here.begin(&mut shared, now, &request(5, 1, &[50]));
        let outcome = call(&here, &mut shared, now, &[50]);
        assert_eq!(why(outcome), Some(Why::Incomplete), "{second}");
        here.end(&mut shared, now, ticket, End::Answered);
    }
    let now = START + 60 * SECOND;
    here.tick(&mut shared, now);
    here.begin(&mut shared, now, &request(5, 1, &[50]));
    let outcome = call(&here, &mut shared, now, &[50]);
    assert_eq!(joined(outcome), Some((Rung::Key, 5)));
}

#[test]
fn what_finds_no_room_silences_all_until_it_ends() {
    let (mut shared, mut here, there) = (Shared::default(), worker(1), worker(2));
    let key = |number: u64| [number];
    let listed: Vec<Ticket> = (1..=MOST_LISTED as u64)
        .map(|number| here.begin(&mut shared, START, &request(number, 1, &key(number))))
        .collect();
    let outcome = call(&there, &mut shared, START, &[9]);
    assert_eq!(joined(outcome), Some((Rung::Key, 9)));
    let more = here.begin(&mut shared, START, &request(999, 1, &[999]));
    let outcome = call(&there, &mut shared, START, &[9]);
    assert_eq!(why(outcome), Some(Why::Incomplete));
    here.end(&mut shared, START, more, End::Answered);
    let outcome = call(&there, &mut shared, START, &[9]);
    assert_eq!(joined(outcome), Some((Rung::Key, 9)));
    for ticket in listed {
        here.end(&mut shared, START, ticket, End::Answered);
    }
    assert_eq!(why(call(&there, &mut shared, START, &[9])), Some(Why::Idle));
}

/// Its stream never ended: the count heals.
#[test]
fn a_count_that_drifted_is_given_up() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    let tickets: Vec<Ticket> = (0..=MOST_LISTED as u64)
        .map(|number| here.begin(&mut shared, START, &request(number + 1, 1, &[])))
        .collect();
    let lost = tickets[MOST_LISTED];
    for ticket in &tickets[..MOST_LISTED] {
        here.end(&mut shared, START, *ticket, End::Answered);
    }
    let mut now = START;
    let mut until = |seconds: u64, here: &mut Worker, shared: &mut Shared| {
        for _ in 0..seconds {
            now += SECOND;
            here.tick(shared, now);
        }
        now
    };
    let now = until(600, &mut here, &mut shared);
    let outcome = call(&here, &mut shared, now, &[]);
    assert_eq!(why(outcome), Some(Why::Incomplete));
    let now = until(3, &mut here, &mut shared);
    assert_eq!(why(call(&here, &mut shared, now, &[])), Some(Why::Idle));
    // Its late end takes nothing from those that are counted by then.
    for number in 0..=MOST_LISTED as u64 {
        here.begin(&mut shared, now, &request(number + 1, 1, &[]));
    }
    here.end(&mut shared, now, lost, End::Answered);
    let outcome = call(&here, &mut shared, now, &[]);
    assert_eq!(why(outcome), Some(Why::Incomplete));
}

/// What is inferred passes over a stream that never ends; a key is still compared with its own.
#[test]
fn a_request_without_an_end_counts_as_ended_after_ten_minutes() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    here.begin(&mut shared, START, &request(5, 1, &[50]));
    let mut now = START;
    for _ in 0..600 {
        now += SECOND;
        here.tick(&mut shared, now);
    }
    here.begin(&mut shared, now, &request(6, 1, &[50]));
    let outcome = call(&here, &mut shared, now, &[]);
    assert_eq!(joined(outcome), Some((Rung::Sole, 6)));
    // Both have the key; it does not rule out what is inferred.
    let outcome = call(&here, &mut shared, now, &[50]);
    assert_eq!(joined(outcome), Some((Rung::Sole, 6)));
}

/// The client is gone; the application may not know.
#[test]
fn an_aborted_request_keeps_its_keys_for_a_while() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    let first = here.begin(&mut shared, START, &request(5, 1, &[50]));
    here.end(&mut shared, START, first, End::Aborted);
    let outcome = call(&here, &mut shared, START, &[50]);
    assert_eq!(
        joined(outcome),
        Some((Rung::Key, 5)),
        "it is only that one's"
    );
    // The caller tries again, by the same id.
    here.begin(&mut shared, START, &request(6, 1, &[50]));
    let outcome = call(&here, &mut shared, START, &[50]);
    assert_eq!(why(outcome), Some(Why::Ambiguous));
    let outcome = call(&here, &mut shared, START, &[]);
    assert_eq!(
        why(outcome),
        Some(Why::Unproven),
        "two of that route may call"
    );
    let mut now = START;
    while now < START + LINGER {
        now += SECOND;
        here.tick(&mut shared, now);
    }
    let outcome = call(&here, &mut shared, now, &[50]);
    assert_eq!(joined(outcome), Some((Rung::Key, 6)));
}

#[test]
fn aborted_requests_make_room_and_cost_certainty() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    for number in 1..=MOST_LISTED as u64 {
        let ticket = here.begin(&mut shared, START, &request(number, 1, &[number]));
        here.end(&mut shared, START, ticket, End::Aborted);
    }
    let outcome = call(&here, &mut shared, START, &[9]);
    assert_eq!(joined(outcome), Some((Rung::Key, 9)));
    let ticket = here.begin(&mut shared, START, &request(999, 1, &[999]));
    assert!(matches!(ticket, Ticket::Listed(_)));
    let outcome = call(&here, &mut shared, START, &[999]);
    assert_eq!(why(outcome), Some(Why::Incomplete));
    let mut now = START;
    // Longer, as nobody knows any more how long each was to stay.
    while now < START + 120 * SECOND {
        let outcome = call(&here, &mut shared, now, &[999]);
        assert_eq!(why(outcome), Some(Why::Incomplete), "{now}");
        now += SECOND;
        here.tick(&mut shared, now);
    }
    let outcome = call(&here, &mut shared, now, &[999]);
    assert_eq!(joined(outcome), Some((Rung::Key, 999)));
}

#[test]
fn a_clock_that_jumps_silences_and_heals() {
    for (jump, is_ahead) in [(3_600, true), (900, false)] {
        let (mut shared, mut here) = (Shared::default(), worker(1));
        here.begin(&mut shared, START, &request(5, 1, &[50]));
        let mut now = if is_ahead {
            START + jump * SECOND
        } else {
            START - jump * SECOND
        };
        let outcome = call(&here, &mut shared, now, &[50]);
        if is_ahead {
            assert_eq!(why(outcome), Some(Why::Incomplete), "before it has ticked");
        }
        here.tick(&mut shared, now);
        for _ in 0..122 {
            now += SECOND;
            here.tick(&mut shared, now);
        }
        here.begin(&mut shared, now, &request(6, 1, &[60]));
        let outcome = call(&here, &mut shared, now, &[60]);
        assert_eq!(joined(outcome), Some((Rung::Key, 6)), "{jump} {is_ahead}");
    }
}

#[test]
fn what_is_no_register_silences_and_is_replaced() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    shared.set(Place::Register(0), b"not a register", When::Always);
    here.begin(&mut shared, START, &request(5, 1, &[50]));
    assert!(shared.get(Place::Register(1)).is_none());
    let outcome = call(&here, &mut shared, START, &[50]);
    assert_eq!(joined(outcome), Some((Rung::Key, 5)));
    shared.set(Place::Register(1), &[1, 4, 9, 9, 0], When::Always);
    let outcome = call(&here, &mut shared, START, &[50]);
    assert_eq!(why(outcome), Some(Why::Incomplete));
}

#[test]
fn more_workers_than_registers_say_nothing() {
    let mut shared = Shared::default();
    for owner in 1..=130 {
        let mut worker = worker(owner);
        worker.begin(&mut shared, START, &request(owner, 1, &[owner]));
    }
    let outcome = call(&worker(200), &mut shared, START, &[5]);
    assert_eq!(why(outcome), Some(Why::Incomplete));
}

#[test]
fn a_context_comes_back_as_it_was_listed() {
    for sampling in [Sampling::Deny, Sampling::Accept, Sampling::Debug] {
        for number in [2, 3] {
            let (mut shared, mut here) = (Shared::default(), worker(1));
            let mut listed = request(number, 1, &[50]);
            listed.context = Some(context(number, sampling));
            here.begin(&mut shared, START, &listed);
            let seen = here.look(&mut shared, START);
            let found: Vec<_> = seen.in_flight().collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].context(), listed.context);
            assert_eq!(found[0].route(), 1);
        }
    }
}

/// A caller asks twice by one id; the application is still at work on what it has answered.
#[test]
fn after_a_late_call_a_key_of_the_past_is_not_unique() {
    let (mut shared, mut here, there) = (Shared::default(), worker(1), worker(2));
    let serve = |here: &mut Worker, shared: &mut Shared, now, number, key| {
        let ticket = here.begin(shared, now, &request(number, 1, &[key]));
        here.end(shared, now, ticket, End::Answered);
    };
    serve(&mut here, &mut shared, START, 5, 50);
    here.begin(&mut shared, START, &request(6, 1, &[50]));
    // Most applications work before they answer.
    let outcome = call(&there, &mut shared, START, &[50]);
    assert_eq!(joined(outcome), Some((Rung::Key, 6)));
    serve(&mut here, &mut shared, START, 7, 70);
    let seen = there.look(&mut shared, START);
    here.notice(&mut shared, START, &seen, &[50]);
    assert_eq!(
        joined(call(&there, &mut shared, START, &[50])),
        Some((Rung::Key, 6)),
        "that was no late one"
    );
    here.notice(&mut shared, START, &seen, &[70]);
    let outcome = call(&there, &mut shared, START, &[50]);
    assert_eq!(
        joined(outcome),
        Some((Rung::Sole, 6)),
        "no longer by its key"
    );
    // A key that is new is still known.
    here.begin(&mut shared, START, &request(8, 1, &[80]));
    let outcome = call(&there, &mut shared, START, &[80]);
    assert_eq!(joined(outcome), Some((Rung::Key, 8)));
    // Unless more has ended than is remembered.
    for number in 100..170 {
        serve(&mut here, &mut shared, START, number, number);
    }
    let outcome = call(&there, &mut shared, START, &[80]);
    assert_eq!(why(outcome), Some(Why::Ambiguous));
    // Ten seconds later all of that is over.
    let now = START + 10 * SECOND;
    let outcome = call(&there, &mut shared, now, &[50]);
    assert_eq!(joined(outcome), Some((Rung::Key, 6)));
}
