//! Every tracer, beside every way to run beside it.

use super::cell::{self, Cell};
use super::docs;
use super::setup::{COLLECTOR, CameIn, MODES, Tracer, at_once, config, has_no_context_propagation};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Receiver};

/// Random sampling of the tracer, in percent.
const RATIOS: [u8; 2] = [100, 0];

/// The trace of requests that are not in the matrix.
const LAST: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

/// Those of one proxy together.
const PLACES: [&[&str]; 2] = [&["gateway"], &["inbound", "outbound"]];

fn node(places: &[&str]) -> Node {
    if places == ["gateway"] {
        Node::gateway("istio-ingressgateway", "istio-system")
    } else {
        Node::sidecar("reviews", "reviews-v1", "bookinfo")
    }
}

/// All that this line can be configured to, compared with what is written down of it.
pub fn matrix(release: Release, module: &Path) -> Result<()> {
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    for tracer in Tracer::ALL {
        for propagates in [true, false] {
            if !propagates && !has_no_context_propagation(release)? {
                continue;
            }
            for places in PLACES {
                let stage = Stage::start(release, module, tracer, propagates, places)?;
                stage.learn(places)?;
                for (key, cell) in stage.play(places)? {
                    let quiet = if propagates { "propagates" } else { "quiet" };
                    let key = format!("{tracer} {quiet} {key}");
                    wrong.extend(complaint(&key, propagates, &cell));
                    lines.push(format!("{key}: {cell}"));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    docs::compare(release, &lines)
}

/// What must hold whatever is written down. Where `nativeTracer: own` says that there is no tracer, the filter believes it.
fn complaint(key: &str, propagates: bool, cell: &Cell) -> Option<String> {
    let own = key.contains(" own ");
    let mut wrong = Vec::new();
    if cell.is_a_fight() && !own {
        wrong.push("formats name two traces");
    }
    if cell.is_b3_split && !own {
        wrong.push("b3 and x-b3-* differ");
    }
    if cell.is_half_sampled() && !own {
        wrong.push("formats differ in the decision");
    }
    if !cell.is_logged_right() && !own {
        wrong.push("the access log has another trace");
    }
    // A tracer that leaves the headers alone, `auto` cannot know.
    let is_known = propagates || key.contains(" mirror ");
    if cell.by_tracer && cell.by_filter && is_known && !own {
        wrong.push("reported twice");
    }
    if !propagates && cell.is_a_fight() {
        wrong.push("a tracer that is quiet writes");
    }
    (!wrong.is_empty()).then(|| format!("{key}: {cell}: {}", wrong.join(", ")))
}

struct Stage {
    app: App,
    receiver: Receiver,
    envoy: Envoy,
    propagates: bool,
}

impl Stage {
    /// A proxy with a listener for each mode and ratio, all beside the same tracer.
    fn start(
        release: Release,
        module: &Path,
        tracer: Tracer,
        propagates: bool,
        places: &[&str],
    ) -> Result<Self> {
        let (app, receiver) = (App::start()?, Receiver::start()?);
        let mut proxy = Proxy::new(node(places))
            .cluster(Cluster::new("app", app.address()))
            .cluster(receiver.cluster(COLLECTOR, Protocol::OtlpHttp))
            .merge(&at_once())
            .stats_tag("format");
        for place in places {
            for mode in MODES {
                let plugin =
                    Plugin::new(module, &config(mode)).named(&format!("throughline-{mode}"));
                for ratio in RATIOS {
                    let name = name(mode, ratio, place);
                    let listener = match *place {
                        "inbound" => Listener::inbound(&name),
                        _ => Listener::outbound(&name),
                    };
                    proxy = proxy.listener(
                        listener
                            .plugin(&plugin)
                            .tracing(tracer.tracing(ratio.into(), propagates))
                            .log(
                                "trace.id",
                                "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
                            )
                            .route(Route::any("app")),
                    );
                }
            }
        }
        Ok(Self {
            envoy: proxy.start(&release.binary()?)?,
            app,
            receiver,
            propagates,
        })
    }

    /// The first response of a listener is what `auto` learns from; the first that a tracer may turn, whether it does so;
    /// of `b3`, that it writes that, too.
    fn learn(&self, places: &[&str]) -> Result<()> {
        for place in places {
            for mode in ["auto", "mirror"] {
                for (ratio, first) in [(100, CameIn::Nothing), (0, CameIn::W3c)] {
                    let listener = name(mode, ratio, place);
                    let all = [first, CameIn::Single, first];
                    for (number, came_in) in all.into_iter().enumerate() {
                        let headers = came_in.headers(LAST.0, LAST.1);
                        self.send(&listener, &Request::get("/learn").headers(&headers))?;
                        self.logged(&listener, number + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn play(&self, places: &[&str]) -> Result<Vec<(String, Cell)>> {
        let mut cells = Vec::new();
        let mut number = 0_u64;
        for place in places {
            for mode in MODES {
                for ratio in RATIOS {
                    let listener = name(mode, ratio, place);
                    // Backwards, so that what is plain comes after what might teach the filter something wrong.
                    let mut of_listener = Vec::new();
                    for came_in in CameIn::ALL.into_iter().rev() {
                        number += 1;
                        let trace = format!(
                            "{:032x}",
                            0x4bf9_2f35_77b3_4da6_0000_0000_0000_0000 + u128::from(number)
                        );
                        let path = format!("/{listener}/{came_in}");
                        let request = Request::get(&path)
                            .headers(&came_in.headers(&trace, "00f067aa0ba902b7"));
                        let seen = self.send(&listener, &request)?;
                        let cell = Cell {
                            came_in: (came_in != CameIn::Nothing).then_some(trace),
                            w3c: cell::w3c(&seen)?,
                            b3: cell::b3(&seen)?,
                            is_b3_split: cell::is_b3_split(&seen)?,
                            logged: None,
                            by_tracer: false,
                            by_filter: false,
                        };
                        of_listener.push((listener.clone(), came_in, path, cell));
                    }
                    cells.extend(of_listener.into_iter().rev());
                }
            }
        }
        self.settle(places)?;
        let reports = self.reports();
        let mut logs = BTreeMap::new();
        let mut told = Vec::new();
        for (listener, came_in, path, mut cell) in cells {
            if !logs.contains_key(&listener) {
                let entries = self.logged(&listener, CameIn::ALL.len())?;
                logs.insert(listener.clone(), entries);
            }
            let entry = logs
                .get(&listener)
                .into_iter()
                .flatten()
                .find(|entry| entry["path"] == path);
            let logged = entry.context("no access log entry")?["trace.id"].as_str();
            cell.logged = logged
                .filter(|id| !id.is_empty() && *id != "-")
                .map(str::to_owned);
            if let Some((by_tracer, by_filter)) = reports.get(&path) {
                (cell.by_tracer, cell.by_filter) = (*by_tracer, *by_filter);
            }
            told.push((format!("{} {came_in}", listener.replace('_', " ")), cell));
        }
        check_health(&self.envoy)?;
        Ok(told)
    }

    fn send(&self, listener: &str, request: &Request) -> Result<Headers> {
        let answer = client::send(self.envoy.listener(listener)?, request)?;
        ensure!(answer.status == 200, "{listener}: {answer:?}");
        let seen = self.app.take_seen().pop().context("no request arrived")?;
        Ok(seen.headers)
    }

    fn logged(&self, listener: &str, least: usize) -> Result<Vec<Value>> {
        poll::until("the access log", || {
            let entries = self.envoy.access_log(listener)?;
            Ok((entries.len() >= least).then_some(entries))
        })
    }

    /// Who reported which path: the tracer, the filter.
    fn reports(&self) -> BTreeMap<String, (bool, bool)> {
        let mut reports: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for span in self.receiver.spans() {
            let url = span.attribute("http.url");
            let path = url
                .find("://")
                .and_then(|at| url.get(at + 3..))
                .and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
            let Some(path) = path else { continue };
            let (by_tracer, by_filter) = reports.entry(path.to_owned()).or_default();
            let is_ours = span.scope.name == "throughline";
            *if is_ours { by_filter } else { by_tracer } = true;
        }
        reports
    }

    /// Waits until everything is reported. Tracer and filter report in order: what each reports last is the last. What no
    /// tracer can read is the filter's in every mode; but beside one that never writes, `mirror` leaves that alone, and reports what Envoy decided not to sample.
    fn settle(&self, places: &[&str]) -> Result<()> {
        let place = places.last().context("no place")?;
        let both = Request::get("/last").headers(&CameIn::Both.headers(LAST.0, LAST.1));
        self.send(&name("own", 100, place), &both)?;
        for mode in MODES {
            let (ratio, came_in) = if mode == "mirror" && !self.propagates {
                (0, CameIn::Deferred)
            } else {
                (100, CameIn::Broken)
            };
            let last =
                Request::get(&format!("/last/{mode}")).headers(&came_in.headers(LAST.0, LAST.1));
            self.send(&name(mode, ratio, place), &last)?;
        }
        poll::until("all spans", || {
            let reports = self.reports();
            let of = |path: &str| reports.get(path).copied().unwrap_or_default();
            let (tracer, _) = of("/last");
            let all = MODES.into_iter().all(|mode| of(&format!("/last/{mode}")).1);
            Ok((tracer && all).then_some(()))
        })
    }
}

fn name(mode: &str, ratio: u8, place: &str) -> String {
    format!("{mode}_{ratio}_{place}")
}
