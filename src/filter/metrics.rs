//! The filter's counters and gauges, named so that Envoy's stats tags turn the labels into labels.

use core::cell::Cell;

use super::host::{Host, MetricId, MetricKind};
use crate::{
    engine::{LeftAlone, Origin},
    export::Loss,
    policy::trust::{Action, Trust},
    propagation::{Format, Reason, Rejection},
};

/// Envoy has no labels for Wasm metrics. `label=.=value;.;` before the name is the form that Istio's
/// `extraStatTags` extracts, and that a stats tag with `(label=\.=(.*?);\.;)` extracts on plain Envoy.
fn stat_name(labels: &[(&str, &str)], metric: &str) -> String {
    let labels: String = labels
        .iter()
        .map(|(label, value)| format!("{label}=.={value};.;"))
        .collect();
    format!("{labels}throughline.{metric}")
}

/// Sets a gauge once, at start.
pub fn set_gauge(host: &mut impl Host, labels: &[(&str, &str)], metric: &str, value: u64) {
    if let Some(id) = host.define_metric(MetricKind::Gauge, &stat_name(labels, metric)) {
        host.record(id, value);
    }
}

/// A gauge that follows what happens.
#[derive(Debug)]
pub struct Gauge(Option<MetricId>);

impl Gauge {
    pub fn define(host: &mut impl Host, labels: &[(&str, &str)], metric: &str) -> Self {
        Self(host.define_metric(MetricKind::Gauge, &stat_name(labels, metric)))
    }

    pub fn record(&self, host: &mut impl Host, value: u64) {
        if let Some(id) = self.0 {
            host.record(id, value);
        }
    }

    pub fn add(&self, host: &mut impl Host, by: i64) {
        if let Some(id) = self.0 {
            host.add(id, by);
        }
    }

    /// What all VMs of the process together made of it.
    pub fn value(&self, host: &mut impl Host) -> u64 {
        self.0.and_then(|id| host.value(id)).unwrap_or(0)
    }
}

/// A counter that is defined when it is first needed and then costs one host call.
#[derive(Debug, Default)]
struct Counter(Cell<Option<MetricId>>);

impl Counter {
    fn define(&self, host: &mut impl Host, labels: &[(&str, &str)], metric: &str) {
        if self.0.get().is_none() {
            self.0
                .set(host.define_metric(MetricKind::Counter, &stat_name(labels, metric)));
        }
    }

    fn increment(&self, host: &mut impl Host) {
        self.add(host, 1);
    }

    fn add(&self, host: &mut impl Host, by: usize) {
        if let Some(id) = self.0.get()
            && by > 0
        {
            host.increment(id, u64::try_from(by).unwrap_or(0));
        }
    }
}

/// The counters of one configuration.
#[derive(Debug, Default)]
pub struct Counters {
    /// By format, and of traces that started here.
    continued: [Counter; Format::ALL.len()],
    started: Counter,
    restarted: Counter,
    exporters: Counter,
    ignored: Counter,
    stripped: Counter,
    conflicts: Counter,
    abstained: Counter,
    stood_aside: Counter,
    native_override: Counter,
    propagation_gap: Counter,
    rejected: [[Counter; Reason::ALL.len()]; Format::ALL.len()],
}

impl Counters {
    /// Defines what every proxy has, so that a scrape shows zeros rather than nothing.
    pub fn new(host: &mut impl Host, readers: &[Format], trust: &Trust) -> Self {
        let counters = Self::default();
        let read = readers.iter().copied().map(Origin::Continued);
        let restarted = trust.has(Action::Restart).then_some(Origin::Restarted);
        for origin in read.chain([Origin::Started]).chain(restarted) {
            if let Some(counter) = counters.of(origin) {
                counter.define(host, &[("origin", origin.name())], "requests");
            }
        }
        counters
            .exporters
            .define(host, &[("origin", "exporter")], "requests");
        if trust.has(Action::Ignore) {
            counters
                .ignored
                .define(host, &[("origin", "ignored")], "requests");
        }
        if trust.has(Action::Strip) {
            counters.stripped.define(host, &[], "stripped");
        }
        counters.conflicts.define(host, &[], "conflicts");
        counters.abstained.define(host, &[], "abstained");
        counters.stood_aside.define(host, &[], "stood_aside");
        counters
            .native_override
            .define(host, &[], "native_override");
        counters
            .propagation_gap
            .define(host, &[], "propagation_gap");
        counters
    }

