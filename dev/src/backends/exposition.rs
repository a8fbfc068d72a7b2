//! The text that Prometheus reads.

use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// The labels of a sample.
pub type Labels = BTreeMap<String, String>;

/// The samples of the metric of that name.
pub fn samples(page: &str, metric: &str) -> Result<Vec<(Labels, f64)>> {
    lines(page, metric)
        .map(|rest| sample(rest).with_context(|| format!("sample {metric}{{{rest}")))
        .collect()
}

/// The labels of the exemplars of that metric's samples.
pub fn exemplars(page: &str, metric: &str) -> Result<Vec<Labels>> {
    lines(page, metric)
        .filter_map(|rest| exemplar(rest).transpose())
        .map(|found| found.with_context(|| format!("an exemplar of {metric}")))
        .collect()
}

/// What is behind the metric's name and the opening brace.
fn lines<'a>(page: &'a str, metric: &'a str) -> impl Iterator<Item = &'a str> {
    page.lines()
        .filter_map(move |line| line.strip_prefix(metric)?.strip_prefix('{'))
}

fn sample(rest: &str) -> Option<(Labels, f64)> {
    let (labels, value) = labels(rest)?;
    // Behind the value there may be a time and an exemplar.
    Some((labels, value.split_whitespace().next()?.parse().ok()?))
}

fn exemplar(rest: &str) -> Result<Option<Labels>> {
    let (_, behind) = labels(rest).with_context(|| rest.to_owned())?;
    let Some((_, exemplar)) = behind.split_once(" # {") else {
        return Ok(None);
    };
    let (labels, _) = labels(exemplar).with_context(|| exemplar.to_owned())?;
    Ok(Some(labels))
}

/// The labels up to the closing brace, and what is behind it.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, behind) = unquote(quoted)?;
        labels.insert(name.to_owned(), value);
        rest = behind;
    }
}

/// The text up to the closing quote, and what is behind it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((text, characters.as_str())),
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{exemplars, samples};
    use anyhow::Result;

    #[test]
    fn labels_and_values_are_read() -> Result<()> {
        let page = "# TYPE calls counter\n\
            calls_total{client=\"a\",server=\"b \\\"c\\\" \\\\ d}\"} 2.0 # {trace_id=\"1\"} 1\n\
            calls_total{} 1\n\
            calls_total_more{client=\"a\"} 7\n";
        let found = samples(page, "calls_total")?;
        let [(labels, value), (none, one)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(labels["server"], "b \"c\" \\ d}");
        assert_eq!((*value, none.len(), *one), (2.0, 0, 1.0));
        assert!(samples("calls_total{client=\"a", "calls_total").is_err());
        let [exemplar] = &exemplars(page, "calls_total")?[..] else {
            panic!("one line has an exemplar")
        };
        assert_eq!(exemplar["trace_id"], "1");
        Ok(())
    }
}
