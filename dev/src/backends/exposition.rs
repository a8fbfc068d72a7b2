//! The text that Prometheus reads.

use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// The labels of a sample.
pub type Labels = BTreeMap<String, String>;

/// The samples of the metric of that name.
pub fn samples(page: &str, metric: &str) -> Result<Vec<(Labels, f64)>> {
    page.lines()
        .filter_map(|line| line.strip_prefix(metric)?.strip_prefix('{'))
        .map(|rest| sample(rest).with_context(|| format!("sample {metric}{{{rest}")))
        .collect()
}

fn sample(mut rest: &str) -> Option<(Labels, f64)> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(value) = rest.strip_prefix('}') {
            // Behind the value there may be a time and an exemplar.
            return Some((labels, value.split_whitespace().next()?.parse().ok()?));
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
    use super::samples;
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
        Ok(())
    }
}
