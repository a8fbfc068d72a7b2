//! The proxies of the examples: in each, a listener for every example, with its configuration.

use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use throughline_dev::documentation::Example;
use throughline_dev::envoy::Envoy;
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, documented_access_log};
use throughline_dev::receiver::{Protocol, Receiver};

const APPLICATION: &str = "inbound|9080||";
const CALLEE: &str = "outbound|9080||reviews.bookinfo.svc.cluster.local";

/// Each example with the plugin of its configuration.
pub fn plugins<'a>(examples: &'a [Example], module: &Path) -> Vec<(&'a Example, Plugin)> {
    let plugin = |(number, example): (usize, &'a Example)| {
        let plugin = Plugin::new(module, &example.config)
            .named(&format!("example-{number}"))
            .environment("ENVIRONMENT", "production")
            .environment("API_KEY", "secret");
        (example, plugin)
    };
    examples.iter().enumerate().map(plugin).collect()
}

/// productpage's sidecar.
pub fn sidecar(
    plugins: &[(&Example, Plugin)],
    application: SocketAddr,
    callee: SocketAddr,
    collector: &Receiver,
) -> Result<Proxy> {
    let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
    let proxy = Proxy::new(node)
        .cluster(Cluster::new(APPLICATION, application))
        .cluster(Cluster::new(CALLEE, callee));
    let mut proxy = collectors(proxy, collector);
    let outside = hosts_outside(plugins);
    for host in &outside {
        proxy = proxy.cluster(Cluster::new(&service(host), callee));
    }
    for (number, (example, plugin)) in plugins.iter().enumerate() {
        let log = log(example)?;
        let inbound = Listener::inbound(&name("inbound", number)).route(Route::any(APPLICATION));
        let outbound = outside
            .iter()
            .fold(
                Listener::outbound(&name("outbound", number)),
                |listener, host| listener.route(Route::host(host, &service(host))),
            )
            .route(Route::any(CALLEE));
        for listener in [inbound, outbound] {
            proxy = proxy.listener(listener.log_only(&log).plugin(plugin));
        }
    }
    Ok(proxy)
}

/// The ingress gateway, for the examples that begin there.
pub fn gateway(
    plugins: &[(&Example, Plugin)],
    sidecar: &Envoy,
    collector: &Receiver,
) -> Result<Proxy> {
    let node = Node::gateway("istio-ingressgateway", "istio-system");
    let proxy = Proxy::new(node.label("istio", "ingressgateway"));
    let mut proxy = collectors(proxy, collector);
    for (number, (example, plugin)) in plugins.iter().enumerate() {
        if !example.exchanges.iter().any(|exchange| exchange.at_gateway) {
            continue;
        }
        // The port is the example's, as each has a listener of its own in the sidecar.
        let to = format!("outbound|{number}||productpage.bookinfo.svc.cluster.local");
        let listener = Listener::outbound(&name("gateway", number)).route(Route::any(&to));
        proxy = proxy
            .listener(listener.log_only(&log(example)?).plugin(plugin))
            .cluster(Cluster::new(
                &to,
                sidecar.listener(&name("inbound", number))?,
            ));
    }
    Ok(proxy)
}

/// The name of an example's listener.
pub fn name(listener: &str, number: usize) -> String {
    format!("{listener}-{number}")
}

/// The hosts that examples call and that are not of the mesh.
fn hosts_outside<'a>(plugins: &[(&'a Example, Plugin)]) -> BTreeSet<&'a str> {
    let calls = plugins
        .iter()
        .flat_map(|(example, _)| &example.exchanges)
        .filter_map(|exchange| exchange.call.as_ref());
    let hosts = calls
        .flat_map(|call| &call.headers)
        .filter(|(name, _)| name == "host");
    let hosts = hosts.filter_map(|(_, host)| host.split(':').next());
    hosts.filter(|host| !host.starts_with("reviews")).collect()
}

/// What Istio calls the cluster of such a host.
fn service(host: &str) -> String {
    format!("outbound|80||{host}")
}

/// The collector under each name and port that the pages use.
fn collectors(proxy: Proxy, collector: &Receiver) -> Proxy {
    [
        (4317, Protocol::OtlpGrpc),
        (4318, Protocol::OtlpHttp),
        (9411, Protocol::Zipkin),
    ]
    .into_iter()
    .fold(proxy, |proxy, (port, protocol)| {
        let name = format!("outbound|{port}||tempo.monitoring.svc.cluster.local");
        proxy.cluster(collector.cluster(&name, protocol))
    })
}

/// The format that users get, and the tags that the example shows, under their own names.
fn log(example: &Example) -> Result<BTreeMap<String, String>> {
    let mut format = documented_access_log()?;
    let shown = example
        .exchanges
        .iter()
        .flat_map(|exchange| exchange.access_log.keys());
    for key in shown {
        let state = |letter: char| match letter {
            '_' | '-' => letter,
            _ if letter.is_ascii_alphanumeric() => letter,
            _ => '_',
        };
        let tag: String = key.chars().map(state).collect();
        let value = format!("%FILTER_STATE(wasm.throughline.tag.{tag}:PLAIN)%");
        format.entry(key.clone()).or_insert(value);
    }
    Ok(format)
}
