//! A real Envoy with a listener for each configuration, before one application.

use crate::counts::{Counts, grown};
use crate::fields::{Fields, fields};
use crate::table::{self, Request, Setup};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use throughline_dev::accounts::labelled;
use throughline_dev::app::App;
use throughline_dev::built;
use throughline_dev::envoy::Envoy;
use throughline_dev::http::client::Client;
use throughline_dev::mesh::{Authority, Cluster, Kind, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::receiver::{Protocol, Receiver};

/// The cluster that spans go to.
const COLLECTOR: &str = "collector";

pub struct Stage {
    app: App,
    envoy: Envoy,
    /// Peers with an identity call through it, where there are any.
    callers: Option<Envoy>,
    _collector: Receiver,
}

/// What became of a request.
pub struct Became {
    /// As it reached the application.
    pub request: Fields,
    pub response: Fields,
    /// What it was counted as.
    pub counts: Counts,
}

impl Stage {
    pub fn start(kind: Kind, setups: &[&Setup], binary: &Path) -> Result<Self> {
        let app = App::start()?;
        let collector = Receiver::start()?;
        let module = built::module()?;
        let mesh = Authority::new("mesh")?;
        let own = mesh.certify("cluster.local/ns/bookinfo/sa/reviews")?;
        let mut proxy =
            Proxy::new(table::node(kind)).cluster(collector.cluster(COLLECTOR, Protocol::OtlpHttp));
        let (name, value) = table::VARIABLE;
        for (index, setup) in setups.iter().enumerate() {
            let plugin = Plugin::new(&module, &setup.config)
                .named(&format!("throughline-{index}"))
                .environment(name, value);
            let mut listener = setup.listener().plugin(&plugin);
            if setup.peer.is_some() {
                listener = listener.mtls(&own);
            }
            proxy = proxy.listener(listener.route(Route::any(&setup.cluster)));
        }
        let mut clusters: Vec<(&str, bool)> = setups
            .iter()
            .map(|setup| (setup.cluster.as_str(), setup.external))
            .collect();
        clusters.sort_unstable();
        clusters.dedup();
        for (name, external) in clusters {
            let cluster = Cluster::new(name, app.address());
            proxy = proxy.cluster(match external {
                true => cluster.external(),
                false => cluster,
            });
        }
        let envoy = labelled(proxy).start(binary)?;
        let mut callers = None;
        for setup in setups {
            if let Some(peer) = &setup.peer {
                let to = Cluster::new(&setup.what, envoy.listener(&setup.what)?);
                let proxy = callers.unwrap_or_else(|| Proxy::new(Node::plain("callers")));
                let proxy = proxy
                    .listener(Listener::plain(&setup.what).route(Route::any(&setup.what)))
                    .cluster(to.mtls(&mesh.certify(peer)?));
                callers = Some(proxy);
            }
        }
        let callers = callers.map(|proxy| proxy.start(binary)).transpose()?;
        Ok(Self {
            app,
            callers,
            envoy,
            _collector: collector,
        })
    }

    pub fn send(&self, setup: &Setup, request: &Request) -> Result<Became> {
        let callers = self.callers.as_ref().filter(|_| setup.peer.is_some());
        let through = callers.unwrap_or(&self.envoy);
        let before = self.envoy.prometheus()?;
        let mut client = Client::connect(through.listener(&setup.what)?)?;
        client.send_raw(&request.head()?)?;
        let answer = client.receive("GET")?;
        ensure!(
            answer.status == 200,
            "{}\n{}{answer:?}",
            setup.what,
            request.shown()
        );
        let seen = self.app.take_seen().pop().context("nothing arrived")?;
        Ok(Became {
            request: fields(seen.headers.iter()),
            response: fields(answer.headers.iter()),
            counts: grown(&before, &self.envoy.prometheus()?),
        })
    }

    pub fn check_alive(&self) -> Result<()> {
        self.envoy.check_alive()
    }
}
