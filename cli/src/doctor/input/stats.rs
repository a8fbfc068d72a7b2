//! Envoy's statistics: its Prometheus page, or `/stats`.

use std::collections::BTreeMap;

/// Those that matter here.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// The filter's own.
    pub throughline: Vec<Sample>,
    /// Requests of each HTTP connection manager, by its `stat_prefix`.
    pub requests: BTreeMap<String, u64>,
    /// Requests as Istio counts them, by who reports: `source` or `destination` (sidecars and gateways), `waypoint`.
    pub istio_requests: BTreeMap<String, u64>,
    /// How often Envoy refused what was delivered for the filter by extension config discovery.
    pub refused_deliveries: u64,
    pub labels: Labels,
}

/// One counter or gauge of the filter, without the `throughline_` before its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    pub metric: String,
    pub labels: BTreeMap<String, String>,
    pub value: u64,
}

/// Whether the labels of the filter's metrics are labels in Prometheus.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Labels {
    /// This page does not show it.
    #[default]
    Unknown,
    There,
    InNames,
}

const PREFIX_LABEL: &str = "envoy_http_conn_manager_prefix";

impl Stats {
    /// `None` where the text is of another kind.
    pub fn read(text: &str) -> Option<Self> {
        let first = text.lines().find(|line| !line.trim().is_empty())?;
        let mut stats = Self::default();
        if first.starts_with("# ") || series(first).is_some() {
            text.lines()
                .filter_map(series)
                .for_each(|series| stats.take_series(series));
            return Some(stats);
        }
        let (name, _) = first.split_once(": ")?;
        if !name.contains('.') || name.contains(' ') {
            return None;
        }
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(": ") else {
                continue;
            };
            if let Ok(value) = value.trim().parse() {
                stats.take_stat(name.trim(), value);
            }
        }
        Some(stats)
    }

    /// The sum over all samples of that metric that have these labels.
    pub fn sum(&self, metric: &str, labels: &[(&str, &str)]) -> u64 {
        let samples = self.samples(metric);
        let has = |sample: &&Sample| {
            labels
                .iter()
                .all(|(name, value)| sample.label(name) == *value)
        };
        samples
            .filter(has)
            .fold(0, |sum, sample| sum.saturating_add(sample.value))
    }

    /// What came since an earlier reading. Gauges stay as they are.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        const GAUGES: [&str; 4] = [
            "info",
            "config_rejected",
            "export_unreachable",
            "native_tracer",
        ];
        let known = earlier.throughline.iter();
        let known = known.map(|sample| ((&*sample.metric, &sample.labels), sample.value));
        let known: BTreeMap<_, _> = known.collect();
        for sample in &mut self.throughline {
            if !GAUGES.contains(&&*sample.metric) {
                let before = known.get(&(&*sample.metric, &sample.labels)).copied();
                sample.value = sample.value.saturating_sub(before.unwrap_or(0));
            }
        }
        subtract(&mut self.requests, &earlier.requests);
        subtract(&mut self.istio_requests, &earlier.istio_requests);
        self
    }

    pub fn samples(&self, metric: &str) -> impl Iterator<Item = &Sample> {
        self.throughline
            .iter()
            .filter(move |sample| sample.metric == metric)
    }

    fn take_series(
        &mut self,
        Series {
            name,
            labels,
            value,
        }: Series<'_>,
    ) {
        let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
        if is_refusal(name) {
            self.refused_deliveries = self.refused_deliveries.saturating_add(value);
        } else if let Some((before, metric)) = name.split_once("throughline_") {
            // Without a stats tag the labels are spelled in the name: `origin___b3___throughline_requests`.
            let spelled = pairs(before.split("___"));
            match (metric, labels.is_empty(), spelled.is_empty()) {
                ("requests", false, _) => self.labels = Labels::There,
                ("requests", true, false) => self.labels = Labels::InNames,
                _ => {}
            }
            let labels = if spelled.is_empty() { labels } else { spelled };
            self.throughline.push(Sample {
                metric: metric.to_owned(),
                labels,
                value,
            });
        } else if name == "envoy_http_downstream_rq_total" {
            add(&mut self.requests, label(PREFIX_LABEL), value);
        } else if name == "istio_requests_total" {
            add(&mut self.istio_requests, label("reporter"), value);
        }
    }

    fn take_stat(&mut self, name: &str, value: u64) {
        if is_refusal(name) {
            self.refused_deliveries = self.refused_deliveries.saturating_add(value);
        } else if let Some((before, metric)) =
            name.rsplit_once("throughline.").filter(|_| is_ours(name))
        {
            // `origin=.=b3;.;throughline.requests`
            let labels = before.split(";.;").filter_map(|pair| {
                let (label, value) = pair.split_once("=.=")?;
                let label = label.rsplit('.').next()?;
                Some((label.to_owned(), value.to_owned()))
            });
            self.throughline.push(Sample {
                metric: metric.to_owned(),
                labels: labels.collect(),
                value,
            });
        } else if let Some(rest) = name.strip_prefix("http.")
            && let Some(prefix) = rest.strip_suffix(".downstream_rq_total")
        {
            add(&mut self.requests, prefix.to_owned(), value);
        }
    }
}

