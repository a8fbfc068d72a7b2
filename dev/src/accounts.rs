//! What the filter says about its spans, on Envoy's Prometheus page.

use crate::envoy::{Envoy, prometheus};
use crate::mesh::Proxy;
use crate::poll;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// The labels of the filter's metrics; each needs a stats tag.
const LABELS: [&str; 6] = ["origin", "format", "reason", "version", "outcome", "code"];

/// The proxy with what [`Accounts`] needs.
pub fn labelled(proxy: Proxy) -> Proxy {
    LABELS.into_iter().fold(proxy, Proxy::stats_tag)
}

/// How many spans there were, and what became of them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Accounts {
    pub finished: u64,
    pub exported: u64,
    /// By reason, as `failed`: only those that happened.
    pub dropped: BTreeMap<String, u64>,
    pub failed: BTreeMap<String, u64>,
    /// Calls to the collector, by their answers.
    pub calls: BTreeMap<String, u64>,
    /// Whether an export says that it does not work.
    pub unreachable: bool,
}

impl Accounts {
    /// As they are now. Spans on their way are finished and nothing else yet.
    pub fn read(envoy: &Envoy) -> Result<Self> {
        let mut accounts = Self::default();
        for sample in prometheus::samples(&envoy.prometheus()?) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counters"
            )]
            let count = sample.value as u64;
            let reason = || sample.label("reason").to_owned();
            match (&*sample.metric, sample.label("outcome")) {
                ("throughline_finished_spans", _) => accounts.finished += count,
                ("throughline_spans", "exported") => accounts.exported += count,
                ("throughline_spans", _) if count == 0 => {}
                ("throughline_spans", "dropped") => {
                    *accounts.dropped.entry(reason()).or_default() += count;
                }
                ("throughline_spans", "failed") => {
                    *accounts.failed.entry(reason()).or_default() += count;
                }
                ("throughline_export_requests", _) => {
                    *accounts
                        .calls
                        .entry(sample.label("code").to_owned())
                        .or_default() += count;
                }
                ("throughline_export_unreachable", _) => accounts.unreachable |= count > 0,
                _ => {}
            }
        }
        Ok(accounts)
    }

    /// Waits until nothing is on its way: `finished` spans are finished, and each was exported, dropped or has failed.
    pub fn settled(envoy: &Envoy, finished: u64, patience: Duration) -> Result<Self> {
        let mut last = Self::default();
        let settled = poll::until_within(patience, "every span to be accounted for", || {
            last = Self::read(envoy)?;
            Ok((last.finished == finished && last.on_the_way() == 0).then(|| last.clone()))
        });
        settled.with_context(|| format!("of {finished} spans: {last:?}"))
    }

    /// Finished, and nothing else yet; below zero when a span was counted twice.
    pub fn on_the_way(&self) -> i128 {
        i128::from(self.finished) - i128::from(self.exported + self.dropped() + self.failed())
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    pub fn failed(&self) -> u64 {
        self.failed.values().sum()
    }
}
