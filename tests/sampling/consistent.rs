//! OpenTelemetry's consistent probability sampling: `ot=th` and `rv` in W3C's tracestate (specification,
//! trace/tracestate-handling.md and tracestate-probability-sampling.md).

use crate::filter;
use crate::support::{FakeHost, run};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
/// The low 56 bits of that trace id begin so: it is kept by th:f and below, and dropped by th:ff.
const SPAN: &str = "e457b5a2e4d86bd1";

/// Half of all; the sampler follows no parent.
const HALF: &str = r#"{"sampler": "traceidratio", "arg": 0.5}"#;
const PARENT_HALF: &str = r#"{"arg": 0.5}"#;

struct Row {
    why: &'static str,
    /// `sampling`.
    sampling: &'static str,
    /// Whether the hop is a span of its own.
    exports: bool,
    /// `traceparent` with `{R}` for the last 14 digits of the trace id, and `tracestate`; empty is absent.
    came: (&'static str, &'static str),
    sampled: bool,
    tracestate: &'static str,
}

const fn row(
    why: &'static str,
    (sampling, exports): (&'static str, bool),
    came: (&'static str, &'static str),
    sampled: bool,
    tracestate: &'static str,
) -> Row {
    Row {
        why,
        sampling,
        exports,
        came,
        sampled,
        tracestate,
    }
}

/// Beside R = fe8b2a57d3eff7.
const ACCEPTED: &str = "01";
const DENIED: &str = "00";

const PASSES: bool = false;
const RECORDS: bool = true;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // "A root sampler always makes an independent decision": what it tells.
    row("a ratio of 1 tells 100 %", (r#"{"arg": 1}"#, PASSES), ("", ""), true, "ot=th:0"),
    row("a ratio of 0 is no probability", (r#"{"arg": 0}"#, PASSES), ("", ""), false, ""),
    row("always_on tells none: the SDK's sampler of that name has no tracestate", (r#"{"sampler": "always_on"}"#, PASSES), ("", ""), true, ""),
    row("a rule's ratio is one", (r#"{"sampler": "always_off", "rules": [{"match": {"paths": ["*"]}, "ratio": 1}]}"#, PASSES), ("", ""), true, "ot=th:0"),
    row("a rule that samples nothing", (r#"{"sampler": "always_on", "rules": [{"match": {"paths": ["*"]}, "ratio": 0}]}"#, PASSES), ("", ""), false, ""),
    row("a limit makes the probability unknown", (r#"{"arg": 1, "maxPerSecond": 5}"#, PASSES), ("", ""), true, ""),
    row("whoever is forced is not sampled by chance", (r#"{"arg": 0, "forceHeader": "x-force"}"#, PASSES), ("", ""), true, ""),
    row("a list without its traceparent is none", (r#"{"arg": 1}"#, PASSES), ("", "ot=th:8,a=1"), true, "ot=th:0"),

    // Parent-based: "propagate the incoming threshold".
    row("as it came", (PARENT_HALF, PASSES), (ACCEPTED, "ot=th:c,a=1"), true, "ot=th:c,a=1"),
    row("as it came, beside a span of our own", (PARENT_HALF, RECORDS), (ACCEPTED, "a=1,ot=th:c"), true, "a=1,ot=th:c"),
    row("absent stays absent", (PARENT_HALF, RECORDS), (ACCEPTED, "a=1"), true, "a=1"),
    row("without a list there is none", (PARENT_HALF, RECORDS), (ACCEPTED, ""), true, ""),
    row("R < T, and sampled: apparently inconsistent, erased", (PARENT_HALF, RECORDS), (ACCEPTED, "ot=th:ff,a=1"), true, "a=1"),
    row("erased, but for the randomness", (PARENT_HALF, RECORDS), (ACCEPTED, "ot=th:c;rv:00000000000000,a=1"), true, "ot=rv:00000000000000,a=1"),
    row("the randomness makes it consistent", (PARENT_HALF, RECORDS), (ACCEPTED, "ot=th:ff;rv:ffffffffffffff"), true, "ot=th:ff;rv:ffffffffffffff"),
    row("no threshold: upper case", (PARENT_HALF, RECORDS), (ACCEPTED, "ot=th:C"), true, ""),
    row("no threshold: 15 digits", (PARENT_HALF, RECORDS), (ACCEPTED, "ot=th:800000000000000;k:v"), true, "ot=k:v"),
    row("no threshold: empty", (PARENT_HALF, RECORDS), (ACCEPTED, "ot=th:"), true, ""),
    row("inconsistent, but the traceparent stays, and so must the list (W3C §3.4)", (PARENT_HALF, PASSES), (ACCEPTED, "ot=th:ff"), true, "ot=th:ff"),
    row("a denied request is nobody's span", (PARENT_HALF, RECORDS), (DENIED, "ot=th:ff,a=1"), false, "ot=th:ff,a=1"),

    // A sampler that decides by itself "ignores the parent's sampling threshold".
    row("turned to yes: its own threshold, first, everything else kept", (HALF, PASSES), (DENIED, "a=1,ot=k:v;th:ff,b=2"), true, "ot=th:8;k:v,a=1,b=2"),
    row("turned to no: no threshold", (r#"{"sampler": "traceidratio", "arg": 0.001}"#, PASSES), (ACCEPTED, "ot=th:c;k:v,a=1"), false, "ot=k:v,a=1"),
    row("turned to no: rv is kept", (HALF, PASSES), (ACCEPTED, "ot=rv:7fffffffffffff;th:4"), false, "ot=rv:7fffffffffffff"),
    row("agreed, a span of our own: its own threshold", (HALF, RECORDS), (ACCEPTED, "ot=th:c"), true, "ot=th:8"),
    row("agreed, a span of our own, the same threshold", (HALF, RECORDS), (ACCEPTED, "a=1,ot=th:8"), true, "a=1,ot=th:8"),
    row("agreed, a span of our own, no list", (HALF, RECORDS), (ACCEPTED, ""), true, "ot=th:8"),
    row("agreed, nothing of our own: the traceparent stays, and so does the list", (HALF, PASSES), (ACCEPTED, "ot=th:c"), true, "ot=th:c"),
    row("always_on erases what it does not know", (r#"{"sampler": "always_on"}"#, RECORDS), (ACCEPTED, "ot=th:c,a=1"), true, "a=1"),
    row("forced: unknown", (r#"{"arg": 0, "forceHeader": "x-force"}"#, PASSES), (DENIED, "ot=th:ff;k:v"), true, "ot=k:v"),
    row("limited: unknown", (r#"{"sampler": "traceidratio", "arg": 0.5, "maxPerSecond": 5}"#, PASSES), (DENIED, "ot=th:ff,a=1"), true, "a=1"),

    // rv in place of the trace id's bytes.
    row("rv = T is kept", (HALF, PASSES), (DENIED, "ot=rv:80000000000000"), true, "ot=th:8;rv:80000000000000"),
    row("rv = T - 1 is dropped", (HALF, PASSES), (ACCEPTED, "ot=rv:7fffffffffffff"), false, "ot=rv:7fffffffffffff"),
    row("the specification's example at 41.1 %: dropped by half", (HALF, PASSES), (ACCEPTED, "ot=rv:6e6d1a75832a2f"), false, "ot=rv:6e6d1a75832a2f"),
    row("the specification's example at 41.1 %: kept by 60 %", (r#"{"sampler": "traceidratio", "arg": 0.6}"#, PASSES), (DENIED, "ot=rv:6e6d1a75832a2f"), true, "ot=th:6666;rv:6e6d1a75832a2f"),
    row("13 digits are no rv: the trace id counts", (HALF, PASSES), (DENIED, "ot=rv:0000000000000"), true, "ot=th:8;rv:0000000000000"),
    row("upper case is no rv: the trace id counts", (HALF, PASSES), (DENIED, "ot=rv:0000000000000A"), true, "ot=th:8;rv:0000000000000A"),
    row("in a list that is not valid there is none", (HALF, PASSES), (DENIED, "ot=rv:00000000000000,Bad=1"), true, "ot=th:8"),
    row("a tenant's rv is not ours", (HALF, PASSES), (DENIED, "t@ot=rv:00000000000000"), true, "ot=th:8,t@ot=rv:00000000000000"),
];

#[test]
fn thresholds_and_randomness_are_as_specified() {
    let mut failures = Vec::new();
    for row in ROWS {
        if let Err(problem) = check(row) {
            failures.push(format!("{}: {problem}", row.why));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}\n{}",
        failures.len(),
        ROWS.len(),
        failures.join("\n")
    );
}

fn check(row: &Row) -> Result<(), String> {
    let mut host = application();
    let export = if row.exports {
        r#", "export": {"cluster": "collector"}"#
    } else {
        ""
    };
    let filter = filter(
        &mut host,
        &format!(r#"{{"sampling": {}{export}}}"#, row.sampling),
    );
    let (flags, tracestate) = row.came;
    let traceparent = format!("00-{TRACE}-{SPAN}-{flags}");
    let mut request: Vec<(&str, &[u8])> = vec![(":path", b"/"), ("x-force", b"1")];
    if !flags.is_empty() {
        request.push(("traceparent", traceparent.as_bytes()));
    }
    if !tracestate.is_empty() {
        request.push(("tracestate", tracestate.as_bytes()));
    }
    host.set_request(&request);
    let outcome = run(&filter, &mut host);
    let leaves = outcome.one("traceparent").ok_or("no traceparent")?;
    let got = (
        leaves.ends_with("-01"),
        outcome.one("tracestate").unwrap_or_default(),
    );
    if got != (row.sampled, row.tracestate) {
        return Err(format!("{got:?}, not {:?}", (row.sampled, row.tracestate)));
    }
    if leaves == traceparent && tracestate != row.tracestate {
        return Err("the list changed without the traceparent".to_owned());
    }
    Ok(())
}

/// The application behind a sidecar, which may force.
fn application() -> FakeHost {
    let properties = [
        ("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc".to_vec()),
        ("xds.listener_direction", 2_i64.to_le_bytes().to_vec()),
    ];
    let mut host = FakeHost::default();
    host.properties
        .extend(properties.map(|(name, value)| (name.to_owned(), value)));
    host
}

#[test]
fn where_w3c_does_not_leave_nothing_is_told() {
    let mut host = FakeHost::default();
    let filter = filter(
        &mut host,
        r#"{"sampling": {"arg": 1}, "propagation": {"inject": ["b3"]}}"#,
    );
    host.set_request(&[]);
    let outcome = run(&filter, &mut host);
    assert_eq!(outcome.one("tracestate"), None);
    assert!(outcome.one("b3").is_some_and(|b3| b3.ends_with("-1")));
}

#[test]
fn a_deferred_decision_is_told_beside_the_traceparent_that_it_begins() {
    let mut host = FakeHost::default();
    let filter = filter(&mut host, r#"{"sampling": {"arg": 0.5}}"#);
    let b3 = format!("{TRACE}-{SPAN}");
    host.set_request(&[("b3", b3.as_bytes())]);
    let outcome = run(&filter, &mut host);
    let expected = format!("00-{TRACE}-{SPAN}-01");
    assert_eq!(outcome.one("traceparent"), Some(expected.as_str()));
    assert_eq!(outcome.one("tracestate"), Some("ot=th:8"));
}
