//! The tree of spans that a request must leave, from Bookinfo's shape and what Envoys logged of it.

use super::request::Request;
use super::wire::Line;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use throughline_dev::backends::Span;
use throughline_dev::bookinfo::{Bookinfo, GATEWAY, NAMESPACE, PATH};
use throughline_dev::receiver::{Code, Kind, Protocol};

/// A span that must be there.
#[derive(Clone, Debug)]
pub struct Expected {
    pub span_id: String,
    pub parent_id: Option<String>,
    pub name: &'static str,
    pub kind: Kind,
    pub service: String,
    pub status: Code,
    pub attributes: BTreeMap<&'static str, String>,
}

/// The name of a service, as Istio's APP_LABEL_AND_NAMESPACE makes it.
pub fn service(name: &str) -> String {
    match name {
        GATEWAY => "istio-ingressgateway.istio-system".to_owned(),
        name => format!("{name}.{NAMESPACE}"),
    }
}

/// The spans of a request, each after its parent.
pub fn expected(bookinfo: &Bookinfo, request: &Request, lines: &[Line]) -> Result<Vec<Expected>> {
    let line = |envoy: &str, listener: &str, path: &str| {
        let found = lines.iter().find(|line| {
            (line.envoy, line.listener, line.path.as_str()) == (envoy, listener, path)
        });
        found.with_context(|| format!("{envoy} logged no {path} of its {listener} listener"))
    };
    let root = line(GATEWAY, "outbound", PATH)?;
    let mut servers = BTreeMap::from([(GATEWAY, root.span_id.clone())]);
    let mut spans = vec![span(
        root,
        GATEWAY,
        Kind::Server,
        None,
        request,
        request.status,
    )];
    for (caller, callee) in request.hops(bookinfo) {
        let (path, answer) = (bookinfo.service(callee)?.path, request.answer(callee));
        let mut client = line(caller, "outbound", path)?.clone();
        client.span_id.clone_from(&client.left_as);
        let parent = servers.get(caller).cloned();
        spans.push(span(&client, caller, Kind::Client, parent, request, answer));
        let server = line(callee, "inbound", path)?;
        let parent = Some(client.span_id.clone());
        spans.push(span(server, callee, Kind::Server, parent, request, answer));
        servers.insert(callee, server.span_id.clone());
    }
    Ok(spans)
}

fn span(
    line: &Line,
    name: &str,
    kind: Kind,
    parent_id: Option<String>,
    request: &Request,
    answer: u16,
) -> Expected {
    let failed = match kind {
        Kind::Client => answer >= 400,
        _ => answer >= 500,
    };
    let namespace = match name {
        GATEWAY => "istio-system",
        _ => NAMESPACE,
    };
    let canonical = match name {
        GATEWAY => "istio-ingressgateway",
        name => name,
    };
    let mut attributes = line.attributes.clone();
    // The other side's, of which the span does not tell.
    attributes.remove(match kind {
        Kind::Client => "client.port",
        _ => "upstream_address",
    });
    let mut must = |key, value: &str| attributes.insert(key, value.to_owned());
    must("http.request.method", request.method);
    must("http.method", request.method);
    must("http.status_code", &answer.to_string());
    must("http.response.status_code", &answer.to_string());
    must("component", "proxy");
    must("istio.canonical_service", canonical);
    must("istio.canonical_revision", "v1");
    must("istio.namespace", namespace);
    must("istio.mesh_id", "cluster.local");
    must("istio.cluster_id", "Kubernetes");
    must("response_flags", "-");
    match kind {
        Kind::Server => must("url.path", &line.path),
        _ => must("peer.service", &service_of_cluster(line)),
    };
    if failed {
        must("error.type", &answer.to_string());
    }
    Expected {
        span_id: line.span_id.clone(),
        parent_id,
        name: request.method,
        kind,
        service: service(name),
        status: if failed { Code::Error } else { Code::Unset },
        attributes,
    }
}

/// `reviews.bookinfo` of `outbound|9080||reviews.bookinfo.svc.cluster.local`.
fn service_of_cluster(line: &Line) -> String {
    let cluster = line.attributes.get("upstream_cluster");
    let host = cluster.and_then(|cluster| cluster.rsplit('|').next());
    let parts: Vec<_> = host.unwrap_or_default().split('.').take(2).collect();
    parts.join(".")
}

impl Expected {
    /// Fails unless the span is this one. Attributes that a span has are held to those here, which must all be there.
    pub fn check(&self, span: &Span, protocol: Protocol) -> Result<()> {
        let name = match protocol {
            // Zipkin's format has names in lower case.
            Protocol::Zipkin => self.name.to_lowercase(),
            _ => self.name.to_owned(),
        };
        let found = (&span.span_id, &span.parent_id, &span.name, span.kind);
        let expected = (&self.span_id, &self.parent_id, &name, self.kind);
        ensure!(found == expected, "{found:?}, not {expected:?}");
        let found = (&span.service, span.status);
        let expected = (&self.service, self.status);
        ensure!(found == expected, "{found:?}, not {expected:?}");
        ensure!(span.duration_ns > 0, "it took no time: {span:?}");
        for (key, value) in &self.attributes {
            let found = span.attributes.get(*key);
            ensure!(
                found == Some(value),
                "{key} is {found:?}, not {value:?}, in {span:#?}"
            );
        }
        Ok(())
    }
}
