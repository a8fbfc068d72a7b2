//! Where spans go: whether Envoy knows the way.

use super::count;
use crate::doctor::case::Case;
use crate::doctor::finding::{Code, Finding};
use crate::doctor::input::{Cluster, Protocol};
use throughline::export::{Destination, ExportSettings, Protocol as Export};

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    let mut known = Vec::new();
    for settings in case.settings() {
        let Some(export) = &settings.export else {
            continue;
        };
        // Two plugins may share a destination; one finding is enough.
        let way = (export.destination.cluster(), export.protocol);
        if !known.contains(&way) {
            found.extend(way_out(case, export));
            known.push(way);
        }
    }
}

fn way_out(case: &Case, export: &ExportSettings) -> Vec<Finding> {
    let name = export.destination.cluster();
    let Some(clusters) = &case.clusters else {
        return Vec::new();
    };
    let Some(cluster) = clusters.get(&name) else {
        return vec![missing(case, export, &name)];
    };
    let mut found = Vec::new();
    if export.protocol == Export::OtlpGrpc && cluster.protocol == Protocol::Http1 {
        found.push(not_http2(export, &name));
    }
    found.extend(hosts(case, cluster));
    found
}

fn missing(case: &Case, export: &ExportSettings, name: &str) -> Finding {
    let fix = match &export.destination {
        Destination::Service { host, port } => format!(
            "Is it the service's full name and port? kubectl get service -A | grep {}\n\
             A sidecar sees only what its Sidecar resource and exportTo let it see; waypoints and gateways know a collector from an \
             extensionProvider (MeshConfig):\n\
             \x20 extensionProviders:\n\
             \x20 - name: throughline-spans\n\
             \x20   {}: {{service: {host}, port: {port}}}",
            host.split('.').next().unwrap_or_default(),
            match export.protocol {
                Export::Zipkin => "zipkin",
                _ => "opentelemetry",
            },
        ),
        Destination::Cluster(_) => {
            let near = case.clusters.iter().flatten().map(|(name, _)| &**name);
            let near: Vec<&str> = near.filter(|known| !known.contains('|')).take(8).collect();
            format!(
                "Set export.cluster to one that is there ({}), or add it to Envoy's clusters{}.",
                if near.is_empty() {
                    "none".to_owned()
                } else {
                    near.join(", ")
                },
                match export.protocol {
                    Export::OtlpGrpc => ", with explicit_http_config: {http2_protocol_options: {}}",
                    _ => "",
                }
            )
        }
    };
    Finding::new(
        Code::ClusterMissing,
        format!("Spans have no way out: Envoy has no cluster {name}"),
        format!(
            "export sends {} there; every span waits, and is dropped in the end.",
            export.protocol.name()
        ),
        fix,
    )
}

fn not_http2(export: &ExportSettings, name: &str) -> Finding {
    Finding::new(
        Code::ClusterNotHttp2,
        format!("otlp-grpc cannot leave: Envoy speaks HTTP/1.1 to {name}"),
        "gRPC needs HTTP/2; every call fails.",
        match &export.destination {
            Destination::Service { port, .. } => format!(
                "Name the Service's port for gRPC:\n\
                 \x20 ports:\n\
                 \x20 - {{name: grpc-otlp, port: {port}}}          # or appProtocol: grpc\n\
                 Or export over HTTP: protocol: otlp-http, port: 4318"
            ),
            Destination::Cluster(_) => "In the cluster:\n\
                 \x20 typed_extension_protocol_options:\n\
                 \x20   envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n\
                 \x20     \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n\
                 \x20     explicit_http_config: {http2_protocol_options: {}}"
                .to_owned(),
        },
    )
}

fn hosts(case: &Case, cluster: &Cluster) -> Option<Finding> {
    // What runs says more than what was configured.
    let hosts = case.hosts.get(&cluster.name).copied().or(cluster.hosts);
    let name = &cluster.name;
    if cluster.is_original_destination {
        return Some(Finding::new(
            Code::ClusterWithoutHosts,
            format!("Spans have nobody to go to: the service of {name} is headless"),
            "Its cluster (ORIGINAL_DST) sends each connection where it was going to, and spans were going nowhere yet.",
            "Name a Service with a cluster IP in export.service: the collector's own, or a second one with the same selector.\n\
             \x20 kubectl get service -A      # CLUSTER-IP None is headless",
        ));
    }
    let hosts = hosts?;
    let look = if case.is_istio() {
        "Do pods run, and are they ready? kubectl get endpointslices -A | grep -i SERVICE\n\
         istioctl proxy-config endpoint POD | grep SERVICE"
    } else {
        "Add an endpoint to its load_assignment, or see why discovery finds none (Envoy's log)."
    };
    if hosts.all == 0 {
        return Some(Finding::new(
            Code::ClusterWithoutHosts,
            format!("Spans have nobody to go to: the cluster {name} has no hosts"),
            "Every span waits, and is dropped in the end.",
            look,
        ));
    }
    (hosts.healthy == 0).then(|| {
        Finding::new(
            Code::HostsUnhealthy,
            format!(
                "Of the {} of {name} none is healthy",
                count(u64::try_from(hosts.all).unwrap_or(u64::MAX), "host")
            ),
            "Health checks or outlier detection have taken them out.",
            look,
        )
    })
}
