//! When what was seen is enough, and when it no longer is.

use throughline::join::{
    counts::{Counts, LAGS},
    evidence::{Declared, Evidence, Standing},
    ladder::{Call, Evidence as _, Working},
    seen::Seen,
    store::{Place, Store, When},
    worker::End,
};

use crate::{
    shared::Shared,
    support::{SECOND, START, request, worker},
};

const LIMIT: f64 = 0.001;
const CALLEE: u32 = 70;
/// Lags of each step.
const LAG: [u64; LAGS] = [500, 5_000, 20_000, 100_000, SECOND];

/// A moment with requests of those routes in flight, so long after another has ended.
fn moment(routes: &[u32], lag: u64) -> Seen {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    let before = here.begin(&mut shared, START, &request(1, 1, &[]));
    here.end(&mut shared, START, before, End::Answered);
    for (number, route) in (2..).zip(routes) {
        here.begin(&mut shared, START, &request(number, *route, &[]));
    }
    here.look(&mut shared, START + lag)
}

fn idle() -> Seen {
    moment(&[], LAG[2])
}

fn alone(route: u32) -> Seen {
    moment(&[route], LAG[2])
}

fn sample(evidence: &mut Evidence, seen: &Seen, seconds: usize) {
    for _ in 0..seconds * 10 {
        evidence.sample(seen, 1.0);
    }
}

/// A callee that route 1 calls, fifty times in a second of its requests, and nobody else does.
fn known() -> Evidence {
    let mut evidence = Evidence::new(LIMIT, Vec::new());
    evidence.learn(&alone(1), CALLEE);
    for lag in LAG {
        sample(&mut evidence, &moment(&[], lag), 1000);
    }
    for _ in 0..1000 {
        sample(&mut evidence, &alone(2), 1);
        sample(&mut evidence, &alone(1), 1);
        for _ in 0..50 {
            evidence.learn(&alone(1), CALLEE);
        }
    }
    evidence
}

fn infer(evidence: &Evidence, routes: &[u32], lag: u64) -> Option<usize> {
    let call = Call {
        callee: CALLEE,
        authority: b"reviews:9080",
        ..Call::default()
    };
    let in_flight: Vec<Working> = routes
        .iter()
        .map(|route| Working {
            route: *route,
            is_aborted: false,
        })
        .collect();
    evidence.infer(&moment(routes, lag), &call, &in_flight)
}

fn standing(evidence: &Evidence) -> Option<Standing> {
    let report = evidence.reports().find(|report| report.callee == CALLEE);
    report.map(|report| report.standing)
}

#[test]
fn what_is_known_well_enough_is_said() {
    let evidence = known();
    for (routes, expected, reason) in [
        (&[1][..], Some(0), "alone"),
        (&[2, 1], Some(1), "beside one that does not call"),
        (&[2, 1, 2], Some(1), "beside two"),
        (&[1, 1], None, "beside another that calls"),
        (&[2], None, "alone, and does not call"),
        (&[1, 3], None, "beside one that nobody knows"),
        (&[3], None, "one that nobody knows"),
    ] {
        assert_eq!(infer(&evidence, routes, LAG[2]), expected, "{reason}");
    }
    assert_eq!(standing(&evidence), Some(Standing::Asserting));
    let report = evidence.reports().next().unwrap();
    assert!((45.0..=50.0).contains(&report.rate), "{report:?}");
    assert!(report.error < 1.0, "{report:?}");
}

#[test]
fn one_whose_client_went_away_is_not_joined_and_not_passed_over() {
    let evidence = known();
    let working = |route, is_aborted| Working { route, is_aborted };
    let call = Call {
        callee: CALLEE,
        ..Call::default()
    };
    for (in_flight, expected) in [
        ([working(1, true), working(2, false)], None),
        ([working(1, true), working(1, false)], None),
        ([working(2, true), working(1, false)], Some(1)),
    ] {
        let got = evidence.infer(&moment(&[1, 2], LAG[2]), &call, &in_flight);
        assert_eq!(got, expected, "{in_flight:?}");
    }
}

