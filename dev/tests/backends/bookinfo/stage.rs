//! Bookinfo in which nobody traces but the filter, and requests through it.

use super::destination::Destination;
use super::request::Request;
use super::wire::Line;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::{Path, PathBuf};
use throughline_dev::app::App;
use throughline_dev::bookinfo::{Bookinfo, Builder, Mesh, OPTIONAL, Service};
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release, chosen_binary};
use throughline_dev::mesh::{Cluster, Listener, Plugin, Proxy};
use throughline_dev::poll;

struct Parts {
    envoy: PathBuf,
    clusters: Vec<Cluster>,
    plugin: Plugin,
}

impl Builder for Parts {
    type Application = App;

    fn application(&self, service: &Service) -> Result<App> {
        let app = App::start()?;
        app.forward(service.copies.forward());
        Ok(app)
    }

    /// The connection manager has no `tracing` at all: no provider, and nothing that a provider would need.
    fn equip(&self, listener: Listener) -> Listener {
        Line::logged(
            listener
                .merge(&json!({"tracing": null}))
                .plugin(&self.plugin),
        )
    }

    fn start(&self, proxy: Proxy) -> Result<Envoy> {
        let clusters = self.clusters.iter().cloned();
        clusters.fold(proxy, Proxy::cluster).start(&self.envoy)
    }
}

/// The running mesh.
pub struct Stage {
    pub bookinfo: Bookinfo,
    mesh: Mesh<App>,
    module: PathBuf,
    sent: usize,
}

impl Stage {
    /// Starts it, able to report to each of these, and reporting to the first.
    pub fn start(destinations: &[Destination<'_>]) -> Result<Self> {
        let first = destinations.first().context("there are no destinations")?;
        let (bookinfo, module) = (Bookinfo::default(), built::module()?);
        let parts = Parts {
            envoy: chosen_binary(Release::NEWEST)?,
            clusters: destinations.iter().map(|to| to.cluster()).collect(),
            plugin: Plugin::new(&module, &first.configuration()),
        };
        Ok(Self {
            mesh: Mesh::start(&bookinfo, &parts)?,
            bookinfo,
            module,
            sent: 0,
        })
    }

    /// The module under test.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Makes every Envoy report there from now on.
    pub fn report_to(&self, to: Destination<'_>) -> Result<()> {
        let plugin = Plugin::new(&self.module, &to.configuration());
        let mut envoys = self.mesh.envoys();
        envoys.try_for_each(|(name, envoy)| {
            plugin
                .reload(envoy)
                .with_context(|| format!("the Envoy of {name}"))
        })
    }

    /// Sends a request, and returns what every Envoy logged of it, the gateway first.
    pub fn send(&mut self, request: &Request) -> Result<Vec<Line>> {
        self.mesh.answers(OPTIONAL, request.ratings)?;
        let answer = self.mesh.send(request.method)?;
        self.sent += 1;
        ensure!(answer.status == request.status, "{answer:?}");
        let gateway = poll::until_within(crate::check::PATIENCE, "the gateway's line", || {
            let log = self.mesh.gateway.access_log("outbound")?;
            Ok(log.get(self.sent - 1).cloned())
        })?;
        let trace = Line::read("gateway", "outbound", &gateway)?.trace_id;
        let mut found = Vec::new();
        let lines = request.lines(&self.bookinfo);
        poll::until_within(crate::check::PATIENCE, "every Envoy's line", || {
            found = self.lines(&trace)?;
            Ok((found.len() >= lines).then_some(()))
        })
        .with_context(|| format!("{lines} lines of trace {trace}, not {found:#?}"))?;
        ensure!(found.len() == lines, "{lines} lines, not {found:#?}");
        Ok(found)
    }

    /// Fails when a module broke down.
    pub fn check(&self) -> Result<()> {
        for (name, envoy) in self.mesh.envoys() {
            envoy.check_alive()?;
            let log = envoy.log();
            let bad = |line: &&str| line.contains("[critical]") || line.contains("do not leave");
            let complaint = log.lines().find(bad);
            ensure!(complaint.is_none(), "the Envoy of {name}: {complaint:?}");
        }
        Ok(())
    }

    fn lines(&self, trace: &str) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        for (name, envoy) in self.mesh.envoys() {
            for listener in ["inbound", "outbound"] {
                for entry in envoy.access_log(listener)? {
                    lines.push(Line::read(name, listener, &entry)?);
                }
            }
        }
        lines.retain(|line| line.trace_id == trace);
        Ok(lines)
    }
}
