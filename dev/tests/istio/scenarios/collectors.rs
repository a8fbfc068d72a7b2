//! Collectors that cannot be reached, each for a reason that users meet: every request is answered, and the metrics tell.

use crate::doctor::finds;
use crate::page::quotes;
use crate::stage::{MODULE, Stage, labelled, number, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use throughline_cli::doctor::Code;
use throughline_dev::istio::{NODE, Pod};
use throughline_dev::poll;
use throughline_dev::refused::Refused;

/// A collector that spans do not reach.
struct Lost<'a> {
    name: &'a str,
    export: Value,
    /// The page's section, and what it quotes of the log.
    section: &'a str,
    said: &'a str,
    /// What the calls are counted under.
    code: &'a str,
    found: &'a [Code],
}

/// No cluster: the service's name is wrong, or it has no such port.
pub fn no_cluster(stage: &Stage) -> Result<()> {
    let lost = Lost {
        name: "no-cluster",
        export: json!({"service": "nobody.monitoring.svc.cluster.local"}),
        section: "The collector's cluster is missing",
        said: "Envoy has no such cluster, or no host in it",
        code: "not_sent",
        found: &[Code::ClusterMissing, Code::CollectorUnreachable],
    };
    lost.play(stage)
}

/// The service has no endpoints: its pods are not there, or not ready.
pub fn no_endpoints(stage: &Stage) -> Result<()> {
    stage
        .cluster
        .service("monitoring", "empty", "grpc-otlp", 4317, &[])?;
    let lost = Lost {
        name: "no-endpoints",
        export: json!({"service": "empty.monitoring.svc.cluster.local"}),
        section: "The collector's cluster is missing",
        said: "Envoy has no such cluster, or no host in it",
        code: "not_sent",
        found: &[Code::ClusterWithoutHosts, Code::CollectorUnreachable],
    };
    lost.play(stage)
}

/// The port's name does not say gRPC, so that Envoy speaks HTTP/1.1 to it.
pub fn not_http2(stage: &Stage) -> Result<()> {
    let collector = stage.receiver.grpc();
    stage
        .cluster
        .service("monitoring", "misnamed", "tcp-otlp", 4317, &[collector])?;
    let lost = Lost {
        name: "not-http2",
        export: json!({"service": "misnamed.monitoring.svc.cluster.local"}),
        section: "The gRPC port is not HTTP/2",
        said: "upstream connect error or disconnect/reset before headers. reset reason: protocol error",
        code: "grpc_14",
        found: &[Code::ClusterNotHttp2, Code::CollectorUnreachable],
    };
    lost.play(stage)
}

/// Nobody listens.
pub fn refused(stage: &Stage) -> Result<()> {
    let port = Refused::take_on(NODE)?;
    stage
        .cluster
        .service("monitoring", "closed", "grpc-otlp", 4317, &[port.address()])?;
    let lost = Lost {
        name: "refused",
        export: json!({"service": "closed.monitoring.svc.cluster.local"}),
        section: "Nobody listens, or a policy drops the port",
        said: "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
        code: "grpc_14",
        found: &[Code::CollectorUnreachable],
    };
    lost.play(stage)
}

/// A policy drops what goes to the port, as a NetworkPolicy's plugin does.
pub fn dropped(stage: &Stage) -> Result<()> {
    let lost = Lost {
        name: "dropped",
        // A timeout of its own, as the default is ten seconds.
        export: json!({"timeout": "1s"}),
        section: "Nobody listens, or a policy drops the port",
        said: "the answer was grpc-status 14, upstream request timeout",
        code: "grpc_14",
        found: &[Code::CollectorUnreachable],
    };
    lost.while_dropped(stage, stage.receiver.grpc())
}

/// The same on Zipkin's port.
pub fn zipkin_dropped(stage: &Stage) -> Result<()> {
    let collector = stage.receiver.http();
    let cluster = &stage.cluster;
    cluster.service("monitoring", "zipkin", "http-zipkin", 9411, &[collector])?;
    let service = "zipkin.monitoring.svc.cluster.local";
    let lost = Lost {
        name: "zipkin-dropped",
        export: json!({"protocol": "zipkin", "service": service, "port": 9411, "timeout": "1s"}),
        section: "Nobody listens, or a policy drops the port",
        said: "the answer was HTTP 504",
        code: "504",
        found: &[Code::CollectorUnreachable],
    };
    let seen = lost.while_dropped(stage, collector);
    cluster
        .kubectl()
        .run("delete service zipkin --namespace monitoring")?;
    seen
}

