//! Which rung holds, and why none does.

use throughline::{
    join::ladder::{Call, Outcome, Rung, Rungs, Why, decide},
    trace::Sampling,
};

use crate::{
    shared::Shared,
    support::{ALL, OnlyRoute, START, context, joined, request, why, worker},
};

/// Requests: number, route, hashes. A call: keys, tokens.
type Row = (
    &'static [(u64, u32, &'static [u64])],
    (&'static [u64], &'static [u64]),
    Result<(Rung, u64), Why>,
    &'static str,
);

const ROWS: &[Row] = &[
    (&[], (&[], &[]), Err(Why::Idle), "nothing is in flight"),
    (&[(5, 1, &[])], (&[], &[]), Ok((Rung::Sole, 5)), "one is"),
    (
        &[(5, 2, &[])],
        (&[], &[]),
        Err(Why::Unproven),
        "one is, of a route that does not call there",
    ),
    (
        &[(5, 1, &[]), (6, 2, &[])],
        (&[], &[]),
        Ok((Rung::Route, 5)),
        "one of the route that calls there",
    ),
    (
        &[(5, 1, &[]), (6, 1, &[])],
        (&[], &[]),
        Err(Why::Unproven),
        "two of the route that calls there",
    ),
    (
        &[(5, 2, &[50]), (6, 1, &[60])],
        (&[50], &[]),
        Ok((Rung::Key, 5)),
        "a key decides before a route",
    ),
    (
        &[(5, 1, &[50]), (6, 2, &[50])],
        (&[50], &[]),
        Ok((Rung::Route, 5)),
        "of those that share the key, one of the route",
    ),
    (
        &[(5, 1, &[50]), (6, 1, &[50])],
        (&[50], &[]),
        Err(Why::Ambiguous),
        "nothing tells those apart that share the key",
    ),
    (
        &[(5, 1, &[50]), (6, 2, &[60]), (7, 2, &[60])],
        (&[60], &[]),
        Err(Why::Ambiguous),
        "the route would say one that the key rules out",
    ),
    (
        &[(5, 1, &[50, 51]), (6, 1, &[50, 61])],
        (&[50, 61], &[]),
        Ok((Rung::Key, 6)),
        "one key is shared, the other is not, and both are of one",
    ),
    (
        &[(5, 1, &[50]), (6, 1, &[60])],
        (&[50, 60], &[]),
        Err(Why::Ambiguous),
        "two keys of two requests",
    ),
    (
        &[(5, 1, &[50]), (6, 1, &[60]), (7, 1, &[60])],
        (&[50, 60], &[]),
        Err(Why::Ambiguous),
        "a key of one, and a key that two others share",
    ),
    (
        &[(5, 1, &[]), (6, 1, &[60])],
        (&[70], &[]),
        Err(Why::Unproven),
        "a key of nobody says nothing",
    ),
    (
        &[(5, 1, &[50]), (6, 1, &[60])],
        (&[], &[60]),
        Ok((Rung::Token, 6)),
        "a token of one",
    ),
    (
        &[(5, 1, &[50, 55]), (6, 1, &[60, 55])],
        (&[60], &[55]),
        Ok((Rung::Key, 6)),
        "the key first",
    ),
    (
        &[(5, 1, &[50, 55]), (6, 1, &[50, 65])],
        (&[50], &[65]),
        Ok((Rung::Token, 6)),
        "a shared key, and a token of one",
    ),
];

fn run(requests: &[(u64, u32, &[u64])], keys: &[u64], tokens: &[u64], rungs: Rungs) -> Outcome {
    let mut shared = Shared::default();
    let mut workers = [worker(1), worker(2)];
    for (place, (number, route, hashes)) in requests.iter().enumerate() {
        let worker = &mut workers[place % 2];
        worker.begin(&mut shared, START, &request(*number, *route, hashes));
    }
    let call = Call {
        keys,
        tokens,
        callee: 1,
        ..Call::default()
    };
    let seen = workers[0].look(&mut shared, START);
    decide(rungs, &seen, &call, &OnlyRoute(1))
}

