//! Bookinfo's services: what each calls, and which trace headers it copies onto its calls.

use anyhow::{Context, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use throughline_demo::carried::Carried;
use throughline_dev::app::{App, Call};
use throughline_dev::bookinfo::Copies;
use throughline_dev::istio::{Cluster, Pod};

/// Where all of it is.
pub const NAMESPACE: &str = "bookinfo";

/// Where each service listens.
const PORT: u16 = 9080;

/// A version of a service.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub service: &'static str,
    pub version: &'static str,
    /// Whom it calls for every request, one after the other; it does without those that fail, as Bookinfo does.
    pub calls: &'static [&'static str],
    /// What it copies onto those calls.
    pub copies: Copies,
}

/// All of them. The first version of reviews shows no stars, so it calls nobody.
pub const WORKLOADS: [Workload; 6] = [
    Workload {
        service: "productpage",
        version: "v1",
        calls: &["details", "reviews"],
        copies: Copies::Traceparent,
    },
    Workload {
        service: "details",
        version: "v1",
        calls: &[],
        copies: Copies::Nothing,
    },
    Workload {
        service: "reviews",
        version: "v1",
        calls: &[],
        copies: Copies::B3Multi,
    },
    Workload {
        service: "reviews",
        version: "v2",
        calls: &["ratings"],
        copies: Copies::B3Multi,
    },
    Workload {
        service: "reviews",
        version: "v3",
        calls: &["ratings"],
        copies: Copies::B3Multi,
    },
    Workload {
        service: "ratings",
        version: "v1",
        calls: &[],
        copies: Copies::Nothing,
    },
];

impl Workload {
    /// As its pod is called.
    fn name(&self) -> String {
        format!("{}-{}", self.service, self.version)
    }
}

/// A request that came to a workload.
#[derive(Debug)]
pub struct Visit {
    pub workload: Workload,
    /// The trace headers that it brought.
    pub carried: Carried,
}

/// A running workload.
#[derive(Debug)]
struct Replica {
    workload: Workload,
    pod: Pod,
    app: App,
}

/// All of them, running. A service is a small program in its pod's network, which copies headers and calls others; Bookinfo's
/// own need a container engine.
#[derive(Debug)]
pub struct Bookinfo(Vec<Replica>);

impl Bookinfo {
    /// Starts their pods, with what istiod injects.
    pub fn start(cluster: &Cluster) -> Result<Self> {
        cluster.namespace(NAMESPACE, &json!({"istio-injection": "enabled"}))?;
        let start = |workload: &Workload| {
            let labels = json!({"labels": {"app": workload.service, "version": workload.version}});
            let pod = cluster.pod(NAMESPACE, &workload.name(), &labels)?;
            let app = pod.app(PORT)?;
            app.forward(workload.copies.forward());
            Ok(Replica {
                workload: *workload,
                pod,
                app,
            })
        };
        Ok(Self(WORKLOADS.iter().map(start).collect::<Result<_>>()?))
    }

    /// Joins the pods to services, each behind one address, and tells each whom to call there.
    pub fn connect(&self, cluster: &Cluster) -> Result<()> {
        let mut endpoints: BTreeMap<&str, Vec<SocketAddr>> = BTreeMap::new();
        for Replica { workload, pod, .. } in &self.0 {
            let service = endpoints.entry(workload.service).or_default();
            service.push(pod.at(PORT));
        }
        let mut addresses = BTreeMap::new();
        for (service, endpoints) in endpoints {
            let address = cluster.service(NAMESPACE, service, "http", PORT, &endpoints)?;
            addresses.insert(service, address);
        }
        for Replica { workload, app, .. } in &self.0 {
            let call = |service: &&str| {
                let address = addresses.get(service).context("nobody to call")?;
                let host = format!("{service}:{PORT}");
                Ok(Call::new(*address, &host, &format!("/{service}/0")).optional())
            };
            app.calls(workload.calls.iter().map(call).collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// Their pods.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.0.iter().map(|replica| &replica.pod)
    }

    /// The requests that came since the last time.
    pub fn visits(&self) -> Vec<Visit> {
        let of = |replica: &Replica| {
            let workload = replica.workload;
            let seen = replica.app.take_seen().into_iter();
            seen.map(move |request| Visit {
                workload,
                carried: Carried::of(&request.headers),
            })
        };
        self.0.iter().flat_map(of).collect()
    }
}
