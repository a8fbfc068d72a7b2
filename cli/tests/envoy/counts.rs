//! What a request is counted as.

use std::collections::BTreeMap;
use throughline_dev::envoy::prometheus::samples;

/// Those that a request moves by itself, and at once.
const COUNTED: [&str; 4] = [
    "throughline_requests",
    "throughline_conflicts",
    "throughline_rejected_headers",
    "throughline_stripped",
];

/// Counters above zero, by their names with their labels.
pub type Counts = BTreeMap<String, String>;

/// Of a page of Prometheus'.
pub fn counts(page: &str) -> Counts {
    grown("", page)
}

/// What came between two pages.
pub fn grown(before: &str, after: &str) -> Counts {
    let before = samples(before);
    let counted = samples(after).into_iter().filter_map(|sample| {
        let mut known = before.iter();
        let known = known
            .find(|known| known.metric == sample.metric && known.labels == sample.labels)
            .map_or(0.0, |known| known.value);
        let by = sample.value - known;
        let is_counted = COUNTED.contains(&&*sample.metric) && by > 0.0;
        is_counted.then(|| {
            (
                format!("{}{:?}", sample.metric, sample.labels),
                by.to_string(),
            )
        })
    });
    counted.collect()
}
