//! Envoy's Prometheus page, read.

use std::collections::BTreeMap;

/// One line of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    pub metric: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Sample {
    /// The value of a label; empty where it is not there, as in Prometheus.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Every sample of a page. Label values must hold neither quotes nor commas, which those of the filter do not.
pub fn samples(page: &str) -> Vec<Sample> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (metric, labels) = match series.split_once('{') {
        Some((metric, labels)) => (metric, labels.strip_suffix('}')?),
        None => (series, ""),
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    Some(Sample {
        metric: metric.to_owned(),
        labels: labels.split(',').filter_map(pair).collect(),
        value: value.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let page = "# TYPE throughline_spans counter\n\
                    throughline_spans{outcome=\"dropped\",reason=\"queue_full\"} 12\n\
                    throughline_finished_spans{} 40\n\
                    envoy_server_uptime 7\n\n";
        let samples = samples(page);
        let seen: Vec<_> = samples
            .iter()
            .map(|sample| {
                (
                    &*sample.metric,
                    sample.label("outcome"),
                    sample.label("reason"),
                    sample.value,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("throughline_spans", "dropped", "queue_full", 12.0),
                ("throughline_finished_spans", "", "", 40.0),
                ("envoy_server_uptime", "", "", 7.0),
            ]
        );
    }
}
