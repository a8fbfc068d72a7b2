//! The limits that docs/configuration.md names: what is within them is taken, what is one beyond is refused.

use super::load;
use std::fs;

/// A configuration in which there are so many of it.
type Filled = fn(usize) -> String;

/// Each row of the table, by how it begins.
const ROWS: &[(&str, Filled)] = &[
    ("the configuration, in bytes of JSON", |n| {
        format!("{{{}}}", " ".repeat(n - 2))
    }),
    ("fields of one object", |n| {
        let labels = join(n, |i| format!(r#""l{i}": "a""#));
        format!(r#"{{"overrides": [{{"match": {{"labels": {{{labels}}}}}, "config": {{}}}}]}}"#)
    }),
    ("`overrides`", |n| {
        let list = join(n, |_| {
            r#"{"match": {"namespaces": ["a"]}, "config": {}}"#.to_owned()
        });
        format!(r#"{{"overrides": [{list}]}}"#)
    }),
    ("`trust`, in rules", |n| {
        let rules = join(n, |_| {
            r#"{"match": {"external": true}, "action": "strip"}"#.to_owned()
        });
        format!(r#"{{"trust": [{rules}]}}"#)
    }),
    ("a list of patterns, ranges or labels in `trust`", |n| {
        let hosts = join(n, |_| r#""a""#.to_owned());
        format!(r#"{{"trust": [{{"match": {{"hosts": [{hosts}]}}, "action": "strip"}}]}}"#)
    }),
    ("a pattern or label in `trust`, in bytes", |n| {
        let host = text(n);
        format!(r#"{{"trust": [{{"match": {{"hosts": ["{host}"]}}, "action": "strip"}}]}}"#)
    }),
    ("`sampling.rules`", |n| {
        let rules = join(n, |_| rule(r#""/""#));
        format!(r#"{{"sampling": {{"rules": [{rules}]}}}}"#)
    }),
    ("`sampling.maxPerSecond`", |n| {
        format!(r#"{{"sampling": {{"maxPerSecond": {n}}}}}"#)
    }),
    ("patterns of one list", |n| {
        let rule = rule(&join(n, |_| r#""/""#.to_owned()));
        format!(r#"{{"sampling": {{"rules": [{rule}]}}}}"#)
    }),
    ("a pattern, in bytes", |n| {
        format!(r#"{{"redaction": {{"blockedValues": ["{}"]}}}}"#, text(n))
    }),
    ("`service.name`, in bytes", |n| {
        format!(r#"{{"service": {{"name": "{}"}}}}"#, text(n))
    }),
    ("`customTags`, with those of `sampling.rules`", |n| {
        let tags = join(n - 1, |i| {
            format!(r#""t{i}": {{"literal": {{"value": "a"}}}}"#)
        });
        let rule = r#"{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"t0": "b", "rule": "c"}}"#;
        format!(r#"{{"customTags": {{{tags}}}, "sampling": {{"rules": [{rule}]}}}}"#)
    }),
    ("a tag's name, in characters", |n| tag(&text(n), "a")),
    ("a tag's value in the configuration, in bytes", |n| {
        tag("t", &text(n))
    }),
    ("`tags.to`", |n| {
        let sinks = join(n, |i| format!(r#""header:x-{i}""#));
        let tag = r#""customTags": {"t": {"literal": {"value": "a"}}}"#;
        format!(r#"{{{tag}, "tags": {{"to": [{sinks}]}}}}"#)
    }),
    ("`resource`", |n| {
        let attributes = join(n, |i| format!(r#""t{i}": {{"literal": {{"value": "a"}}}}"#));
        format!(r#"{{"resource": {{{attributes}}}}}"#)
    }),
    ("the name of an attribute in `resource`, in bytes", |n| {
        let name = text(n);
        format!(r#"{{"resource": {{"{name}": {{"literal": {{"value": "a"}}}}}}}}"#)
    }),
    ("`spans.maxPathTagLength`", |n| {
        format!(r#"{{"spans": {{"maxPathTagLength": {n}}}}}"#)
    }),
    ("`export.cluster`, in bytes", |n| {
        format!(r#"{{"export": {{"cluster": "{}"}}}}"#, text(n))
    }),
    ("`export.headers`", |n| {
        let headers = join(n, |i| format!(r#""x-{i}": "a""#));
        export(&format!(r#""headers": {{{headers}}}"#))
    }),
    ("a header's value in `export.headers`, in bytes", |n| {
        export(&format!(r#""headers": {{"x-a": "{}"}}"#, text(n)))
    }),
    ("`export.timeout`, in milliseconds", |n| {
        export(&format!(r#""timeout": "{n}ms""#))
    }),
    ("`export.batch.maxQueueSize`", |n| {
        batch(&format!(r#""maxQueueSize": {n}"#))
    }),
    ("`export.batch.maxQueueBytes`", |n| {
        batch(&format!(r#""maxQueueBytes": {n}"#))
    }),
    (
        "`export.batch.maxExportBatchSize`, and not above `maxQueueSize`",
        |n| {
            batch(&format!(
                r#""maxQueueSize": 65536, "maxExportBatchSize": {n}"#
            ))
        },
    ),
    ("`export.batch.scheduleDelay`, in milliseconds", |n| {
        batch(&format!(r#""scheduleDelay": "{n}ms""#))
    }),
    ("`export.maxInFlight`", |n| {
        export(&format!(r#""maxInFlight": {n}"#))
    }),
];

fn join(n: usize, each: impl Fn(usize) -> String) -> String {
    (0..n).map(each).collect::<Vec<_>>().join(", ")
}

fn text(n: usize) -> String {
    "a".repeat(n)
}

fn rule(paths: &str) -> String {
    format!(r#"{{"match": {{"paths": [{paths}]}}, "ratio": 1}}"#)
}

fn tag(name: &str, value: &str) -> String {
    format!(r#"{{"customTags": {{"{name}": {{"literal": {{"value": "{value}"}}}}}}}}"#)
}

fn export(field: &str) -> String {
    format!(r#"{{"export": {{"cluster": "a", {field}}}}}"#)
}

fn batch(field: &str) -> String {
    export(&format!(r#""batch": {{{field}}}"#))
}

#[test]
fn what_is_within_the_documented_limits_is_taken_and_what_is_beyond_is_refused() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = fs::read_to_string(page).expect("docs/configuration.md");
    let (_, section) = page.split_once("\n## Limits\n").expect("its limits");
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1);
    let rows: Vec<Vec<&str>> = rows
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    let documented: Vec<_> = rows.iter().map(|row| row[1]).collect();
    let tested: Vec<_> = ROWS.iter().map(|(what, _)| *what).collect();
    assert_eq!(documented, tested);
    for (row, (what, filled)) in rows.iter().zip(ROWS) {
        let verdict = |n| load(&filled(n), &[]).map(|_| ());
        let number = |column: usize| row[column].parse::<usize>().ok();
        let most = number(3).expect(what);
        let within = number(2).into_iter().chain([most]);
        for n in within {
            assert_eq!(verdict(n), Ok(()), "{what}: {n}");
        }
        let beyond = number(2).map(|least| least - 1).into_iter();
        for n in beyond.chain([most + 1]) {
            assert!(verdict(n).is_err(), "{what}: {n} was taken");
        }
    }
}
