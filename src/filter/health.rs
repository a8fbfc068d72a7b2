//! Says once that spans do not arrive, why, and what to do; and once that they do again.

use super::{host::Host, lines, metrics::Gauge, process};
use crate::{
    export::{Answer, Destination, ExportSettings, Loss, Protocol, Reply},
    text::one_line,
};

/// Between two lines that say that spans do not leave: a minute.
const QUIET: u64 = 60_000_000_000;

/// Workers that change the gauge at the same moment, each once.
const TRIES: usize = 64;

#[derive(Debug)]
pub struct Health {
    /// `cluster`, as it is named in the log.
    destination: String,
    fix: String,
    /// Which of the process's exporters this is: one for each worker and configuration.
    id: u64,
    gauge: Gauge,
    /// Whether the log's last word is that spans do not leave.
    is_failing: bool,
    /// Whether the gauge counts this one.
    is_unreachable: bool,
    said_drops: bool,
    said_refusals: bool,
    /// What was last said of a failure, and when, in nanoseconds since the epoch.
    failure: String,
    said_failure: Option<u64>,
    is_grpc: bool,
    has_ended: bool,
}

impl Health {
    pub fn new(host: &mut impl Host, cluster: &str, settings: &ExportSettings) -> Self {
        let fix = match (&settings.destination, settings.protocol) {
            (Destination::Cluster(_), Protocol::OtlpGrpc) => {
                "add the cluster to Envoy, with HTTP/2 (explicit_http_config.http2_protocol_options)".to_owned()
            }
            (Destination::Cluster(_), _) => "add the cluster to Envoy".to_owned(),
            (Destination::Service { port, .. }, Protocol::OtlpGrpc) => format!(
                "the mesh needs a Service or ServiceEntry of that host whose port {port} is named grpc-… \
                 (appProtocol: grpc), for Envoy to speak HTTP/2 to it; waypoints and gateways know it from an \
                 extensionProvider"
            ),
            (Destination::Service { port, .. }, _) => format!(
                "the mesh needs a Service or ServiceEntry of that host with port {port} (named http-…); waypoints \
                 and gateways know it from an extensionProvider"
            ),
        };
        let mut id = [0; 8];
        // Without randomness all exporters are one, and the last of them to say something is right.
        let _ = host.fill(&mut id);
        let mut health = Self {
            id: u64::from_le_bytes(id),
            gauge: Gauge::define(host, &[], "export_unreachable"),
            destination: format!("{} to cluster {cluster}", settings.protocol.name()),
            fix,
            is_failing: false,
            is_unreachable: false,
            said_drops: false,
            said_refusals: false,
            failure: String::new(),
            said_failure: None,
            has_ended: false,
            is_grpc: settings.protocol == Protocol::OtlpGrpc,
        };
        health.set_unreachable(host, false);
        health
    }

    /// The gauge is the process's: it is 1 as long as any of its exporters reaches no collector.
    fn set_unreachable(&mut self, host: &mut impl Host, is_unreachable: bool) {
        // What comes after the end must not be left in the gauge for good.
        let is_unreachable = is_unreachable && !self.has_ended;
        self.is_unreachable = is_unreachable;
        process::set_unreachable(host, self.id, is_unreachable);
        // Another worker may record between our reading and our writing; whoever writes last has looked again.
        let mut recorded = None;
        for _ in 0..TRIES {
            let any = process::any_unreachable(host);
            if recorded == Some(any) {
                break;
            }
            self.gauge.record(host, u64::from(any));
            recorded = Some(any);
        }
    }

    /// The exporter is going, and nobody may be there when its last calls end.
    pub fn end(&mut self, host: &mut impl Host) {
        self.has_ended = true;
        if self.is_unreachable {
            self.set_unreachable(host, false);
        }
    }

    /// Envoy has no such cluster, or the cluster has no host.
    pub fn unreachable(&mut self, host: &mut impl Host) {
        let why = format!("Envoy has no such cluster, or no host in it: {}", self.fix);
        self.fail(host, &why);
    }

