//! What a span tells of how the request ended.

use super::{
    Attributes, Kind, Remote, ResponseFlags, Semconv, grpc::Status, target::host_and_port,
};

/// How one request ended, as Envoy tells in its log phase.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// 0 where no response was sent.
    pub code: u64,
    pub flags: ResponseFlags,
    /// Envoy's reason for what it answered itself, such as `route_not_found`.
    pub details: Option<String>,
    pub grpc_status: Option<Status>,
    /// `HTTP/1.1` and the like, of the side that sent the request.
    pub protocol: Option<String>,
    /// The address of the side that sent the request.
    pub source: Option<String>,
    pub request_size: Option<i64>,
    pub response_size: Option<i64>,
    pub upstream: Upstream,
}

/// Where the request was sent.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    pub cluster: Option<String>,
    /// `None` where no host was ever chosen.
    pub address: Option<String>,
    /// How often the request was sent.
    pub attempts: u64,
    /// The callee, where its name is known.
    pub service: Option<String>,
}

impl Outcome {
    /// `error.type`, if the span is an error: the status code where there is one, else Envoy's reason
    /// (semantic conventions, http-spans.md, "Status").
    pub fn error(&self, kind: Kind) -> Option<String> {
        let threshold = match kind {
            Kind::Server => 500,
            Kind::Client => 400,
        };
        if self.code >= threshold {
            return Some(self.code.to_string());
        }
        if let Some(status) = self.grpc_status.filter(|status| status.is_error(kind)) {
            return Some(status.name().to_owned());
        }
        if self.code == 0 {
            return Some(self.flags.first_long().unwrap_or("_OTHER").to_owned());
        }
        let was_cut = ResponseFlags(self.flags.0 & CUT_OFF);
        was_cut.first_long().map(str::to_owned)
    }

    pub fn describe(&self, kind: Kind, semconv: Semconv, to: &mut impl Attributes) {
        let code = i64::try_from(self.code).unwrap_or(0);
        if code > 0 {
            if semconv.stable {
                to.int("http.response.status_code", code);
            }
            if semconv.legacy {
                to.int("http.status_code", code);
            }
        }
        to.text("response_flags", &self.flags.short());
        if let Some(details) = &self.details {
            to.text("response_code_details", details);
        }
        if let Some(status) = self.grpc_status {
            status.describe(semconv, to);
        }
        for (name, size) in [
            ("request_size", self.request_size),
            ("response_size", self.response_size),
        ] {
            if let Some(size) = size {
                to.int(name, size);
            }
        }
        match kind {
            Kind::Server => self.describe_source(semconv, to),
            Kind::Client => self.describe_upstream(semconv, to),
        }
        if let Some(cluster) = &self.upstream.cluster {
            to.text("upstream_cluster", cluster);
            to.text("upstream_cluster.name", cluster);
        }
        if let Some(error) = self.error(kind).filter(|_| semconv.stable) {
            to.text("error.type", &error);
        }
    }

    fn describe_source(&self, semconv: Semconv, to: &mut impl Attributes) {
        if let Some(protocol) = &self.protocol {
            if semconv.stable {
                to.text(
                    "network.protocol.version",
                    protocol.strip_prefix("HTTP/").unwrap_or(protocol),
                );
            }
            if semconv.legacy {
                to.text("http.protocol", protocol);
            }
        }
        if let Some(source) = &self.source {
            let (address, port) = host_and_port(source);
            if semconv.stable {
                to.text("client.address", address);
                // Envoy gives 0 where an address came in x-forwarded-for, which has no port.
                if let Some(port) = port.filter(|port| *port > 0) {
                    to.int("client.port", port.into());
                }
            }
            if semconv.legacy {
                to.text("peer.address", address);
            }
        }
    }

    fn describe_upstream(&self, semconv: Semconv, to: &mut impl Attributes) {
        let upstream = &self.upstream;
        if let Some(endpoint) = &upstream.address {
            let (address, port) = host_and_port(endpoint);
            if semconv.stable {
                to.text("network.peer.address", address);
                if let Some(port) = port {
                    to.int("network.peer.port", port.into());
                }
            }
            if semconv.legacy {
                to.text("upstream_address", endpoint);
                to.text("peer.address", address);
            }
        }
        if let Some(service) = &upstream.service
            && semconv.legacy
        {
            to.text("peer.service", service);
        }
        if upstream.attempts > 1 && semconv.stable {
            let resent = upstream.attempts.saturating_sub(1);
            to.int(
                "http.request.resend_count",
                i64::try_from(resent).unwrap_or(i64::MAX),
            );
        }
    }

    /// The other side, for formats that have a place for it.
    pub fn remote(&self, kind: Kind) -> Remote<'_> {
        match kind {
            Kind::Server => Remote {
                service: None,
                endpoint: self.source.as_deref(),
            },
            Kind::Client => Remote {
                service: self.upstream.service.as_deref(),
                endpoint: self.upstream.address.as_deref(),
            },
        }
    }
}

/// Flags of a response that was cut off although its status code says nothing of it: UT, LR, UR, UC, SI, DPE, UMSDR, UPE,
/// OM. Not DC and DR: a client that leaves a stream it has read enough of is no error.
const CUT_OFF: u64 =
    1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 16 | 1 << 18 | 1 << 19 | 1 << 23 | 1 << 25;
