//! `kubectl apply -k wasmplugin/overlays/dev`: a request through the gateway and three sidecars is one trace.

use crate::stage::Stage;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::process::Command;
use throughline_dev::receiver::Kind;

pub fn play(stage: &Stage) -> Result<()> {
    ensure!(
        stage.request("/productpage")?.is_empty(),
        "a trace without the plugin"
    );
    are_redirected(stage)?;
    stage.install()?;
    is_seen(stage)?;
    stage.keep("healthy")
}

/// Applications call the addresses of services, and Istio's own iptables lead that to their sidecars.
fn are_redirected(stage: &Stage) -> Result<()> {
    for service in stage.bookinfo.all() {
        let rules = service.pod.inside(|| {
            let output = Command::new("iptables")
                .args(["--table", "nat", "--list-rules"])
                .output()?;
            Ok(String::from_utf8(output.stdout)?)
        })?;
        for rule in [
            "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001",
            "-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006",
        ] {
            ensure!(rules.contains(rule), "{}: {rules}", service.pod.name());
        }
        ensure!(
            service.address.ip() != service.pod.address(),
            "a service has its pod's address"
        );
    }
    Ok(())
}

/// The gateway's two spans, and one for each side of each sidecar that saw the request, as one tree.
pub fn is_seen(stage: &Stage) -> Result<()> {
    let spans = stage.traced()?;
    let of = |kind| spans.iter().filter(|span| span.kind == kind).count();
    ensure!((of(Kind::Server), of(Kind::Client)) == (4, 3), "{spans:#?}");
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    let roots = spans.iter().filter(|span| span.parent_id.is_none()).count();
    let parents = spans.iter().filter_map(|span| span.parent_id.as_ref());
    let orphans = parents.filter(|parent| !ids.contains(parent)).count();
    ensure!((roots, orphans) == (1, 0), "no tree: {spans:#?}");
    ensure!(
        stage.receiver.invalid().is_empty(),
        "{:?}",
        stage.receiver.invalid()
    );
    Ok(())
}
