//! Where spans go: a service of the mesh, or a cluster of Envoy's.

use super::super::{Problem, reader::Node};
use crate::export::{Destination, Protocol};

/// In bytes, of names and paths.
pub const MAX_NAME: usize = 256;

/// `None` where none of the fields is there.
pub fn configured(
    cluster: Option<Node<'_>>,
    service: Option<Node<'_>>,
    port: Option<Node<'_>>,
    protocol: Protocol,
) -> Result<Option<Destination>, Problem> {
    match (cluster, service, port) {
        (Some(node), Some(_), _) => Err(node.problem("service is given too; keep one of them")),
        (Some(_), None, Some(node)) => {
            Err(node.problem("goes with service; a cluster of Envoy's has its port already"))
        }
        (Some(node), None, None) => Ok(Some(Destination::Cluster(name(&node)?.to_owned()))),
        (None, Some(node), port) => {
            let host = name(&node)?;
            if !host.bytes().all(is_host_byte) {
                return Err(node.expected("a host such as tempo.monitoring.svc.cluster.local (the port has a field of its own)"));
            }
            let port = match port {
                Some(node) => node.integer(1, 65_535)?,
                None => protocol.default_port().into(),
            };
            Ok(Some(Destination::Service {
                host: full_name(host),
                port: u16::try_from(port).unwrap_or(u16::MAX),
            }))
        }
        (None, None, Some(node)) => Err(node.problem("needs service beside it")),
        (None, None, None) => Ok(None),
    }
}

fn name<'a>(node: &Node<'a>) -> Result<&'a str, Problem> {
    let text = node.string()?;
    if text.contains("://") {
        return Err(node.problem("expected a name, not a URL: leave off http:// or https://"));
    }
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(node.expected("a name of 1 to 256 bytes"));
    }
    Ok(text)
}

pub const fn is_host_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*')
}

/// Kubernetes' short form of a service's name, with the domain that Istio's clusters have.
pub fn full_name(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if host.ends_with(".svc") {
        host + ".cluster.local"
    } else {
        host
    }
}

pub fn path(node: &Node<'_>, protocol: Protocol) -> Result<String, Problem> {
    if protocol == Protocol::OtlpGrpc {
        return Err(node.problem("otlp-grpc has no path"));
    }
    let text = node.string()?;
    if !text.starts_with('/')
        || text.len() > MAX_NAME
        || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(
            node.expected("a path such as /v1/traces, which begins with / and has no spaces")
        );
    }
    Ok(text.to_owned())
}
