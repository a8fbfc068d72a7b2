//! What the tables share: headers written short, one request through the filter, and a report that names every failing row.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::strict;
use crate::support::{Outcome, through};

pub type Header = (&'static str, &'static str);

/// A 128-bit trace id, its low half, a span and that span's parent: the ids of B3's RATIONALE.
pub const T: &str = "80f198ee56343ba864fe8b2a57d3eff7";
pub const LOW: &str = "64fe8b2a57d3eff7";
pub const S: &str = "e457b5a2e4d86bd1";
pub const P: &str = "05e3ac9a4f6e3b90";
/// Another trace, its low half, and a span of it.
pub const U: &str = "0af7651916cd43dd8448eb211c80319c";
pub const U_LOW: &str = "8448eb211c80319c";
pub const V: &str = "b7ad6b7169203331";

/// `{T}`, `{t}`, `{S}`, `{P}`, `{U}`, `{u}`, `{V}` are the ids above, in that order, `{z*256}` repeats, `{members:32}` is
/// a tracestate of so many members.
pub fn expand(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, (name, after))) = rest
        .split_once('{')
        .and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        out.push_str(before);
        out.push_str(&placeholder(name));
        rest = after;
    }
    out + rest
}

fn placeholder(name: &str) -> String {
    let number = |digits: &str| {
        digits
            .parse::<usize>()
            .unwrap_or_else(|_| panic!("{{{name}}}"))
    };
    match name {
        "T" => T.into(),
        "t" => LOW.into(),
        "S" => S.into(),
        "P" => P.into(),
        "U" => U.into(),
        "u" => U_LOW.into(),
        "V" => V.into(),
        // These characters stand next to each other in ASCII: a list of all of them means itself.
        "|" => "{|}".into(),
        _ => match (name.split_once('*'), name.strip_prefix("members:")) {
            (Some((what, times)), _) => what.repeat(number(times)),
            (_, Some(n)) => {
                let member = |i| format!("bar{i:02}={i:02}");
                (1..=number(n)).map(member).collect::<Vec<_>>().join(",")
            }
            _ => panic!("unknown placeholder {{{name}}}"),
        },
    }
}

/// `pluginConfig` from the words that vary: `extract b3 tracecontext; inject b3; stale remove; traceidratio 0.5`.
pub fn config(words: &str) -> String {
    let mut propagation = Vec::new();
    let mut sampling = Vec::new();
    for part in words
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        match word {
            "extract" | "inject" => {
                let formats: Vec<&str> = rest.split(' ').collect();
                propagation.push(format!("{word:?}: {formats:?}"));
            }
            "stale" => propagation.push(format!("\"staleHeaders\": {rest:?}")),
            sampler => {
                sampling.push(format!("\"sampler\": {sampler:?}"));
                sampling.extend((!rest.is_empty()).then(|| format!("\"arg\": {rest}")));
            }
        }
    }
    let (propagation, sampling) = (propagation.join(", "), sampling.join(", "));
    format!("{{\"propagation\": {{{propagation}}}, \"sampling\": {{{sampling}}}}}")
}

pub fn request(headers: &[Header]) -> Vec<(String, Vec<u8>)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), expand(value).into_bytes()))
        .collect()
}

/// Once through the filter; a panic inside is a failure of the row, not of the table.
pub fn run(config: &str, request: &[(String, Vec<u8>)]) -> Result<Outcome, String> {
    let borrowed: Vec<(&str, &[u8])> = request
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    catch_unwind(AssertUnwindSafe(|| through(config, &borrowed)))
        .map_err(|panic| format!("panicked: {}", message(panic.as_ref())))
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("with no message")
}

/// A second pass over what left changes nothing.
pub fn settled(config: &str, outcome: &Outcome) -> Result<(), String> {
    let again = run(config, &outcome.headers)?;
    if again.writes != 0 || again.headers != outcome.headers {
        let (first, second) = (show(&outcome.headers), show(&again.headers));
        return Err(format!(
            "a second pass writes {}: {first} became {second}",
            again.writes
        ));
    }
    Ok(())
}

/// Headers that the filter does not know leave as they came: same values, same order.
pub fn untouched(request: &[(String, Vec<u8>)], outcome: &Outcome) -> Result<(), String> {
    let others = |headers: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        let lower = headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()));
        lower.filter(|(name, _)| !strict::known(name)).collect()
    };
    same(
        "unrelated headers",
        show(&others(&outcome.headers)),
        show(&others(request)),
    )
}

pub fn same<V: PartialEq + std::fmt::Debug>(what: &str, got: V, want: V) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, want {want:?}"))
    }
}

pub fn show(headers: &[(String, Vec<u8>)]) -> String {
    let line =
        |(name, value): &(String, Vec<u8>)| format!("{name}: {:?}", String::from_utf8_lossy(value));
    format!(
        "[{}]",
        headers.iter().map(line).collect::<Vec<_>>().join(", ")
    )
}

/// How often the counter was raised, over all its labels that start so.
pub fn counted(outcome: &Outcome, prefix: &str) -> u64 {
    let counters = outcome.counters.iter();
    counters
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(_, count)| count)
        .sum()
}

pub fn rejected(outcome: &Outcome, format: &str) -> u64 {
    counted(
        outcome,
        &format!("throughline.rejected_headers{{format={format},"),
    )
}

/// Collects the rows that fail, so that one run shows them all.
#[derive(Default)]
pub struct Report {
    rows: usize,
    failures: Vec<String>,
}

impl Report {
    pub fn row(&mut self, row: &str, result: Result<(), String>) {
        self.rows += 1;
        if let Err(problem) = result {
            self.failures.push(format!("{row}\n      {problem}"));
        }
    }

    pub fn finish(self, at_least: usize) {
        let failed = self.failures.len();
        assert!(
            failed == 0,
            "{failed} of {} rows\n  {}",
            self.rows,
            self.failures.join("\n  ")
        );
        assert!(
            self.rows >= at_least,
            "the table holds {} rows, not {at_least}",
            self.rows
        );
    }
}
