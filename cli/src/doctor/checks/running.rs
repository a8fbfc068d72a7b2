//! Whether the module runs. No statistic of Envoy's shows one that failed open: its own count of requests, beside
//! Envoy's, does.

use super::count;
use crate::doctor::case::{Case, Instance, State};
use crate::doctor::finding::{Code, Finding};
use crate::doctor::input::Stats;
use throughline::policy::place::Place;

/// Of so few, some may be on their way.
const MANY: u64 = 10;

const RESTART: &str = "Envoy's log says why (grep -i -e wasm -e panicked). A module that ended comes back when the pod restarts; one that \
                       does not load needs another image:\n\
                       \x20 kubectl rollout restart deployment NAME -n NAMESPACE\n\
                       \x20 kubectl edit wasmplugin NAME -n NAMESPACE      # url, sha256";

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    let broken = case.log.as_ref().and_then(|log| log.broken.as_deref());
    if let Some(line) = broken {
        found.push(Finding::new(
            Code::ModuleFailed,
            "The module broke down or did not load",
            format!("Envoy's log: {line}"),
            fix(case),
        ));
    }
    // What is inert, switched off or not there counts nothing, for a reason that has been said.
    let is_rejected = |finding: &Finding| finding.code == Code::ConfigRejected;
    if !case
        .chains
        .iter()
        .any(|chain| !case.acting(chain).is_empty())
        || found.iter().any(is_rejected)
    {
        return;
    }
    let Some(seen) = Seen::of(case) else {
        found.push(cannot_tell(case));
        return;
    };
    let (requests, since) = (count(seen.by_envoy, "request"), case.since);
    if seen.by_envoy == 0 {
        found.push(Finding::new(
            Code::NoTraffic,
            format!("No request has come {since}, so nothing shows whether the filter runs"),
            "",
            "Send one, and look again.",
        ));
    } else if seen.by_filter == 0 {
        found.push(Finding::new(
            Code::NotRunning,
            format!("The filter does not run: it saw none of {requests} {since}"),
            format!(
                "{} counted them; throughline_requests did not move. {}",
                seen.who,
                reason(case)
            ),
            if broken.is_some() {
                "What is said of the module above is the reason."
            } else {
                fix(case)
            },
        ));
    } else if seen.missed() >= MANY && seen.missed() > seen.by_envoy / 10 {
        found.push(Finding::new(
            Code::RequestsMissed,
            format!("The filter saw {} of {requests} {since}", seen.by_filter),
            format!(
                "{} counted the others. Either they came before the filter was there, or the module ended on some of Envoy's workers.",
                seen.who
            ),
            format!(
                "Does it still miss some? throughline doctor --for 10 http://localhost:15000, under traffic. If so: {}",
                fix(case)
            ),
        ));
    }
}

/// Nothing can be said of the filter at work then.
pub const NOT_GIVEN: &str = "Whether the filter runs cannot be told from what was given";

/// Where nobody's count is there to compare with.
fn cannot_tell(case: &Case) -> Finding {
    let Some(stats) = &case.stats else {
        return Finding::new(
            Code::CannotTellRunning,
            NOT_GIVEN,
            "A module that failed open is in no config dump. What tells is its count of requests beside Envoy's (or Istio's).",
            "Give the statistics too, or the address of Envoy's admin:\n\
             \x20 pilot-agent request GET stats/prometheus > stats.txt",
        );
    };
    Finding::new(
        Code::CannotTellRunning,
        format!(
            "The filter saw {} {}; whether that is all of them cannot be told",
            count(counted(stats), "request"),
            case.since
        ),
        "Neither Envoy's own count (downstream_rq_total) nor Istio's (istio_requests_total) is in the statistics.",
        "Under traffic, a count that moves shows that it runs:\n\
         \x20 throughline doctor --for 10 http://localhost:15000\n\
         To compare, let Envoy keep its count, for one pod by an annotation, or in MeshConfig for all:\n\
         \x20 defaultConfig:\n\
         \x20   proxyStatsMatcher: {inclusionSuffixes: [downstream_rq_total]}",
    )
}