/// Work that an answer left behind comes at its own time; idle time of another does not speak for that.
#[test]
fn each_lag_wants_its_own_idle_time() {
    for missing in 0..LAGS {
        let mut evidence = Evidence::new(LIMIT, Vec::new());
        evidence.learn(&alone(1), CALLEE);
        for (step, lag) in LAG.into_iter().enumerate() {
            if step != missing {
                sample(&mut evidence, &moment(&[], lag), 1000);
            }
        }
        for _ in 0..100 {
            sample(&mut evidence, &alone(1), 1);
            for _ in 0..50 {
                evidence.learn(&alone(1), CALLEE);
            }
        }
        for (step, lag) in LAG.into_iter().enumerate() {
            let expected = (step != missing).then_some(0);
            assert_eq!(infer(&evidence, &[1], lag), expected, "{missing} {step}");
        }
    }
}

/// 414 s at 50 calls a second: 3 * 6.91 / (0.001 * 50).
#[test]
fn a_quiet_minute_is_not_enough() {
    let mut evidence = Evidence::new(LIMIT, Vec::new());
    evidence.learn(&alone(1), CALLEE);
    for _ in 0..1000 {
        sample(&mut evidence, &alone(1), 1);
        for _ in 0..50 {
            evidence.learn(&alone(1), CALLEE);
        }
    }
    let mut seconds = 0;
    while infer(&evidence, &[1], LAG[2]).is_none() {
        assert_eq!(standing(&evidence), Some(Standing::Learning), "{seconds}");
        sample(&mut evidence, &idle(), 10);
        seconds += 10;
        assert!(seconds < 1000);
    }
    assert!((400..=500).contains(&seconds), "{seconds}");
}

#[test]
fn calls_with_nothing_in_flight_silence_a_callee_at_once() {
    let mut evidence = known();
    let mut calls = 0;
    while infer(&evidence, &[1], LAG[2]).is_some() {
        evidence.learn(&idle(), CALLEE);
        calls += 1;
        assert!(calls < 100);
    }
    assert!(calls <= 5, "{calls}");
    // And for long, while they go on: one in a second, of fifty.
    for _ in 0..1000 {
        sample(&mut evidence, &idle(), 1);
        evidence.learn(&idle(), CALLEE);
        sample(&mut evidence, &alone(1), 1);
        for _ in 0..50 {
            evidence.learn(&alone(1), CALLEE);
        }
        assert_eq!(infer(&evidence, &[1], LAG[2]), None);
    }
    assert_eq!(standing(&evidence), Some(Standing::Background));
}

#[test]
fn a_route_that_begins_to_call_is_no_longer_passed_over() {
    let mut evidence = known();
    let mut calls = 0;
    while infer(&evidence, &[1, 2], LAG[2]).is_some() {
        evidence.learn(&alone(2), CALLEE);
        calls += 1;
        assert!(calls < 100);
    }
    assert!(calls <= 10, "{calls}");
}

/// That nobody called it before says nothing of what does now.
#[test]
fn a_new_callee_has_no_past() {
    let mut evidence = known();
    const NEW: u32 = 71;
    for _ in 0..100 {
        sample(&mut evidence, &alone(1), 1);
        for _ in 0..50 {
            evidence.learn(&alone(1), NEW);
        }
    }
    let call = Call {
        callee: NEW,
        ..Call::default()
    };
    let one = [Working {
        route: 1,
        is_aborted: false,
    }];
    assert_eq!(evidence.infer(&alone(1), &call, &one), None);
    sample(&mut evidence, &idle(), 500);
    assert_eq!(evidence.infer(&alone(1), &call, &one), Some(0));
}

#[test]
fn what_is_never_called_with_one_in_flight_is_unexplained() {
    let mut evidence = Evidence::new(LIMIT, Vec::new());
    evidence.learn(&moment(&[1, 2], LAG[0]), CALLEE);
    for _ in 0..100 {
        sample(&mut evidence, &alone(1), 1);
        evidence.learn(&moment(&[1, 2], LAG[0]), CALLEE);
    }
    assert_eq!(standing(&evidence), Some(Standing::Unexplained));
}