    pub fn judge(&mut self, host: &mut impl Host, answer: Answer, reply: &Reply) {
        match answer {
            Answer::Accepted => self.recover(host),
            Answer::Partial { .. } => {
                self.recover(host);
                self.refused(host, reply);
            }
            Answer::Retry { .. } if reply.status == 0 => self.fail(host, "no answer"),
            // Envoy itself answers where it cannot speak HTTP/2.
            Answer::Retry { .. } if self.is_grpc && !is_throttled(reply) => {
                let why = format!(
                    "the answer was {}; will try again. If it stays so: {}",
                    reply.describe(),
                    self.fix
                );
                self.fail(host, &why);
            }
            Answer::Retry { .. } => {
                let why = format!("the answer was {}; will try again", reply.describe());
                if is_throttled(reply) {
                    self.fail_though_reached(host, &why);
                } else {
                    self.fail(host, &why);
                }
            }
            Answer::Rejected => {
                let why = format!("refused: {}", reply.describe());
                self.fail_though_reached(host, &why);
            }
            Answer::Garbled => {
                let why = format!(
                    "what answers there is no collector of this protocol ({}): check port, path and protocol",
                    reply.describe(),
                );
                self.fail_though_reached(host, &why);
            }
        }
    }

    /// Once for all of them: the counters say how many.
    pub fn dropped(&mut self, host: &mut impl Host, loss: Loss) {
        if !self.said_drops {
            self.said_drops = true;
            let line = lines::spans_dropped(&self.destination, loss.reason());
            say(host, log::Level::Warn, &line);
        }
    }

    /// A part of a batch: the collector is well, and says why.
    fn refused(&mut self, host: &mut impl Host, reply: &Reply) {
        if !self.said_refusals {
            self.said_refusals = true;
            let line = lines::spans_refused(&self.destination, &reply.describe());
            say(host, log::Level::Warn, &line);
        }
    }

    fn fail(&mut self, host: &mut impl Host, why: &str) {
        if !self.is_unreachable {
            self.set_unreachable(host, true);
        }
        self.say_failure(host, why);
    }

    fn fail_though_reached(&mut self, host: &mut impl Host, why: &str) {
        if self.is_unreachable {
            self.set_unreachable(host, false);
        }
        self.say_failure(host, why);
    }

    fn say_failure(&mut self, host: &mut impl Host, why: &str) {
        let now = host.now();
        // Where failures and successes take turns, one pair of lines a while is enough.
        let is_quiet = self
            .said_failure
            .is_none_or(|said| now.saturating_sub(said) >= QUIET);
        if !self.is_failing && is_quiet {
            self.is_failing = true;
            self.said_failure = Some(now);
            // Whichever of the two is said next is news, however soon.
            process::forget(host, &[lines::export_works(&self.destination).as_bytes()]);
            self.failure = lines::export_fails(&self.destination, why);
            say(host, log::Level::Error, &self.failure);
        }
    }

    fn recover(&mut self, host: &mut impl Host) {
        if self.is_unreachable {
            self.set_unreachable(host, false);
        }
        if self.is_failing {
            self.is_failing = false;
            process::forget(host, &[self.failure.as_bytes()]);
            let line = lines::export_works(&self.destination);
            say(host, log::Level::Warn, &line);
        }
        self.said_drops = false;
    }
}

/// A collector that asks for patience has been reached: HTTP's 429, gRPC's RESOURCE_EXHAUSTED.
fn is_throttled(reply: &Reply) -> bool {
    matches!((reply.status, reply.grpc_status), (429, _) | (_, Some(8)))
}

/// Says it unless another worker just did.
fn say(host: &mut impl Host, level: log::Level, line: &str) {
    if process::is_news(host, &[line.as_bytes()]) {
        host.log(level, &one_line(line));
    }
}
