//! The destination as OpenTelemetry's variables give it.

use super::{
    super::{Environment, Problem, environment::non_empty},
    destination::{MAX_NAME, full_name, is_host_byte},
};
use crate::export::{Destination, Protocol};

/// OTEL_EXPORTER_OTLP_(TRACES_)ENDPOINT: `http://host:port/path`, or for gRPC `host:port`.
pub struct Endpoint {
    host: String,
    port: Option<u16>,
    path: String,
    /// The variable for all signals has the base of the path.
    is_base: bool,
}

impl Endpoint {
    pub fn of(environment: &impl Environment) -> Result<Option<Self>, Problem> {
        const NAMES: [(&str, bool); 2] = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", false),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", true),
        ];
        for (name, is_base) in NAMES {
            if let Some(text) = non_empty(environment, name) {
                // Not shown: it may hold a password.
                let problem = |message| Err(Problem::new(name, message));
                // Taken for http it would send the spans, and a key in a header, in clear.
                if text.starts_with("https:") {
                    return problem(
                        "https is for Envoy's cluster to speak; write http://host:port with a DestinationRule that \
                         originates TLS, or name the cluster in export.cluster",
                    );
                }
                return match Self::parse(&text, is_base) {
                    Some(endpoint) => Ok(Some(endpoint)),
                    None => problem(
                        "expected http://host:port with an optional path (no user, no spaces)",
                    ),
                };
            }
        }
        Ok(None)
    }

    fn parse(text: &str, is_base: bool) -> Option<Self> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return None,
            None => text,
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (authority, None),
        };
        let is_good = !host.is_empty()
            && host.bytes().all(is_host_byte)
            && path.bytes().all(|byte| byte.is_ascii_graphic())
            && text.len() <= MAX_NAME;
        is_good.then(|| Self {
            host: full_name(host),
            port,
            path: path.trim_end_matches('/').to_owned(),
            is_base,
        })
    }

    /// The destination, and the path where it gives one.
    pub fn resolve(self, protocol: Protocol) -> (Destination, Option<String>) {
        let destination = Destination::Service {
            host: self.host,
            port: self.port.unwrap_or_else(|| protocol.default_port()),
        };
        let path = match protocol {
            Protocol::OtlpGrpc => None,
            _ if self.is_base => Some(self.path + protocol.default_path()),
            _ if self.path.is_empty() => Some("/".to_owned()),
            _ => Some(self.path),
        };
        (destination, path)
    }
}
