//! A story for people: what came in, what is decided, what leaves.

use super::story::{Decision, Extracted, HeaderFacts, Id, Story};
use std::fmt::Write as _;
use throughline::text::one_line;

pub fn of(story: &Story) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write(story, &mut out);
    out
}

fn write(story: &Story, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{}", one_line(&story.filter))?;
    for entry in &story.overrides {
        let applies = if entry.applies { "is" } else { "is not" };
        writeln!(out, "  {} {applies} for this proxy", entry.path)?;
    }
    let trust = &story.trust;
    match trust.rule {
        Some(rule) => writeln!(
            out,
            "  trust[{rule}] is the first that matches: {}",
            trust.action
        )?,
        None if trust.rules > 0 => writeln!(out, "  no rule of trust matches: {}", trust.action)?,
        None => {}
    }
    writeln!(out, "\nExtract")?;
    for extracted in &story.extract {
        writeln!(out, "  {}", of_extracted(extracted))?;
    }
    writeln!(out, "\nDecide")?;
    for (name, line) in of_decision(&story.decision) {
        writeln!(out, "  {name:<8} {}", one_line(&line))?;
    }
    writeln!(out, "\nWrite")?;
    if story.headers.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for header in &story.headers {
        for line in of_header(header) {
            writeln!(out, "  {}", one_line(&line))?;
        }
    }
    let filter_state = story.filter_state.iter().map(|(name, value)| {
        let unknown = "(not known here: Envoy's own tracer makes it)";
        (name.clone(), value.as_deref().unwrap_or(unknown))
    });
    let filter_state = filter_state.collect();
    let tells = [
        ("Response", of_map(&story.response, "+ ")),
        ("Filter state", of_map(&filter_state, "wasm.")),
        ("Metrics", of_map(&story.metrics, "")),
    ];
    for (title, lines) in tells {
        if !lines.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for line in lines {
            writeln!(out, "  {}", one_line(&line))?;
        }
    }
    if !story.unknown.is_empty() {
        writeln!(
            out,
            "\nNot known here, and taken for absent: give it with --property"
        )?;
        for path in &story.unknown {
            writeln!(out, "  {}=…", one_line(path))?;
        }
    }
    Ok(())
}

fn of_map(
    map: &std::collections::BTreeMap<String, impl std::fmt::Display>,
    prefix: &str,
) -> Vec<String> {
    map.iter()
        .map(|(name, value)| format!("{prefix}{name} {value}"))
        .collect()
}

fn of_extracted(extracted: &Extracted) -> String {
    let precedence = extracted.precedence.map(|place| place.to_string());
    let precedence = precedence.unwrap_or_else(|| "-".to_owned());
    let mut said = Vec::new();
    match (extracted.result, extracted.reason) {
        ("read", _) => {
            said.extend(extracted.trace_id.as_ref().map(|id| format!("trace {id}")));
            said.extend(extracted.span_id.as_ref().map(|id| format!("span {id}")));
            said.push(match extracted.sampled {
                Some("true") => "sampled".to_owned(),
                Some("false") => "not sampled".to_owned(),
                Some(other) => other.to_owned(),
                None => "no decision".to_owned(),
            });
        }
        (_, Some(reason)) => said.push(format!("rejected: {reason}")),
        (result, None) => said.push(result.to_owned()),
    }
    let note = match (extracted.continued, extracted.precedence) {
        (true, _) => " ← continued",
        (false, None) => " (not in extract)",
        (false, Some(_)) => "",
    };
    format!(
        "{precedence} {:<14} {}{note}",
        extracted.format,
        said.join(", ")
    )
}

fn of_decision(decision: &Decision) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if decision.native_tracer == "mirror" {
        let said =
            "nativeTracer is mirror: one of Envoy's own writes the context, after every filter";
        lines.push(("tracer", said.to_owned()));
    }
    lines.push((
        "origin",
        match decision.origin.as_deref() {
            Some("started") if decision.trace_id.is_none() => {
                "started by Envoy's own tracer, which writes the context when the filter is done"
                    .to_owned()
            }
            Some("started") => "started: nothing that can be continued came in".to_owned(),
            Some("restarted") => {
                "restarted: the trace that came in ends here, and another begins".to_owned()
            }
            Some("ignored") => "ignored: nobody touches its trace headers".to_owned(),
            Some("exporter") => {
                "exporter: b3: 0 alone is a call that reports spans; it gets no trace".to_owned()
            }
            Some(origin) => origin.to_owned(),
            None => "none: its trace headers are left alone".to_owned(),
        },
    ));
    if decision.conflict {
        lines.push((
            "conflict",
            "two formats disagree: the order of extract decides".to_owned(),
        ));
    }
    let id = |id: &Id| match id.generated {
        true => format!("{} (made here, another for each request)", id.value),
        false => id.value.clone(),
    };
    lines.extend(decision.trace_id.as_ref().map(|trace| ("trace", id(trace))));
    lines.extend(decision.span_id.as_ref().map(|span| ("span", id(span))));
    lines.extend(
        decision
            .parent_id
            .as_ref()
            .map(|parent| ("parent", parent.clone())),
    );
    if let Some(sampled) = decision.sampled {
        let word = if sampled { "yes" } else { "no" };
        let rule = decision.rule.unwrap_or_default();
        let why = match decision.by {
            Some("debug") => "debug came in, which nothing overrules".to_owned(),
            Some("forceHeader") => "sampling.forceHeader, from a peer that is trusted".to_owned(),
            Some("caller") => format!("the decision that came in is kept ({})", decision.sampler),
            Some("tracer") => format!(
                "Envoy's own tracer keeps the decision that came in, as far as it reads {}; before its first response on a listener nobody knows",
                decision.origin.as_deref().unwrap_or("what came in")
            ),
            Some("rule") => format!("sampling.rules[{rule}] is the first that matches"),
            Some("sampler") => decision.sampler.clone(),
            _ => "cannot be told".to_owned(),
        };
        lines.push(("sampled", format!("{word}: {why}")));
    }
    let recorded = match decision.recorded {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known here: what the tracer wrote tells, when the request is over",
    };
    if decision.sampled.is_some() || decision.recorded.is_none() {
        lines.push(("recorded", recorded.to_owned()));
    }
    lines
}

fn of_header(header: &HeaderFacts) -> Vec<String> {
    let sign = match header.action {
        "added" => '+',
        "removed" => '-',
        "changed" => '~',
        _ => '=',
    };
    let from = header.from.join(", ");
    let to = header.to.join(", ");
    let values = match header.action {
        "added" | "left" => to,
        "removed" => from,
        _ => format!("{from} → {to}"),
    };
    vec![
        format!("{sign} {}: {values}", header.name),
        format!("      {}", header.why),
    ]
}
