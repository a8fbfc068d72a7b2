//! What Kiali asks Jaeger and Tempo for its pages, and what it makes of the answers: written after its source, whose files
//! and lines docs/backends.md names, so that a test can ask exactly that.

mod grpc;
mod jaeger;
mod span;
mod tempo;

pub use span::{Peer, Span, Workload};

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One of Kiali's searches: the traces of an application of the last ten minutes.
#[derive(Clone, Debug)]
pub struct Search {
    /// As spans name it: `<app>.<namespace>`, or `<app>` where `namespace_selector` is off.
    pub service: String,
    /// The cluster's name, which every search names too.
    pub cluster: String,
    /// “Show only traces with errors”.
    pub only_errors: bool,
    /// For the least duration that is searched.
    pub min_duration: Duration,
}

impl Search {
    /// As Kiali asks by itself, in a cluster with Istio's usual name.
    pub fn new(app: &str, namespace: &str) -> Self {
        Self {
            service: format!("{app}.{namespace}"),
            cluster: "Kubernetes".to_owned(),
            only_errors: false,
            min_duration: Duration::ZERO,
        }
    }

    /// The tags that a span must have.
    fn tags(&self) -> Vec<(&str, &str)> {
        let mut tags = vec![("istio.cluster_id", self.cluster.as_str())];
        if self.only_errors {
            tags.push(("error", "true"));
        }
        tags
    }
}

/// At most so many traces.
const LIMIT: u32 = 100;

/// The first and the last second that are searched.
fn times() -> (i64, i64) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // The seconds since 1970 fit for some time to come.
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    // Kiali's own clock is at the current part of a second; ours must not miss what happened in it.
    (now - 600, now + 1)
}
