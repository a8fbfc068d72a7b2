//! `kubectl delete -k`: nothing of ours is left in the API server nor in any proxy, and traffic passes as before.

use crate::stage::{MODULE, Stage, wait_for_texts, wait_until_gone};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use throughline_dev::istio::Pod;
use throughline_dev::poll;

/// Envoy waits so long for the requests of listeners that it closes, and Istio has it wait no longer.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);

/// Envoy's count of virtual machines for modules.
const MACHINES: &str = "/stats?filter=wasm.*active";

/// With everything that we offer, so that everything has to go.
pub fn play(stage: &Stage) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let objects = objects(stage)?;
    let configurations = configurations(stage)?;
    let path = stage.manifests.path("overlays/everything");
    // What the component `pull-secret` names; `kubectl create secret docker-registry` in the documentation.
    let secret = "throughline-registry --namespace istio-system";
    kubectl.run(&format!(
        "create secret docker-registry {secret} --docker-server registry.test:5000 --docker-username user --docker-password password"
    ))?;
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    wait_for_texts(stage, &[MODULE])?;
    poll::until("requests with a header", || {
        Ok((!stage.request("/productpage")?.is_empty()).then_some(()))
    })?;
    for pod in stage.proxies() {
        ensure!(machines(pod)? > 0, "{} counts no module", pod.name());
    }

    kubectl.run(&format!("delete --kustomize {}", path.display()))?;
    kubectl.run(&format!("delete secret {secret}"))?;
    wait_until_gone(stage)?;
    // Those on connections that were there before still pass the old listeners.
    poll::until("requests without a header", || {
        Ok(stage.request("/productpage")?.is_empty().then_some(()))
    })?;
    let left: Vec<_> = self::objects(stage)?
        .symmetric_difference(&objects)
        .cloned()
        .collect();
    ensure!(left.is_empty(), "other objects than before: {left:?}");
    for (pod, before) in stage.proxies().into_iter().zip(configurations) {
        let name = pod.name();
        poll::until_within(
            DRAINED_WITHIN,
            &format!("{name} to be as it was before"),
            || {
                std::thread::sleep(Duration::from_millis(200));
                Ok((configuration(pod)? == before).then_some(()))
            },
        )
        .with_context(|| differences(&before, &configuration(pod).unwrap_or_default()))?;
        // With the last listener that had it.
        poll::until_within(DRAINED_WITHIN, &format!("{name} to forget it"), || {
            std::thread::sleep(Duration::from_millis(200));
            let filters = pod.find("/config_dump?resource=ecds_filters")?;
            let has = filters.is_some_and(|page| page.contains("extensions.istio.io/"));
            Ok((!has && machines(pod)? == 0).then_some(()))
        })
        .with_context(|| pod.admin(MACHINES).unwrap_or_default())?;
    }
    Ok(())
}

/// Every object of every kind, by kind, namespace and name; but for what Kubernetes and Istio write down as they go.
pub fn objects(stage: &Stage) -> Result<BTreeSet<String>> {
    let kubectl = stage.cluster.kubectl();
    let kinds = kubectl.run("api-resources --verbs list,get --output name")?;
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| !kind.starts_with("events") && !kind.starts_with("leases."))
        .collect();
    ensure!(
        kinds
            .iter()
            .any(|kind| kind.starts_with("wasmplugins.extensions.istio.io")),
        "not all kinds: {kinds:?}"
    );
    let columns = "KIND:.kind,GROUP:.apiVersion,NAMESPACE:.metadata.namespace,NAME:.metadata.name";
    let listed = kubectl.run(&format!(
        "get {} --all-namespaces --no-headers --output custom-columns={columns}",
        kinds.join(",")
    ))?;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(listed.lines().map(words).collect())
}

type Configuration = BTreeMap<String, Value>;

fn configurations(stage: &Stage) -> Result<Vec<Configuration>> {
    stage.proxies().into_iter().map(configuration).collect()
}

/// What istiod sent to a proxy, by kind and name.
fn configuration(pod: &Pod) -> Result<Configuration> {
    let mut found = BTreeMap::new();
    for what in [
        "dynamic_listeners",
        "dynamic_active_clusters",
        "dynamic_route_configs",
    ] {
        // It has none of what it never had.
        let Some(page) = pod.find(&format!("/config_dump?resource={what}"))? else {
            continue;
        };
        let page: Value = serde_json::from_str(&page)?;
        for mut config in page["configs"].as_array().cloned().unwrap_or_default() {
            without_times(&mut config);
            found.insert(format!("{what} {}", name(&config)), config);
        }
    }
    Ok(found)
}

fn name(config: &Value) -> String {
    ["/name", "/cluster/name", "/route_config/name"]
        .iter()
        .find_map(|pointer| config.pointer(pointer)?.as_str())
        .unwrap_or_default()
        .to_owned()
}

/// Versions and times are of the pushes.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for field in ["version_info", "last_updated"] {
                fields.remove(field);
            }
            fields.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

fn differences(before: &Configuration, now: &Configuration) -> String {
    let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let changed = names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name));
    changed
        .map(|name| {
            format!(
                "{name}: {:?} and now {:?}\n",
                before.get(name),
                now.get(name)
            )
        })
        .collect()
}

/// How many virtual machines are there for modules.
fn machines(pod: &Pod) -> Result<u64> {
    let stats = pod.admin(MACHINES)?;
    let counts = stats.lines().filter_map(|line| {
        let (_, count) = line.rsplit_once(": ")?;
        count.parse::<u64>().ok()
    });
    Ok(counts.sum())
}