    pub fn request(&self, host: &mut impl Host, origin: Origin) {
        if let Some(counter) = self.of(origin) {
            // Beside a tracer also a format is continued that `extract` leaves out.
            counter.define(host, &[("origin", origin.name())], "requests");
            counter.increment(host);
        }
    }

    fn of(&self, origin: Origin) -> Option<&Counter> {
        match origin {
            Origin::Continued(format) => self.continued.get(format as usize),
            Origin::Started => Some(&self.started),
            Origin::Restarted => Some(&self.restarted),
        }
    }

    pub fn conflict(&self, host: &mut impl Host) {
        self.conflicts.increment(host);
    }

    pub fn left_alone(&self, host: &mut impl Host, why: LeftAlone) {
        match why {
            LeftAlone::NoRandomness => self.abstained.increment(host),
            LeftAlone::Exporters => self.exporters.increment(host),
            LeftAlone::Ignored => self.ignored.increment(host),
        }
    }

    pub fn stripped(&self, host: &mut impl Host) {
        self.stripped.increment(host);
    }

    pub fn stood_aside(&self, host: &mut impl Host) {
        self.stood_aside.increment(host);
    }

    pub fn native_override(&self, host: &mut impl Host) {
        self.native_override.increment(host);
    }

    pub fn propagation_gap(&self, host: &mut impl Host) {
        self.propagation_gap.increment(host);
    }

    pub fn rejected(&self, host: &mut impl Host, Rejection { format, reason }: Rejection) {
        let counter = self
            .rejected
            .get(format as usize)
            .and_then(|reasons| reasons.get(reason as usize));
        if let Some(counter) = counter {
            let labels = [("format", format.name()), ("reason", reason.name())];
            counter.define(host, &labels, "rejected_headers");
            counter.increment(host);
        }
    }
}

/// What became of the spans of one exporter.
#[derive(Debug, Default)]
pub struct SpanCounters {
    finished: Counter,
    exported: Counter,
    lost: [Counter; Loss::ALL.len()],
}

impl SpanCounters {
    pub fn new(host: &mut impl Host) -> Self {
        let counters = Self::default();
        counters.finished.define(host, &[], "finished_spans");
        counters
            .exported
            .define(host, &[("outcome", "exported")], "spans");
        for (loss, counter) in Loss::ALL.iter().zip(&counters.lost) {
            let labels = [("outcome", loss.outcome()), ("reason", loss.reason())];
            counter.define(host, &labels, "spans");
        }
        counters
    }

    pub fn finished(&self, host: &mut impl Host, count: usize) {
        self.finished.add(host, count);
    }

    pub fn exported(&self, host: &mut impl Host, count: usize) {
        self.exported.add(host, count);
    }

    pub fn lost(&self, host: &mut impl Host, loss: Loss, count: usize) {
        if let Some(counter) = self.lost.get(loss as usize) {
            counter.add(host, count);
        }
    }
}

/// Calls to a collector, by what it answered. Each code's counter is defined once: Envoy keeps a handle for every
/// definition as long as the VM lives.
#[derive(Debug, Default)]
pub struct RequestCounters(Vec<(String, Counter)>);

impl RequestCounters {
    pub fn count(&mut self, host: &mut impl Host, code: String) {
        if let Some((_, counter)) = self.0.iter().find(|(known, _)| *known == code) {
            return counter.increment(host);
        }
        let counter = Counter::default();
        counter.define(host, &[("code", &code)], "export_requests");
        counter.increment(host);
        self.0.push((code, counter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_spells_its_labels_for_envoys_stats_tags() {
        assert_eq!(stat_name(&[], "conflicts"), "throughline.conflicts");
        assert_eq!(
            stat_name(
                &[("format", "b3"), ("reason", "trace_id")],
                "rejected_headers"
            ),
            "format=.=b3;.;reason=.=trace_id;.;throughline.rejected_headers"
        );
    }

    #[test]
    fn every_format_and_reason_has_its_place() {
        for (index, format) in Format::ALL.into_iter().enumerate() {
            assert_eq!(format as usize, index);
        }
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
        for (index, loss) in Loss::ALL.into_iter().enumerate() {
            assert_eq!(loss as usize, index);
        }
    }
}
