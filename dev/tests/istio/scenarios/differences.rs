//! One plugin for the mesh that differs by namespace and by label; plugins for some namespaces and for labelled workloads.

use crate::bookinfo::{PORT, Service};
use crate::share::Requests;
use crate::stage::{MODULE, SPANS, Stage, plugin, wait_for_plugin, wait_for_texts};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use throughline_dev::http::{Request, client};
use throughline_dev::poll;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

/// `overlays/differences`: bookinfo at 50 %, its ratings not at all, the rest as the base has it.
pub fn by_overrides(stage: &Stage) -> Result<()> {
    stage.install()?;
    stage.apply("overlays/differences")?;
    wait_for_texts(stage, &[MODULE, "\\\"overrides\\\":["])?;
    let productpage = &stage.bookinfo.productpage.pod;
    let here = Requests {
        pod: productpage,
        at: productpage.at(PORT),
        path: "/productpage/begins-in-bookinfo",
        count: 1000,
    };
    // All but ratings' one, and the gateway's two.
    let mut spans = here.are_sampled(stage, 0.5, SPANS as usize - 3)?;
    let elsewhere = Requests {
        pod: &stage.gateway,
        at: stage.entrance(),
        path: "/productpage/begins-at-the-gateway",
        count: 1000,
    };
    spans.extend(elsewhere.are_sampled(stage, 0.1, SPANS as usize - 1)?);
    let ratings = &stage.bookinfo.ratings;
    ensure!(
        spans.iter().all(|span| span.service != "ratings.bookinfo"),
        "ratings has a span"
    );
    // Its proxy touches nothing: the headers are those of who called it.
    let seen = ratings.app.take_seen();
    ensure!(
        seen.iter()
            .all(|request| request.headers.contains("traceparent")),
        "the trace does not reach ratings"
    );
    Ok(())
}

/// `overlays/opt-in`: on in the namespaces of a list, off in the others; both change live.
pub fn by_opt_in(stage: &Stage) -> Result<()> {
    let shop = shop(stage, "shop", &json!({}))?;
    stage.apply("overlays/opt-in")?;
    let config = |namespaces: &[&str]| {
        json!({"spec": {"pluginConfig": {"sampling": {"arg": 1}, "overrides": [
            {"match": {"namespaces": namespaces}, "config": {"enabled": true}},
        ]}}})
    };
    let kubectl = stage.cluster.kubectl();
    kubectl.patch(PLUGIN, &config(&["bookinfo", "istio-ingress"]))?;
    wait_for_texts(stage, &[MODULE, "\\\"arg\\\":1,"])?;
    wait_for_plugin(&shop.pod, "the module, switched off", |plugin| {
        plugin.is_some_and(|plugin| plugin.contains(MODULE) && plugin.contains("\\\"arg\\\":1,"))
    })?;
    stage.wait_until_whole(SPANS)?;
    stage.traced()?;
    ensure!(!is_traced(&shop)?, "not in the list, and traced");

    kubectl.patch(PLUGIN, &config(&["elsewhere"]))?;
    poll::until("the namespace that is on now", || {
        Ok(is_traced(&shop)?.then_some(()))
    })?;
    poll::until("the namespaces that are off now", || {
        Ok(stage.request("/productpage")?.is_empty().then_some(()))
    })?;
    let app = |span: &throughline_dev::receiver::Span| span.service.starts_with("shop");
    poll::until("its span", || {
        Ok(stage.receiver.spans().iter().any(app).then_some(()))
    })?;
    remove(stage, &[&shop])
}

/// `overlays/workload`: pods with the label, and no others; a label that comes later counts too.
pub fn by_label(stage: &Stage) -> Result<()> {
    let with = shop(stage, "with-label", &json!({"throughline": "enabled"}))?;
    let without = shop(stage, "without-label", &json!({}))?;
    let path = stage.manifests.path("overlays/workload");
    let kubectl = stage.cluster.kubectl();
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    let has_module = |plugin: Option<&str>| plugin.is_some_and(|plugin| plugin.contains(MODULE));
    wait_for_plugin(&with.pod, "the module", has_module)?;
    poll::until("a trace", || Ok(is_traced(&with)?.then_some(())))?;
    for pod in stage.proxies().into_iter().chain([&without.pod]) {
        ensure!(plugin(pod)?.is_none(), "{} has it", pod.name());
    }
    ensure!(!is_traced(&without)?, "no label, and traced");

    kubectl.run("label pod without-label-v1 --namespace elsewhere throughline=enabled")?;
    wait_for_plugin(&without.pod, "the module", has_module)?;
    poll::until("a trace", || Ok(is_traced(&without)?.then_some(())))?;
    remove(stage, &[&with, &without])
}

/// A workload in a namespace of its own.
fn shop(stage: &Stage, name: &str, labels: &Value) -> Result<Service> {
    let injected = json!({"istio-injection": "enabled"});
    stage.cluster.namespace("elsewhere", &injected)?;
    let service = Service::start_with(&stage.cluster, "elsewhere", name, labels)?;
    service.pod.wait_until_ready()?;
    Ok(service)
}

/// Whether its application sees a trace in a request that came without.
fn is_traced(service: &Service) -> Result<bool> {
    service.app.take_seen();
    let answer = client::send(service.pod.at(PORT), &Request::get("/"))?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    let seen = service.app.take_seen();
    Ok(seen
        .iter()
        .any(|request| request.headers.contains("traceparent")))
}

fn remove(stage: &Stage, services: &[&Service]) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    for service in services {
        let pod = service.pod.name();
        kubectl.run(&format!("delete pod {pod} --namespace elsewhere --force"))?;
        let app = pod.trim_end_matches("-v1");
        kubectl.run(&format!("delete service {app} --namespace elsewhere"))?;
    }
    Ok(())
}
