//! Every interleaving of workers, call by call of the host: no join is of a request that the call is not of.
//!
//! loom runs the workers as threads and stops them at each call of the host, in every order that makes a difference. The code of
//! `throughline::join` is the one that runs in Envoy; only what it stores into is loom's.

use core::num::NonZeroU64;

use loom::{
    sync::{Arc, Mutex},
    thread,
};
use throughline::join::{
    counts::Counts,
    evidence::Evidence,
    ladder::{Call, decide},
    seen::Seen,
    store::{Place, Store, When},
    worker::{End, Worker},
};

use crate::support::{ALL, OnlyRoute, SECOND, START, joined, request, worker};

/// A value for each place, each with a lock of its own: the host's one lock makes each call atomic, and calls for different values
/// do not touch.
#[derive(Clone)]
struct Host {
    places: Arc<[Value; 4]>,
}

/// Bytes and version.
type Value = Mutex<Option<(Vec<u8>, u32)>>;

impl Host {
    fn new() -> Self {
        Self {
            places: Arc::new(core::array::from_fn(|_| Mutex::new(None))),
        }
    }

    fn value(&self, place: Place) -> &Value {
        match place {
            Place::Register(slot) => &self.places[usize::from(slot)],
            Place::Evidence | Place::Secret => &self.places[3],
        }
    }
}

impl Store for Host {
    fn get(&mut self, place: Place) -> Option<(Vec<u8>, u32)> {
        self.value(place).lock().unwrap().clone()
    }

    fn set(&mut self, place: Place, value: &[u8], when: When) -> bool {
        let mut stored = self.value(place).lock().unwrap();
        let version = stored.as_ref().map_or(0, |(_, version)| *version);
        let is_allowed = match when {
            When::Always => true,
            When::Absent => version == 0,
            When::Version(read) => version == read,
        };
        if is_allowed {
            *stored = Some((value.to_vec(), version + 1));
        }
        is_allowed
    }
}

/// Without a bound on preemptions every order is run; with three, those that a fourth would be needed for are left out.
fn check(most_preemptions: Option<usize>, scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = most_preemptions;
    model.max_branches = 10_000;
    model.check(scenario);
}

/// A call that the application makes because of request `cause`, wherever it comes out.
fn calls(host: &Host, now: u64, cause: u64, keys: &[u64]) -> bool {
    let seen = Seen::read(&mut host.clone(), now);
    let call = Call {
        keys,
        ..Call::default()
    };
    match joined(decide(ALL, &seen, &call, &OnlyRoute(1))) {
        Some((_, to)) => {
            assert_eq!(to, cause, "a wrong join");
            true
        }
        None => false,
    }
}

/// One worker serves requests one after the other. Each makes calls, which come out while others are served, and is answered after
/// them. Only those of route 1 call without a key, as the evidence says.
fn serve(host: &Host, owner: u64, numbers: &[u64], route: u32, keys: fn(u64) -> u64, now: u64) {
    let mut worker = worker(owner);
    for number in numbers.iter().copied() {
        let key = keys(number);
        let ticket = worker.begin(&mut host.clone(), now, &request(number, route, &[key]));
        if route == 1 {
            calls(host, now, number, &[]);
        }
        calls(host, now, number, &[key]);
        worker.end(&mut host.clone(), now, ticket, End::Answered);
    }
}

#[test]
fn two_workers_claim_and_serve_at_once() {
    // Of one route, so that only who is alone is joined; of two; and with one key for both.
    for (routes, keys) in [
        ((1, 1), (|number| number) as fn(u64) -> u64),
        ((1, 2), |number| number),
        ((1, 1), |_| 7),
    ] {
        check(Some(3), move || {
            let host = Host::new();
            let there = host.clone();
            let other = thread::spawn(move || serve(&there, 2, &[20], routes.1, keys, START));
            serve(&host, 1, &[10], routes.0, keys, START);
            other.join().unwrap();
        });
    }
}

