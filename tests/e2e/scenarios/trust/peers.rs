//! Who sends, and from where.

use super::{TRACEPARENT, arrives, done};
use crate::stage::check_health;
use anyhow::{Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::Request;
use throughline_dev::mesh::{Authority, Cluster, Listener, Node, Plugin, Proxy, Route};

/// Peers with certificates of the mesh, and without: directly, and by what Istio leaves of an HBONE tunnel's.
pub fn identities(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    let rules = json!({
        "trust": [
            {"match": {"principals": ["cluster.local/ns/batch/*"]}, "action": "ignore"},
            {"match": {"principals": ["*/sa/legacy"]}, "action": "strip"},
            {"match": {"peer": "unauthenticated"}, "action": "restart"},
        ],
        "sampling": {"forceHeader": "x-trace-force"},
    });
    let plugin = Plugin::new(module, &rules);
    let mesh = Authority::new("mesh")?;
    let inbound = |name: &str| {
        let listener = Listener::inbound(name).plugin(&plugin);
        listener.route(Route::any("app"))
    };
    let tunnel =
        |name: &str, peer: &str| inbound(name).network_filter("peer", &left_by_istio(peer));
    let target = |node| {
        let reviews = mesh.certify("cluster.local/ns/bookinfo/sa/reviews")?;
        Proxy::new(node)
            .listener(inbound("plain"))
            .listener(inbound("mtls").mtls(&reviews))
            .listener(tunnel(
                "tunnel",
                "spiffe://cluster.local/ns/bookinfo/sa/productpage",
            ))
            .listener(tunnel(
                "batch-tunnel",
                "spiffe://cluster.local/ns/batch/sa/night",
            ))
            .listener(tunnel("nobody-tunnel", "-"))
            .listener(
                Listener::outbound("outbound")
                    .plugin(&plugin)
                    .route(Route::any("app")),
            )
            .cluster(Cluster::new("app", app.address()))
            .start(&release.binary()?)
    };
    for (node, of_outbound) in [
        (
            Node::sidecar("reviews", "reviews-v1", "bookinfo"),
            "continue",
        ),
        (Node::waypoint("waypoint", "bookinfo"), "restart"),
        (
            Node::gateway("istio-ingressgateway", "istio-system"),
            "restart",
        ),
        (Node::plain("edge"), "restart"),
    ] {
        let kind = node.kind();
        let envoy = target(node)?;
        let mut caller = Proxy::new(Node::plain("callers"));
        for (namespace, account) in [
            ("bookinfo", "productpage"),
            ("batch", "night"),
            ("bookinfo", "legacy"),
        ] {
            let principal = format!("cluster.local/ns/{namespace}/sa/{account}");
            let cluster = Cluster::new(account, envoy.listener("mtls")?);
            caller = caller
                .listener(Listener::plain(account).route(Route::any(account)))
                .cluster(cluster.mtls(&mesh.certify(&principal)?));
        }
        let callers = caller.start(&release.binary()?)?;
        for (what, to, expected, may_force) in [
            ("no certificate", envoy.listener("plain")?, "restart", false),
            (
                "one of the mesh",
                callers.listener("productpage")?,
                "continue",
                true,
            ),
            (
                "another namespace's",
                callers.listener("night")?,
                "ignore",
                true,
            ),
            (
                "another account's",
                callers.listener("legacy")?,
                "strip",
                false,
            ),
            ("by a tunnel", envoy.listener("tunnel")?, "continue", true),
            (
                "another by a tunnel",
                envoy.listener("batch-tunnel")?,
                "ignore",
                true,
            ),
            (
                "nobody by a tunnel",
                envoy.listener("nobody-tunnel")?,
                "restart",
                false,
            ),
            (
                "the application",
                envoy.listener("outbound")?,
                of_outbound,
                of_outbound == "continue",
            ),
        ] {
            let request = Request::get("/").header("traceparent", TRACEPARENT);
            let seen = arrives(to, &app, &request)?;
            ensure!(
                done(&seen) == expected,
                "{kind:?}, {what}: not {expected}: {seen:?}"
            );
            // What would force goes no further than who may.
            let seen = arrives(to, &app, &request.header("x-trace-force", "1"))?;
            ensure!(
                seen.get("x-trace-force").is_some() == may_force,
                "{kind:?}, {what}: {seen:?}"
            );
        }
        check_health(&envoy)?;
    }
    Ok(())
}

/// What a waypoint's tunnel leaves with the connection within.
fn left_by_istio(peer: &str) -> serde_json::Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config",
        "on_new_connection": [{
            "object_key": "io.istio.peer_principal",
            "factory_key": "envoy.string",
            "format_string": {"text_format_source": {"inline_string": peer}},
        }],
    })
}

/// Addresses, and those that a header only claims.
pub fn addresses(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    let rules = json!({"trust": [
        {"match": {"sourceCidrs": ["10.0.0.0/8"]}, "action": "continue"},
        {"match": {"sourceCidrs": ["192.168.0.0/16"]}, "action": "strip"},
        {"match": {"sourceCidrs": ["127.0.0.1"]}, "action": "ignore"},
        {"match": {"hosts": ["*"]}, "action": "restart"},
    ]});
    let plugin = Plugin::new(module, &rules);
    let listener = |listener: Listener| listener.plugin(&plugin).route(Route::any("app"));
    let behind_a_proxy = json!({"use_remote_address": true, "xff_num_trusted_hops": 1});
    let edge = json!({"use_remote_address": true});
    let gateway = Proxy::new(Node::gateway("istio-ingressgateway", "istio-system"))
        .listener(listener(Listener::outbound("behind")).merge(&behind_a_proxy))
        .listener(listener(Listener::outbound("edge")).merge(&edge))
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let sidecar = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(listener(Listener::inbound("inbound")))
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let (behind, edge) = (gateway.listener("behind")?, gateway.listener("edge")?);
    let inbound = sidecar.listener("inbound")?;
    for (what, to, claimed, expected) in [
        ("inside", behind, Some("10.1.2.3"), "continue"),
        (
            "the last of them",
            behind,
            Some("10.1.2.3, 192.168.1.1"),
            "strip",
        ),
        ("elsewhere", behind, Some("11.1.2.3"), "restart"),
        ("IPv6", behind, Some("fd00::1"), "restart"),
        ("the edge believes nobody", edge, Some("10.1.2.3"), "ignore"),
        ("what is so", inbound, None, "ignore"),
        // A stranger that claims to be inside is stripped as the first who is not to be trusted is.
        ("what a stranger claims", inbound, Some("10.1.2.3"), "strip"),
        ("whatever it is", inbound, Some("127.0.0.1"), "strip"),
    ] {
        let mut request = Request::get("/").header("traceparent", TRACEPARENT);
        if let Some(claimed) = claimed {
            request = request.header("x-forwarded-for", claimed);
        }
        let seen = arrives(to, &app, &request)?;
        ensure!(done(&seen) == expected, "{what}: not {expected}: {seen:?}");
    }
    check_health(&gateway)?;
    check_health(&sidecar)
}
