//! An API gateway without Istio, and a request that takes it more than two seconds: what one of the queries is about.

use super::destination::Destination;
use super::wire::Line;
use crate::check::PATIENCE;
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::thread;
use std::time::Duration;
use throughline_dev::envoy::{Release, chosen_binary};
use throughline_dev::http::{Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, merge};
use throughline_dev::poll;

/// Sends that request, and returns the id of its trace once it is there.
pub fn slow_post(module: &Path, to: Destination<'_>) -> Result<String> {
    let upstream = Server::start(|_| {
        thread::sleep(Duration::from_millis(2100));
        Response::ok("done\n")
    })?;
    let mut configuration = to.configuration();
    merge(
        &mut configuration,
        &json!({"service": {"name": "api-gateway"}}),
    );
    let listener = Listener::outbound("outbound")
        .route(Route::any("upstream"))
        .merge(&json!({"tracing": null}))
        .plugin(&Plugin::new(module, &configuration));
    let envoy = Proxy::new(Node::gateway("edge", "edge"))
        .cluster(Cluster::new("upstream", upstream.address()))
        .cluster(to.cluster())
        .listener(Line::logged(listener))
        .start(&chosen_binary(Release::NEWEST)?)?;
    let request = Request::post("/orders", "{}");
    let answer = client::send(envoy.listener("outbound")?, &request)?;
    assert_eq!(answer.status, 200);
    poll::until_within(PATIENCE, "the slow trace", || {
        let log = envoy.access_log("outbound")?;
        let Some(entry) = log.first() else {
            return Ok(None);
        };
        let id = Line::read("api-gateway", "outbound", entry)?.trace_id;
        Ok((to.backend.trace(&id)?.len() == 2).then_some(id))
    })
}