#[test]
fn two_workers_serve_two_requests_each() {
    check(Some(2), || {
        let host = Host::new();
        let there = host.clone();
        let other = thread::spawn(move || serve(&there, 2, &[20, 21], 1, |n| n, START));
        serve(&host, 1, &[10, 11], 1, |n| n, START);
        other.join().unwrap();
    });
}

/// A VM dies in the middle of a request, which its application goes on with. Another serves one meanwhile.
#[test]
fn a_dead_worker_is_not_forgotten() {
    check(Some(3), || {
        let host = Host::new();
        let there = host.clone();
        let other = thread::spawn(move || serve(&there, 2, &[20], 1, |n| n, START));
        {
            let mut dies = worker(1);
            dies.begin(&mut host.clone(), START, &request(10, 1, &[10]));
        }
        calls(&host, START, 10, &[]);
        other.join().unwrap();
        // And when its silence is noticed.
        let now = START + 11 * SECOND;
        assert!(!calls(&host, now, 10, &[10]));
    });
}

/// A worker that stood still is taken for dead, and writes while another takes its register.
#[test]
fn a_register_that_is_taken_over_loses_nobody() {
    const LATER: u64 = START + 601 * SECOND;
    check(None, || {
        let host = Host::new();
        let mut slow = worker(1);
        slow.begin(&mut host.clone(), START, &request(10, 1, &[10]));
        let there = host.clone();
        let other = thread::spawn(move || {
            let mut next = Worker::new(NonZeroU64::new(2).unwrap(), 4, LATER);
            next.begin(&mut there.clone(), LATER, &request(20, 1, &[20]));
            calls(&there, LATER, 20, &[20]);
        });
        slow.begin(&mut host.clone(), LATER, &request(11, 1, &[11]));
        calls(&host, LATER, 11, &[]);
        other.join().unwrap();
        // Nobody overwrote anybody: all that is in flight is listed.
        let seen = Seen::read(&mut host.clone(), LATER);
        assert_eq!(seen.workers(), 2);
        for key in [10, 11, 20] {
            let listed = seen.with_keys().filter(|entry| entry.has(key)).count();
            assert_eq!(listed, 1, "{key}");
        }
    });
}

/// Three workers take their registers at once: each has one.
#[test]
fn nobody_shares_a_register() {
    check(Some(3), || {
        let host = Host::new();
        let others = [2, 3].map(|owner| {
            let host = host.clone();
            thread::spawn(move || {
                worker(owner).begin(&mut host.clone(), START, &request(owner, 1, &[owner]));
            })
        });
        worker(1).begin(&mut host.clone(), START, &request(1, 1, &[1]));
        for other in others {
            other.join().unwrap();
        }
        let seen = (0..3).map(|slot| host.clone().get(Place::Register(slot)).unwrap());
        let mut owners: Vec<u8> = seen.map(|(bytes, _)| bytes[8]).collect();
        owners.sort_unstable();
        assert_eq!(owners, [1, 2, 3]);
    });
}

/// What two workers have counted is neither lost nor counted twice.
#[test]
fn evidence_is_merged_whole() {
    check(None, || {
        let host = Host::new();
        let count = |host: &Host, owner: u64, samples: u64| {
            let mut store = host.clone();
            let mut worker = worker(owner);
            let mut evidence = Evidence::new(0.001, Vec::new());
            // Only its own register is read, so that only the merges meet.
            let mut own = Host::new();
            let ticket = worker.begin(&mut own, START, &request(owner, 1, &[]));
            worker.end(&mut own, START, ticket, End::Answered);
            let seen = worker.look(&mut own, START);
            for _ in 0..samples {
                evidence.sample(&seen, 1.0);
            }
            evidence.merge(&mut store, START);
        };
        let there = host.clone();
        let other = thread::spawn(move || count(&there, 2, 5));
        count(&host, 1, 3);
        other.join().unwrap();
        let (bytes, _) = host.clone().get(Place::Evidence).unwrap();
        assert_eq!(Counts::decode(&bytes).unwrap().time().all(), 8.0);
    });
}