/// A service without an address of its own: a gateway knows its endpoints; a sidecar sends each connection where it was going,
/// and spans were going nowhere.
pub fn headless(stage: &Stage) -> Result<()> {
    let collector = stage.receiver.grpc();
    stage
        .cluster
        .headless_service("monitoring", "headless", "grpc-otlp", collector)?;
    let service = "headless.monitoring.svc.cluster.local";
    prepare(
        stage,
        &json!({"service": service, "port": collector.port()}),
    )?;
    let before = counts(stage)?;
    stage.request("/productpage")?;
    for (pod, before) in stage.proxies().into_iter().zip(before) {
        let name = pod.name();
        let codes = poll::until(&format!("{name} to count a call"), || {
            let codes = grown(&before, &counted(pod)?);
            Ok((!codes.is_empty()).then_some(codes))
        })?;
        let is_gateway = name == stage.gateway.name();
        let expected = if is_gateway { "grpc_0" } else { "not_sent" };
        ensure!(codes == [expected], "{name}: {codes:?}");
        if !is_gateway {
            finds(
                pod,
                &[Code::ClusterWithoutHosts, Code::CollectorUnreachable],
            )?;
        }
    }
    let productpage = &stage.bookinfo.productpage.pod;
    quotes(
        "A headless collector Service",
        "throughline_export_requests{code=\"not_sent\"}",
        &productpage.admin("/stats/prometheus")?,
    )?;
    let clusters = productpage.admin("/config_dump?resource=dynamic_active_clusters")?;
    quotes("A headless collector Service", "ORIGINAL_DST", &clusters)?;
    stage.keep("headless")
}

fn prepare(stage: &Stage, export: &Value) -> Result<()> {
    stage.install()?;
    let marker = "x-of-this-scenario";
    let patch = json!({"spec": {"pluginConfig": {
        "export": export,
        "customTags": {(marker): {"literal": {"value": "1"}}},
    }}});
    let plugin = "wasmplugin throughline --namespace istio-system";
    stage.cluster.kubectl().patch(plugin, &patch)?;
    wait_for_texts(stage, &[MODULE, marker])?;
    Ok(())
}

impl Lost<'_> {
    fn play(&self, stage: &Stage) -> Result<()> {
        prepare(stage, &self.export)?;
        self.is_seen(stage)
    }

    /// While what goes to the collector is dropped. Nothing has to be restarted once the policy is right.
    fn while_dropped(&self, stage: &Stage, collector: SocketAddr) -> Result<()> {
        let port = collector.port();
        let rule = |change: &str| -> Result<()> {
            let arguments = format!("{change} INPUT --protocol tcp --dport {port} --jump DROP");
            let done = Command::new("iptables")
                .args(arguments.split(' '))
                .status()?;
            ensure!(done.success(), "iptables {arguments}");
            Ok(())
        };
        prepare(stage, &self.export)?;
        rule("--append")?;
        let seen = self.is_seen(stage);
        rule("--delete")?;
        seen?;
        stage.traced()?;
        Ok(())
    }

    /// Requests pass, no span arrives, every proxy counts the calls under the code, and says why; so do the doctor and the page.
    fn is_seen(&self, stage: &Stage) -> Result<()> {
        let before = counts(stage)?;
        let trace = stage.request("/productpage")?;
        for (pod, before) in stage.proxies().into_iter().zip(before) {
            let name = pod.name();
            poll::until(&format!("{name} to count a call"), || {
                let codes = grown(&before, &counted(pod)?);
                ensure!(
                    codes.is_empty() || codes == [self.code],
                    "{name}: {codes:?}"
                );
                Ok((!codes.is_empty()).then_some(()))
            })?;
            poll::until(&format!("{name} to say that it is unreachable"), || {
                Ok((number(pod, "throughline_export_unreachable")? == 1.0).then_some(()))
            })
            .with_context(|| pod.log())?;
            finds(pod, self.found)?;
        }
        ensure!(
            !trace.is_empty() && stage.spans(&trace).is_empty(),
            "spans arrived"
        );
        let gateway = &stage.gateway;
        quotes(self.section, self.said, &gateway.log())?;
        quotes(
            self.section,
            &format!("throughline_export_requests{{code=\"{}\"}}", self.code),
            &gateway.admin("/stats/prometheus")?,
        )?;
        stage.keep(self.name)
    }
}

/// What each proxy counts its calls to collectors under.
fn counts(stage: &Stage) -> Result<Vec<Counts>> {
    stage.proxies().into_iter().map(counted).collect()
}

/// The codes that were counted since.
fn grown(before: &Counts, now: &Counts) -> Vec<String> {
    let more = now
        .iter()
        .filter(|(code, count)| before.get(*code).unwrap_or(&0.0) < count);
    more.map(|(code, _)| code.clone()).collect()
}

type Counts = BTreeMap<String, f64>;

fn counted(pod: &Pod) -> Result<Counts> {
    labelled(pod, "throughline_export_requests", "code")
}