#[test]
fn the_first_rung_that_holds_decides() {
    for (requests, (keys, tokens), expected, reason) in ROWS {
        let outcome = run(requests, keys, tokens, ALL);
        let got = joined(outcome).ok_or(why(outcome));
        assert_eq!(got, expected.map_err(Some), "{reason}");
    }
}

#[test]
fn a_rung_that_is_off_does_not_hold() {
    let only = |rung: Rung| Rungs {
        key: rung == Rung::Key,
        token: rung == Rung::Token,
        route: rung == Rung::Route,
        sole: rung == Rung::Sole,
    };
    let requests: &[(u64, u32, &[u64])] = &[(5, 1, &[50]), (6, 2, &[60])];
    for (rung, requests, keys, tokens, reason) in [
        (Rung::Key, requests, &[50][..], &[][..], "key"),
        (Rung::Token, requests, &[], &[50], "token"),
        (Rung::Route, requests, &[], &[], "route"),
        (Rung::Sole, &requests[..1], &[], &[], "sole"),
    ] {
        let on = run(requests, keys, tokens, only(rung));
        assert_eq!(joined(on), Some((rung, 5)), "{reason}");
        for other in Rung::ALL.into_iter().filter(|other| *other != rung) {
            let off = run(requests, keys, tokens, only(other));
            assert_ne!(joined(off).map(|(rung, _)| rung), Some(rung), "{reason}");
        }
        assert_eq!(joined(run(requests, keys, tokens, Rungs::default())), None);
    }
}

#[test]
fn candidates_are_named_where_they_are_few() {
    for count in 0..=6_u64 {
        let requests: Vec<(u64, u32, &[u64])> =
            (1..=count).map(|number| (number, 3, &[][..])).collect();
        let Outcome::Abstained(abstained) = run(&requests, &[], &[], ALL) else {
            panic!("{count}");
        };
        let named = abstained.candidates.iter().flatten().count();
        let expected = if count <= 4 { count } else { 0 };
        assert_eq!(named as u64, expected, "{count}");
    }
}

#[test]
fn a_debug_flag_is_handed_on_only_where_it_is_known_whose_call_it_is() {
    for (keys, hashes, expected) in [
        (&[50][..], &[50][..], Sampling::Debug),
        (&[], &[], Sampling::Accept),
    ] {
        let (mut shared, mut here) = (Shared::default(), worker(1));
        let mut listed = request(5, 1, hashes);
        listed.context = Some(context(5, Sampling::Debug));
        here.begin(&mut shared, START, &listed);
        let Outcome::Joined(joined) = crate::support::call(&here, &mut shared, START, keys) else {
            panic!("{keys:?}");
        };
        assert_eq!(joined.context.sampling, expected);
    }
}

#[test]
fn a_request_without_a_context_is_known_and_not_joined() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    let mut listed = request(5, 1, &[50]);
    listed.context = None;
    here.begin(&mut shared, START, &listed);
    for keys in [&[50][..], &[]] {
        let outcome = crate::support::call(&here, &mut shared, START, keys);
        assert_eq!(why(outcome), Some(Why::Unknown), "{keys:?}");
    }
}

#[test]
fn of_tokens_that_are_not_all_listed_none_is_unique() {
    let (mut shared, mut here) = (Shared::default(), worker(1));
    here.begin(&mut shared, START, &request(5, 2, &[50]));
    let mut more = request(6, 2, &[]);
    more.has_more_tokens = true;
    let ticket = here.begin(&mut shared, START, &more);
    let call = Call {
        tokens: &[50],
        ..Call::default()
    };
    let outcome = decide(ALL, &here.look(&mut shared, START), &call, &OnlyRoute(1));
    assert_eq!(why(outcome), Some(Why::Ambiguous));
    here.end(
        &mut shared,
        START,
        ticket,
        throughline::join::worker::End::Answered,
    );
    let outcome = decide(ALL, &here.look(&mut shared, START), &call, &OnlyRoute(1));
    assert_eq!(joined(outcome), Some((Rung::Token, 5)));
}
