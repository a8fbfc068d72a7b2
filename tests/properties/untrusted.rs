//! Where a context is not trusted: what leaves has nothing of it, whatever it was.

use proptest::test_runner::{TestCaseError, TestCaseResult};
use throughline::propagation::TRACE_HEADERS;

use crate::Headers;
use crate::configs::Config;
use crate::strict::TRACESTATE;
use crate::support::Outcome;
use crate::table::{run, show};

type Check = fn(&Headers, &Outcome, &Outcome) -> Result<(), String>;

pub fn holds(config: &Config, request: &Headers) -> TestCaseResult {
    let trust = |action: &str| {
        let rule = format!(r#"[{{"match": {{"hosts": ["*"]}}, "action": "{action}"}}]"#);
        let config = config.json();
        let rest = config.trim_start().trim_start_matches('{');
        format!(r#"{{"trust": {rule}, {rest}"#)
    };
    let checks: [(&str, Check); 3] = [
        ("restart", begins_anew),
        ("strip", leaves_without),
        ("ignore", passes),
    ];
    let without: Vec<_> = request
        .iter()
        .filter(|(name, _)| !is_of_a_trace(name))
        .cloned()
        .collect();
    for (action, check) in checks {
        let json = trust(action);
        let bare = run(&json, &without);
        run(&json, request)
            .and_then(|outcome| check(request, &outcome, &bare?))
            .map_err(|e| {
                TestCaseError::fail(format!("{action}: {e}\n  came {}\n  {json}", show(request)))
            })?;
    }
    Ok(())
}

fn is_of_a_trace(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["x-b3-", "x-datadog-", "uberctx-"];
    TRACE_HEADERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// As the same request does that brings none.
fn begins_anew(request: &Headers, outcome: &Outcome, bare: &Outcome) -> Result<(), String> {
    let names = |outcome: &Outcome| {
        let mut names: Vec<_> = outcome
            .headers
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| name != TRACESTATE)
            .collect();
        names.sort_unstable();
        names
    };
    if names(outcome) != names(bare) {
        return Err(format!("left {}", show(&outcome.headers)));
    }
    // The threshold of our own ratio, where this trace is one that it samples.
    if !matches!(
        outcome.all(TRACESTATE).as_slice(),
        [] | [b"ot=th:8" | b"ot=th:0"]
    ) {
        return Err(format!("left {}", show(&outcome.headers)));
    }
    let kept = outcome.headers.iter().find(|(name, value)| {
        let came = request.iter().any(|(n, v)| n == name && v == value);
        // A decision has two values, and one of them may have come in.
        is_of_a_trace(name) && came && name != "x-b3-sampled" && name != TRACESTATE
    });
    match kept {
        Some((name, _)) => Err(format!(
            "{name} is the stranger's: {}",
            show(&outcome.headers)
        )),
        None => Ok(()),
    }
}

fn leaves_without(_: &Headers, outcome: &Outcome, bare: &Outcome) -> Result<(), String> {
    if outcome.headers == bare.headers
        && !outcome.headers.iter().any(|(name, _)| is_of_a_trace(name))
    {
        return Ok(());
    }
    Err(format!("left {}", show(&outcome.headers)))
}

fn passes(request: &Headers, outcome: &Outcome, _: &Outcome) -> Result<(), String> {
    if outcome.headers == request && outcome.filter_state.is_empty() {
        return Ok(());
    }
    Err(format!("left {}", show(&outcome.headers)))
}
