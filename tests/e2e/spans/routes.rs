//! The routes that every listener has, and the filters that answer by themselves on some of them.

use serde_json::{Value, json};
use throughline_dev::mesh::{Cluster, Listener, Route};
use throughline_dev::refused::Refused;

use super::upstream::Upstream;

/// The upstream by its name in a mesh, for whatever reads Istio's names of clusters.
pub const REVIEWS: &str = "outbound|9080||reviews.bookinfo.svc.cluster.local";

/// Where a filter that answers by itself stands.
pub const PLACES: [&str; 2] = ["before", "after"];

/// Filters that answer by themselves: a name for the path, the filter's configuration, and the route's.
pub fn denials() -> Vec<(&'static str, Value, Value)> {
    let rbac = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3";
    let authz = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3";
    let fault = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
    let limit =
        "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
    let everything = json!({"permissions": [{"any": true}], "principals": [{"any": true}]});
    let all = json!({"numerator": 100, "denominator": "HUNDRED"});
    let enabled = json!({"runtime_key": "", "default_value": all});
    vec![
        (
            "rbac",
            json!({"@type": format!("{rbac}.RBAC")}),
            json!({"@type": format!("{rbac}.RBACPerRoute"), "rbac": {
                "rules": {"action": "DENY", "policies": {"everything": everything}},
            }}),
        ),
        (
            "authz",
            json!({"@type": format!("{authz}.ExtAuthz"), "http_service": {
                "server_uri": {"uri": "http://authz", "cluster": "upstream", "timeout": "30s"},
                "path_prefix": "/authz/403?",
            }}),
            json!({"@type": format!("{authz}.ExtAuthzPerRoute"), "check_settings": {}}),
        ),
        (
            "fault",
            json!({"@type": fault}),
            json!({"@type": fault, "abort": {"http_status": 503, "percentage": all}}),
        ),
        (
            "limit",
            json!({"@type": limit, "stat_prefix": "limit"}),
            // A bucket cannot be empty from the start: the first request passes.
            json!({"@type": limit, "stat_prefix": "limit",
                "token_bucket": {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "3600s"},
                "filter_enabled": enabled, "filter_enforced": enabled,
            }),
        ),
    ]
}

/// Gives a listener all of it.
pub fn furnish(listener: Listener) -> Listener {
    let listener = denials()
        .iter()
        .fold(listener, |listener, (name, config, _)| {
            listener
                .filter(&format!("before-{name}"), config)
                .later_filter(&format!("after-{name}"), config)
        });
    routes()
        .into_iter()
        .fold(listener.only_where_configured(), Listener::route)
        .merge(&json!({"upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]}))
        .merge(&json!({
            // One route leads to a cluster that is not there.
            "route_config": {"validate_clusters": false},
            // A client that waits for the end of a broken answer need not wait a second.
            "delayed_close_timeout": "0s",
        }))
}

fn routes() -> Vec<Route> {
    let to = |cluster: &str, prefix: &str| Route::any(cluster).prefix(prefix);
    let upstream =
        |prefix: &str, route: Value| to("upstream", prefix).merge(&json!({"route": route}));
    let mut routes = vec![
        // The CONNECT itself goes on, as through a waypoint.
        Route::connect("upstream")
            .merge(&json!({"route": {"upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": null}]}})),
        to("next", "/path/"),
        to("upstream", "/up/"),
        to("http2", "/bookinfo.Reviews/"),
        to(REVIEWS, "/reviews/"),
        to("app", "/tagged"),
        to("empty", "/no-host/"),
        to("refused", "/refused/"),
        to("full", "/overflow/"),
        to("missing", "/no-cluster/"),
        Route::answer(418, "tea").prefix("/direct/418"),
        Route::answer(200, "tea").prefix("/direct/200"),
        upstream("/timeout/", json!({"timeout": "0.02s"})),
        upstream("/idle/", json!({"idle_timeout": "0.02s"})),
        upstream("/duration/", json!({"max_stream_duration": {"max_stream_duration": "0.02s"}})),
        upstream("/try-timeout/", json!({"retry_policy": {
            "retry_on": "5xx", "num_retries": 1, "per_try_timeout": "0.02s",
            "retry_back_off": {"base_interval": "0.001s"},
        }})),
        upstream("/retried/", json!({"retry_policy": {
            "retry_on": "5xx", "num_retries": 2, "retry_back_off": {"base_interval": "0.001s"},
        }})),
        upstream("/redirected/", json!({"internal_redirect_policy": {"max_internal_redirects": 1}})),
    ];
    for (name, _, config) in denials() {
        for place in PLACES {
            let filter = format!("{place}-{name}");
            routes.push(
                to("upstream", &format!("/{name}/{place}/"))
                    .merge(&json!({"typed_per_filter_config": {filter: config}})),
            );
        }
    }
    routes
}

/// The clusters of these routes, except `next`.
pub fn clusters(upstream: &Upstream, refused: &Refused) -> Vec<Cluster> {
    let none = json!({"max_connections": 0, "max_pending_requests": 0});
    vec![
        fresh(Cluster::new("upstream", upstream.http1())),
        fresh(Cluster::new("app", upstream.http1())),
        fresh(Cluster::new(REVIEWS, upstream.http1())),
        Cluster::new("http2", upstream.http2()).http2(),
        Cluster::new("refused", refused.address()),
        Cluster::new("empty", upstream.http1())
            .merge(&json!({"load_assignment": {"endpoints": []}})),
        Cluster::new("full", upstream.http1())
            .merge(&json!({"circuit_breakers": {"thresholds": [none]}})),
    ]
}

/// A connection for each request: one that is used again may be closed by the other side at that very moment.
fn fresh(cluster: Cluster) -> Cluster {
    cluster.merge(&json!({"typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "common_http_protocol_options": {"max_requests_per_connection": 1},
        },
    }}))
}
