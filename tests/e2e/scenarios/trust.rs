use anyhow::{Context, Result};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Authority, Cluster, Listener, Node, Plugin, Proxy, Route};

pub fn probe(release: Release, module: &Path) -> Result<()> {
    let authority = Authority::new("mesh")?;
    let app = App::start()?;
    let paths = [
        ("mtls", "connection.mtls", "bool"),
        ("san", "connection.uri_san_peer_certificate", "string"),
        ("source", "source.address", "string"),
        ("cluster", "xds.cluster_name", "string"),
        (
            "external",
            r"xds.cluster_metadata.filter_metadata.istio.external",
            "bool",
        ),
        ("peer", r"filter_state.io\.istio\.peer_principal", "string"),
    ];
    let tags: serde_json::Map<_, _> = paths
        .iter()
        .map(|(n, p, t)| (n.to_string(), json!({"attribute": {"path": p, "type": t}})))
        .collect();
    let plugin = Plugin::new(
        module,
        &json!({"customTags": tags, "tags": {"to": ["header:x-{tag}"]}}),
    );
    let server = authority.certify("cluster.local/ns/bookinfo/sa/reviews")?;
    let state = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config",
        "on_new_connection": [{"object_key": "io.istio.peer_principal", "factory_key": "envoy.string", "format_string": {"text_format_source": {"inline_string": "spiffe://cluster.local/ns/a/sa/b"}}}]});
    let target = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(
            Listener::inbound("plain")
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .listener(
            Listener::inbound("mtls")
                .mtls(&server)
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .listener(
            Listener::inbound("xff")
                .plugin(&plugin)
                .merge(&json!({"use_remote_address": true, "xff_num_trusted_hops": 1}))
                .route(Route::any("app")),
        )
        .listener(
            Listener::inbound("hbone")
                .network_filter("state", &state)
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .listener(
            Listener::outbound("outbound")
                .plugin(&plugin)
                .route(Route::host("external", "external"))
                .route(Route::host("passthrough", "PassthroughCluster")),
        )
        .cluster(Cluster::new("app", app.address()))
        .cluster(Cluster::new("external", app.address()).external())
        .cluster(Cluster::new("PassthroughCluster", app.address()))
        .start(&release.binary()?)?;
    let peer = authority.certify("cluster.local/ns/bookinfo/sa/productpage")?;
    let caller = Proxy::new(Node::plain("caller"))
        .listener(Listener::plain("productpage").route(Route::any("mtls")))
        .cluster(Cluster::new("mtls", target.listener("mtls")?).mtls(&peer))
        .start(&release.binary()?)?;
    for (what, to, host) in [
        ("plain", target.listener("plain")?, "a"),
        ("mtls", caller.listener("productpage")?, "a"),
        ("xff", target.listener("xff")?, "a"),
        ("hbone", target.listener("hbone")?, "a"),
        ("external", target.listener("outbound")?, "external"),
        ("passthrough", target.listener("outbound")?, "passthrough"),
    ] {
        let answer = client::send(
            to,
            &Request::get("/")
                .header("host", host)
                .header("x-forwarded-for", "1.2.3.4"),
        )?;
        println!("{release} {what} {}", answer.status);
        let seen = app.take_seen().pop().context("none")?;
        for (n, _, _) in paths {
            println!(
                "   {n} {:?}",
                seen.headers
                    .get(&format!("x-{n}"))
                    .map(|v| String::from_utf8_lossy(v).into_owned())
            );
        }
    }
    println!("{}", target.log_tail(5));
    Ok(())
}
