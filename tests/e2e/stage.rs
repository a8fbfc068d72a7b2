//! What cases are played on: an application with its sidecar, and whom it calls.

use crate::case::{Case, Outcome};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::cell::Cell;
use std::path::Path;
use std::time::Duration;
use throughline_dev::app::{App, Call};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Node, Plugin, Proxy};
use throughline_dev::poll;

/// Envoy takes 60 KiB of headers by default; one header alone may have that here.
const HEADER_KIB: u32 = 96;

/// An application, its sidecar with the filter, and its callee.
pub struct Stage {
    pub app: App,
    pub callee: App,
    pub envoy: Envoy,
    played: Cell<usize>,
    /// How long Envoy's log was when the last case began.
    logged: Cell<usize>,
}

impl Stage {
    /// Starts everything, with the filter configured by `config`.
    pub fn start(release: Release, module: &Path, config: &Value) -> Result<Self> {
        Self::start_with(release, &Plugin::new(module, config), |proxy| proxy)
    }

    /// Starts everything, with that plugin and whatever else `change` does to the sidecar.
    pub fn start_with(
        release: Release,
        plugin: &Plugin,
        change: impl FnOnce(Proxy) -> Proxy,
    ) -> Result<Self> {
        let (app, callee) = (App::start()?, App::start()?);
        let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
        let mut proxy = Proxy::sidecar(node, app.address(), callee.address(), Some(plugin))
            .each_listener(|listener| listener.max_request_headers(HEADER_KIB));
        for label in ["origin", "format", "reason", "version"] {
            proxy = proxy.stats_tag(label);
        }
        let envoy = change(proxy).start(&release.binary()?)?;
        app.calls(vec![Call::new(
            envoy.listener("outbound")?,
            "reviews.bookinfo:9080",
            "/reviews/0",
        )]);
        Ok(Self {
            app,
            callee,
            envoy,
            played: Cell::new(0),
            logged: Cell::new(0),
        })
    }

    /// Plays one case. Not two at a time: the application does what the case says.
    pub fn play(&self, case: &Case) -> Result<Outcome> {
        self.played.set(self.played.get() + 1);
        self.logged.set(self.envoy.log().len());
        self.app.forward(case.forward);
        let before = self.envoy.prometheus()?;
        let answer = client::send(self.envoy.listener("inbound")?, &case.request)?;
        let (app, callee) = (self.app.take_seen(), self.callee.take_seen());
        if answer.status != 200 {
            bail!("the answer was {answer:?}");
        }
        let only = |seen: Vec<Request>| match <[Request; 1]>::try_from(seen) {
            Ok([request]) => Ok(request.headers),
            Err(seen) => bail!("got {} requests instead of one", seen.len()),
        };
        Ok(Outcome {
            app: only(app).context("the application")?,
            callee: only(callee).context("the callee")?,
            before,
            after: self.envoy.prometheus()?,
        })
    }

    /// Fails when the module broke down, which the answers alone need not show.
    pub fn check_health(&self) -> Result<()> {
        check_health(&self.envoy)
    }

    /// What Envoy logged about the last case, for a failure.
    pub fn logs(&self) -> String {
        // Written a little after the answer; when it does not come, that is worth knowing, but not worth waiting for.
        const A_LITTLE: Duration = Duration::from_secs(2);
        let entry = |listener| {
            let waited = poll::until_within(A_LITTLE, "its access log entry", || {
                let entries = self.envoy.access_log(listener)?;
                Ok(entries.get(self.played.get() - 1).map(Value::to_string))
            });
            waited.unwrap_or_else(|error| format!("{error:#}"))
        };
        let (inbound, outbound) = (entry("inbound"), entry("outbound"));
        let log = self.envoy.log();
        let log = log.get(self.logged.get()..).unwrap_or(&log);
        format!(
            "access log, inbound:  {inbound}\naccess log, outbound: {outbound}\nEnvoy's log since then:\n{log}"
        )
    }
}

/// Fails when the module broke down, which the answers alone need not show.
pub fn check_health(envoy: &Envoy) -> Result<()> {
    envoy.check_alive()?;
    let log = envoy.log();
    match log
        .lines()
        .find(|line| line.contains("[critical]") || line.contains("panicked"))
    {
        Some(line) => bail!("Envoy complains: {line}"),
        None => Ok(()),
    }
}