fn reason(case: &Case) -> &'static str {
    let was_refused = |stats: &Stats| stats.refused_deliveries > 0;
    let closes = |instance: &Instance| matches!(&instance.state, State::Plugin { wasm, .. } if !wasm.fails_open);
    if case.stats.as_ref().is_some_and(was_refused) {
        "Envoy refused what was delivered for it (extension_config_discovery, config_fail), though the dump lists it: where \
         nothing was there before, each request is answered with 500, whatever the failure policy."
    } else if case.instances.iter().any(closes) {
        "The module did not load, or it ended: requests fail, as its failure policy is not FAIL_OPEN."
    } else {
        "The module did not load, or it ended: it failed open."
    }
}

fn fix(case: &Case) -> &'static str {
    if case.is_istio() {
        RESTART
    } else {
        "Envoy's log says why: grep -i -e wasm -e panicked. A module that ended comes back when Envoy restarts; one that did \
         not load needs the right file: make build, and vm_config.code.local.filename."
    }
}

/// Requests on the chains where the filter acts, once for each instance.
pub struct Seen {
    pub by_filter: u64,
    pub by_envoy: u64,
    who: &'static str,
}

impl Seen {
    /// `None` where the statistics do not tell.
    pub fn of(case: &Case) -> Option<Self> {
        let stats = case.stats.as_ref()?;
        let (by_envoy, who) = expected(case, stats)?;
        Some(Self {
            by_filter: counted(stats),
            by_envoy,
            who,
        })
    }

    fn missed(&self) -> u64 {
        self.by_envoy.saturating_sub(self.by_filter)
    }
}

/// By the filter; it leaves alone what it cannot decide on, and what another instance has seen first.
fn counted(stats: &Stats) -> u64 {
    ["requests", "abstained", "stood_aside"]
        .into_iter()
        .fold(0, |sum: u64, metric| {
            sum.saturating_add(stats.sum(metric, &[]))
        })
}

/// How many it should have counted, and who says so. Istio drops most of Envoy's own statistics, but has its own.
fn expected(case: &Case, stats: &Stats) -> Option<(u64, &'static str)> {
    let with = || {
        let chains = case.chains.iter();
        chains.filter(|chain| !case.acting(chain).is_empty())
    };
    let mut prefixes: Vec<(&str, u64)> = Vec::new();
    for chain in with() {
        let prefix = chain.manager.stat_prefix.trim_end_matches(';');
        if !prefixes.iter().any(|(known, _)| *known == prefix) {
            prefixes.push((prefix, u64::try_from(case.acting(chain).len()).unwrap_or(1)));
        }
    }
    let of = |(prefix, instances): &(&str, u64)| {
        let (_, requests) = stats
            .requests
            .iter()
            .find(|(known, _)| known.trim_end_matches(';') == *prefix)?;
        Some(requests.saturating_mul(*instances))
    };
    let mut envoys = prefixes.iter().filter_map(of).peekable();
    if envoys.peek().is_some() {
        return Some((
            envoys.fold(0, u64::saturating_add),
            "Envoy (downstream_rq_total)",
        ));
    }
    if stats.istio_requests.is_empty() {
        return None;
    }
    let mut reporters: Vec<&str> = with().map(|chain| reporter(chain.place)).collect();
    reporters.sort_unstable();
    reporters.dedup();
    let requests = reporters
        .into_iter()
        .filter_map(|reporter| stats.istio_requests.get(reporter));
    Some((
        requests.copied().fold(0, u64::saturating_add),
        "Istio (istio_requests_total)",
    ))
}

/// Who reports what passes there.
fn reporter(place: Place) -> &'static str {
    match place {
        Place::SidecarInbound => "destination",
        Place::Waypoint => "waypoint",
        Place::SidecarOutbound | Place::Gateway | Place::Plain => "source",
    }
}