#[test]
fn declared_routes_need_not_be_learned_but_quiet_must() {
    let declared = |hosts: &[&str]| Declared {
        route: 1,
        hosts: hosts.iter().map(ToString::to_string).collect(),
    };
    let mut evidence = Evidence::new(
        LIMIT,
        vec![
            declared(&["reviews.bookinfo"]),
            Declared {
                route: 2,
                ..declared(&["details"])
            },
        ],
    );
    // Always in company: nothing can be learned of either.
    let both = moment(&[1, 2], LAG[2]);
    for _ in 0..100 {
        evidence.learn(&both, CALLEE);
        sample(&mut evidence, &both, 1);
        for _ in 0..50 {
            evidence.learn(&both, CALLEE);
        }
    }
    assert_eq!(infer(&evidence, &[1, 2], LAG[2]), None, "not quiet yet");
    sample(&mut evidence, &idle(), 3000);
    for (routes, expected, reason) in [
        (&[1][..], Some(0), "declared"),
        (&[2], None, "declared to call another"),
        (&[2, 1], Some(1), "both declared"),
        (&[1, 1], None, "two that call"),
        (&[1, 3], None, "beside one that nobody knows"),
    ] {
        assert_eq!(infer(&evidence, routes, LAG[2]), expected, "{reason}");
    }
    for _ in 0..100 {
        evidence.learn(&idle(), CALLEE);
    }
    assert_eq!(infer(&evidence, &[1], LAG[2]), None, "no longer quiet");
}

#[test]
fn workers_learn_together() {
    let mut shared = Shared::default();
    let mut workers = [0, 1].map(|_| Evidence::new(LIMIT, Vec::new()));
    for (now, worker) in (START..)
        .step_by(2 * SECOND as usize)
        .zip([0, 1, 0, 1, 0, 1])
    {
        let evidence = &mut workers[worker];
        evidence.learn(&alone(1), CALLEE);
        for _ in 0..100 {
            sample(evidence, &alone(1), 1);
            for _ in 0..50 {
                evidence.learn(&alone(1), CALLEE);
            }
        }
        // Three times that is less than it takes.
        sample(evidence, &idle(), 130);
        assert_eq!(
            infer(evidence, &[1], LAG[2]).is_some(),
            now >= START + 10 * SECOND
        );
        evidence.merge(&mut shared, now);
        let (bytes, _) = shared.get(Place::Evidence).unwrap();
        let counts = Counts::decode(&bytes).unwrap();
        assert_eq!(Counts::decode(&counts.encode()), Some(counts));
    }
    let mut third = Evidence::new(LIMIT, Vec::new());
    third.merge(&mut shared, START);
    assert_eq!(infer(&third, &[1], LAG[2]), Some(0));
}

/// Scanners ask for all sorts of paths, crawlers call all sorts of hosts.
#[test]
fn it_stays_small_whatever_comes() {
    let mut shared = Shared::default();
    let mut evidence = Evidence::new(LIMIT, Vec::new());
    let mut most = 0;
    for second in 0..200_u32 {
        for number in 0..20 {
            let seen = alone(1_000 + second * 20 + number);
            evidence.learn(&seen, 50_000 + second * 20 + number);
            evidence.learn(&seen, CALLEE);
            evidence.sample(&seen, 1.0);
        }
        evidence.merge(&mut shared, START + u64::from(second) * 2 * SECOND);
        let (bytes, _) = shared.get(Place::Evidence).unwrap();
        most = most.max(bytes.len());
    }
    assert!((1_000..16_384).contains(&most), "{most}");
    // What lasts still finds its place.
    for second in 200..400 {
        evidence.learn(&alone(1), CALLEE);
        sample(&mut evidence, &alone(1), 10);
        evidence.merge(&mut shared, START + second * 2 * SECOND);
    }
    let (bytes, _) = shared.get(Place::Evidence).unwrap();
    let counts = Counts::decode(&bytes).unwrap();
    assert!(counts.callers(CALLEE).any(|route| route == 1));
}

#[test]
fn what_holds_no_counts_is_begun_anew() {
    let mut shared = Shared::default();
    for bytes in [&b""[..], b"x", &[1; 9], &[0xff; 401], &[1; 65]] {
        shared.set(Place::Evidence, bytes, When::Always);
        let mut evidence = Evidence::new(LIMIT, Vec::new());
        sample(&mut evidence, &idle(), 1);
        evidence.merge(&mut shared, START);
        let (bytes, _) = shared.get(Place::Evidence).unwrap();
        let counts = Counts::decode(&bytes).unwrap();
        assert_eq!(counts.time().all(), 10.0, "{bytes:?}");
    }
}
