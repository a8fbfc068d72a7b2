//! What the README promises to somebody who has just cloned the repository: its commands, as they stand there, and with a Tempo
//! where the manifests expect one, TraceQL finds a whole trace within half a minute of the first request.

use crate::checkout::Checkout;
use crate::stage::{MODULE, SPANS, Stage, wait_for_texts, wait_until_gone};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use throughline_dev::backends::{Span, Tempo};
use throughline_dev::documentation::commands;
use throughline_dev::istio::NODE;
use throughline_dev::poll;

const REGISTRY: &str = "registry.test:5000/team/throughline";

const PROMISED: Duration = Duration::from_secs(30);

const QUERY: &str =
    r#"{resource.service.name="ratings.bookinfo" && span.http.response.status_code=200}"#;

pub fn play(stage: &Stage) -> Result<()> {
    let tempo = Tempo::start_on(NODE.into(), None)?;
    let collector = |address| {
        let cluster = &stage.cluster;
        cluster.endpoints("monitoring", "tempo", "grpc-otlp", address)
    };
    collector(tempo.otlp_grpc().0)?;
    let played = with_tempo(stage, &tempo);
    collector(stage.receiver.grpc())?;
    played.with_context(|| tempo.log())
}

fn with_tempo(stage: &Stage, tempo: &Tempo) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let checkout = Checkout::make()?;
    let apply = the_one("README.md", "kubectl apply ")?;
    let error = match checkout.kubectl(kubectl, &apply) {
        Ok(said) => anyhow::bail!("the API server took a forgotten digest: {said}"),
        Err(error) => format!("{error:#}"),
    };
    ensure!(error.contains("spec.sha256"), "{error}");

    for words in ["make push REGISTRY=", "make pin REGISTRY="] {
        let command = the_one("README.md", words)?;
        checkout.make_target(&command.replace("registry.example/team/throughline", REGISTRY))?;
    }
    checkout.kubectl(kubectl, &apply)?;
    wait_for_texts(stage, &[MODULE, "\\\"arg\\\":0.05,"])?;
    is_told(stage)?;

    // Every request, to see one: the first is the first that is sent.
    checkout.kubectl(kubectl, &apply.replace("overlays/prod", "overlays/dev"))?;
    wait_for_texts(stage, &[MODULE, "\\\"arg\\\":1,"])?;
    is_found(stage, tempo)?;

    let delete = the_one("docs/upgrade.md", "kubectl delete -k wasmplugin/")?;
    checkout.kubectl(kubectl, &delete)?;
    wait_until_gone(stage)
}

/// The one command of a page that begins with these words.
fn the_one(page: &str, words: &str) -> Result<String> {
    let mut found = commands()?;
    found.retain(|command| command.page == page && command.text.starts_with(words));
    ensure!(found.len() == 1, "{words:?} in {page}: {found:?}");
    Ok(found.remove(0).text)
}

/// The line that docs/install.md says to look for.
fn is_told(stage: &Stage) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!(
        "throughline {version} on sidecar: service.name=productpage.bookinfo sampler=parentbased_traceidratio(0.05)"
    );
    let productpage = &stage.bookinfo.productpage.pod;
    poll::until("the start-up line", || {
        Ok(productpage.log().contains(&line).then_some(()))
    })
    .with_context(|| line.clone())
}

fn is_found(stage: &Stage, tempo: &Tempo) -> Result<()> {
    let begun = Instant::now();
    let mut first = None;
    let whole = poll::until_within(PROMISED, "TraceQL to find a whole trace", || {
        // As somebody reloads the page: the first may pass connections that are older than the plugin.
        stage.get("/productpage", &[])?;
        std::thread::sleep(Duration::from_millis(500));
        let traces = tempo.search(QUERY)?;
        if !traces.is_empty() && first.is_none() {
            first = Some(begun.elapsed());
        }
        for trace in traces {
            let spans = tempo.trace(&trace)?;
            if spans.len() as u64 == SPANS {
                return Ok(Some(spans));
            }
        }
        Ok(None)
    })?;
    println!(
        "  TraceQL finds a trace {:.1?} after the first request, and a whole one after {:.1?}",
        first.unwrap_or_default(),
        begun.elapsed()
    );
    is_a_tree(&whole)
}

fn is_a_tree(spans: &[Span]) -> Result<()> {
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    let roots = spans.iter().filter(|span| span.parent_id.is_none()).count();
    let parents = spans.iter().filter_map(|span| span.parent_id.as_ref());
    let orphans = parents.filter(|parent| !ids.contains(parent)).count();
    ensure!((roots, orphans) == (1, 0), "no tree: {spans:#?}");
    Ok(())
}
