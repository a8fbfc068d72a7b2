//! One plain Envoy for everything about the way out: each topic plans its listeners, plugins and clusters in it.

use crate::spans::upstream::Upstream;
use crate::stage::check_health;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use throughline_dev::accounts::{Accounts, labelled};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, Response, client};
use throughline_dev::mesh::{
    Cluster, ClusterDiscovery, Listener, Node, Plugin, Proxy, Route, merge,
};

/// What the topics want.
pub struct Plan {
    module: PathBuf,
    upstream: Upstream,
    listeners: Vec<Listener>,
    groups: BTreeMap<String, Vec<String>>,
    withdrawable: Vec<Listener>,
    clusters: Vec<Cluster>,
}

impl Plan {
    pub fn new(module: &Path) -> Result<Self> {
        Ok(Self {
            module: module.to_owned(),
            upstream: Upstream::start()?,
            listeners: Vec::new(),
            groups: BTreeMap::new(),
            withdrawable: Vec::new(),
            clusters: Vec::new(),
        })
    }

    /// A plugin whose spans leave at once, unless `export` says otherwise.
    pub fn plugin(&self, name: &str, export: &Value) -> Plugin {
        let mut settings = json!({"export": {"batch": {"scheduleDelay": "10ms"}}});
        merge(&mut settings, &json!({"export": export}));
        // The same for all: another environment would be another virtual machine.
        Plugin::new(&self.module, &settings)
            .named(name)
            .environment("API_KEY", "open sesame")
    }

    /// A listener for each of these plugins, whose requests are answered there or by the upstream below `/up/`. Together
    /// they have that name.
    pub fn listener(&mut self, name: &str, plugins: &[Plugin]) {
        let mut names = Vec::new();
        for plugin in plugins {
            let own = match plugins {
                [_] => name.to_owned(),
                _ => format!("{name}-{}", names.len()),
            };
            self.listeners
                .push(listener(&own, std::slice::from_ref(plugin)));
            names.push(own);
        }
        self.groups.insert(name.to_owned(), names);
    }

    /// One listener for all of these plugins.
    pub fn shared(&mut self, name: &str, plugins: &[Plugin]) {
        self.listeners.push(listener(name, plugins));
    }

    /// The same for one that goes while Envoy runs.
    pub fn withdrawable(&mut self, name: &str, plugins: &[Plugin]) {
        self.withdrawable.push(listener(name, plugins));
    }

    /// A listener as it is.
    pub fn add(&mut self, listener: Listener) {
        self.listeners.push(listener);
    }

    pub fn cluster(&mut self, cluster: Cluster) {
        self.clusters.push(cluster);
    }

    pub fn start(self, release: Release) -> Result<Stage> {
        let discovery = ClusterDiscovery::new(&[])?;
        let proxy = Proxy::new(Node::plain("edge"))
            .cluster(Cluster::new("upstream", self.upstream.http1()))
            .merge(&discovery.bootstrap());
        let proxy = self.clusters.into_iter().fold(proxy, Proxy::cluster);
        let proxy = self.listeners.into_iter().fold(proxy, Proxy::listener);
        let proxy = self
            .withdrawable
            .into_iter()
            .fold(proxy, |proxy, listener| proxy.withdrawable(listener, 1));
        Ok(Stage {
            envoy: labelled(proxy).start(&release.binary()?)?,
            upstream: self.upstream,
            groups: self.groups,
            discovery,
            discovered: RefCell::default(),
            expected: RefCell::default(),
        })
    }
}

fn listener(name: &str, plugins: &[Plugin]) -> Listener {
    let listener = Listener::plain(name)
        .route(Route::any("upstream").prefix("/up/"))
        .route(Route::answer(200, "ok"))
        // Envoy also calls the log phase while a request lasts.
        .merge(&json!({"access_log_options": {
            "flush_access_log_on_new_request": true,
            "access_log_flush_interval": "0.005s",
        }}));
    plugins.iter().fold(listener, Listener::plugin)
}

/// The running Envoy.
pub struct Stage {
    pub envoy: Envoy,
    pub upstream: Upstream,
    groups: BTreeMap<String, Vec<String>>,
    discovery: ClusterDiscovery,
    discovered: RefCell<BTreeMap<String, Cluster>>,
    expected: RefCell<Accounts>,
}

impl Stage {
    /// Sends so many requests to each listener of that name, which Envoy answers itself: a span of each plugin for each
    /// of them.
    pub fn send(&self, name: &str, requests: usize) -> Result<()> {
        let itself = vec![name.to_owned()];
        for listener in self.groups.get(name).unwrap_or(&itself) {
            for _ in 0..requests {
                let answer = self.request(listener, &Request::get("/"))?;
                ensure!(answer.status == 200, "{listener}: {answer:?}");
            }
        }
        Ok(())
    }

    pub fn request(&self, listener: &str, request: &Request) -> Result<Response> {
        client::send(self.envoy.listener(listener)?, request)
    }

    /// Gives Envoy further clusters, or others of the same names.
    pub fn discover(&self, clusters: impl IntoIterator<Item = (String, Cluster)>) -> Result<()> {
        let mut discovered = self.discovered.borrow_mut();
        discovered.extend(clusters);
        let all: Vec<_> = discovered.values().cloned().collect();
        self.discovery.deliver(&self.envoy, &all)
    }

    /// Adds to what the filter must say when all is over.
    pub fn expect(&self, accounts: &Accounts) {
        let expected = &mut *self.expected.borrow_mut();
        expected.finished += accounts.finished;
        expected.exported += accounts.exported;
        for (mine, further) in [
            (&mut expected.dropped, &accounts.dropped),
            (&mut expected.failed, &accounts.failed),
            (&mut expected.calls, &accounts.calls),
        ] {
            for (key, count) in further {
                *mine.entry(key.clone()).or_default() += count;
            }
        }
    }

    /// `spans` that arrive in `calls`, each answered with `code`.
    pub fn expect_exported(&self, spans: u64, calls: u64, code: &str) {
        self.expect(&Accounts {
            finished: spans,
            exported: spans,
            calls: [(code.to_owned(), calls)].into(),
            ..Accounts::default()
        });
    }

    /// Whether the gauge says that spans do not arrive.
    pub fn is_unreachable(&self) -> Result<bool> {
        Ok(Accounts::read(&self.envoy)?.unreachable)
    }

    /// How often an instance left a request to another.
    pub fn stood_aside(&self) -> Result<u64> {
        let stats = self.envoy.stats()?;
        let ours = stats
            .iter()
            .filter(|(name, _)| name.ends_with("throughline.stood_aside"));
        Ok(ours.map(|(_, count)| count).sum())
    }

    /// Fails where the filter's books are not as the topics expect, and where anything broke.
    pub fn check(&self) -> Result<()> {
        use throughline_dev::poll::PATIENCE;
        let expected = self.expected.borrow().clone();
        let mut accounts = Accounts::settled(&self.envoy, expected.finished, PATIENCE)?;
        // How often a collector out of reach was tried is a matter of time.
        for code in ["not_sent", "grpc_14"] {
            let expected = expected.calls.get(code).copied().unwrap_or_default();
            let calls = accounts
                .calls
                .remove(code)
                .unwrap_or_default()
                .min(expected);
            accounts
                .calls
                .extend((calls > 0).then(|| (code.to_owned(), calls)));
        }
        ensure!(accounts == expected, "{accounts:#?}, not {expected:#?}");
        check_health(&self.envoy)
    }
}