impl Sample {
    /// Empty where it is not there, as in Prometheus.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

fn add(to: &mut BTreeMap<String, u64>, name: String, value: u64) {
    let sum = to.entry(name).or_default();
    *sum = sum.saturating_add(value);
}

fn subtract(from: &mut BTreeMap<String, u64>, what: &BTreeMap<String, u64>) {
    for (name, value) in from {
        *value = value.saturating_sub(what.get(name).copied().unwrap_or(0));
    }
}

/// `extension_config_discovery.http_filter.throughline.config_fail`, in both spellings.
fn is_refusal(name: &str) -> bool {
    name.contains("extension_config_discovery")
        && name.contains("throughline")
        && name.ends_with("config_fail")
}

/// Metrics of Wasm plugins have a namespace of their own.
fn is_ours(name: &str) -> bool {
    name.starts_with("wasmcustom.") || name.starts_with("throughline.") || name.contains("=.=")
}

/// Label and value by turns.
fn pairs<'a>(mut parts: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
        pairs.insert(label.to_owned(), value.to_owned());
    }
    pairs
}

/// A line of a Prometheus page.
struct Series<'a> {
    name: &'a str,
    labels: BTreeMap<String, String>,
    value: u64,
}

fn series(line: &str) -> Option<Series<'_>> {
    let (name, rest) = match line.split_once('{') {
        Some((name, rest)) => (name, Some(rest)),
        None => (line.split_once(' ')?.0, None),
    };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    if name.is_empty() || !name.bytes().all(named) {
        return None;
    }
    let (labels, value) = match rest {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), line.split_once(' ')?.1),
    };
    // A time may follow.
    let value = value.split_whitespace().next()?;
    // Histograms have sums with decimals; nothing that counts here has.
    let value = value
        .parse()
        .or_else(|_| value.parse::<f64>().map(|_| 0))
        .ok()?;
    Some(Series {
        name,
        labels,
        value,
    })
}

/// What stands from `{` on, and what follows `}`. Values may hold anything, escaped.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, char) => value.push(char),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = after.get(end.checked_add(1)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_spellings_say_the_same() {
        let pages = [
            (
                "# TYPE throughline_requests counter\n\
                 throughline_requests{origin=\"b3\"} 3\n\
                 throughline_requests{origin=\"started\"} 4\n\
                 throughline_spans{outcome=\"dropped\",reason=\"queue_full\"} 5\n\
                 throughline_conflicts{} 1\n\
                 envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"inbound\"} 7\n",
                Labels::There,
            ),
            (
                "origin___b3___throughline_requests{} 3\n\
                 origin___started___throughline_requests{} 4\n\
                 outcome___dropped___reason___queue_full___throughline_spans{} 5\n\
                 throughline_conflicts{} 1\n\
                 envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"inbound\"} 7\n",
                Labels::InNames,
            ),
            (
                "http.inbound.downstream_rq_total: 7\n\
                 wasmcustom.origin=.=b3;.;throughline.requests: 3\n\
                 wasmcustom.origin=.=started;.;throughline.requests: 4\n\
                 wasmcustom.outcome=.=dropped;.;reason=.=queue_full;.;throughline.spans: 5\n\
                 wasmcustom.throughline.conflicts: 1\n\
                 http.inbound.downstream_cx_length_ms: P0(nan,1) P25(nan,1.025)\n",
                Labels::Unknown,
            ),
        ];
        for (page, labels) in pages {
            let stats = Stats::read(page).expect(page);
            assert_eq!(stats.labels, labels, "{page}");
            assert_eq!(stats.sum("requests", &[]), 7, "{page}");
            assert_eq!(stats.sum("requests", &[("origin", "b3")]), 3, "{page}");
            let lost = [("outcome", "dropped"), ("reason", "queue_full")];
            assert_eq!(stats.sum("spans", &lost), 5, "{page}");
            assert_eq!(stats.sum("conflicts", &[]), 1, "{page}");
            assert_eq!(stats.requests.get("inbound"), Some(&7), "{page}");
        }
    }

    #[test]
    fn label_values_may_hold_anything() {
        let page = "istio_requests_total{path=\"a,b=\\\"}\\\\ {\",reporter=\"source\"} 9 1700000000\n\
                    istio_requests_total{reporter=\"source\"} 1\n";
        let stats = Stats::read(page).expect("a page");
        assert_eq!(stats.istio_requests.get("source"), Some(&10));
    }

    #[test]
    fn other_texts_are_not_statistics() {
        for text in [
            "",
            "\n",
            "hello world",
            "key: value",
            "- a\n- b",
            "a b.c: 1",
            "}{",
        ] {
            assert_eq!(Stats::read(text), None, "{text:?}");
        }
    }
}
