//! Whose context counts: rules by proxy, peer and destination, and what becomes of what came in.

use core::net::IpAddr;

use super::{
    cidr::Cidr,
    pattern::Pattern,
    place::{Place, Proxy},
    requests::{any, is_host},
    service::Node,
};
use crate::propagation::Headers;

/// The most rules.
pub const MAX_RULES: usize = 32;

/// What becomes of the context that a request brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    #[default]
    Continue,
    /// It ends here and another begins, as if nothing had come in. The span has a link to it.
    Restart,
    /// Nobody touches it.
    Ignore,
    /// It goes on here, and the request leaves without it.
    Strip,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Restart => "restart",
            Self::Ignore => "ignore",
            Self::Strip => "strip",
        }
    }

    /// Whether what came in decides, whether it leaves or not.
    pub const fn trusts(self) -> bool {
        matches!(self, Self::Continue | Self::Strip)
    }

    /// Whether the headers that came in leave with the request.
    pub const fn lets_pass(self) -> bool {
        matches!(self, Self::Continue | Self::Ignore)
    }
}

/// What is done with some requests. All of what is given has to hold; of each list one entry is enough, but for labels, which
/// all have to be there. An empty list is not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    pub place: Option<Place>,
    /// Of the proxy itself.
    pub namespaces: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub peers: Peers,
    /// Lower case, without the port.
    pub hosts: Vec<Pattern>,
    /// Whether the request leaves the mesh.
    pub external: Option<bool>,
    pub action: Action,
}

/// Who sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Only who has no mTLS identity.
    pub unauthenticated: bool,
    /// mTLS identities, without `spiffe://`.
    pub principals: Vec<Pattern>,
    pub sources: Vec<Cidr>,
}

/// What is known of one request beside its headers.
pub trait Circumstances {
    fn place(&mut self) -> Place;
    /// Whether the peer has proved by mTLS who it is.
    fn is_authenticated(&mut self) -> bool;
    /// As whom, without `spiffe://`.
    fn principal(&mut self) -> Option<&[u8]>;
    /// Whence it comes, where that is not only what the peer itself says.
    fn source(&mut self) -> Option<IpAddr>;
    /// Whether the upstream is outside of the mesh.
    fn is_external(&mut self) -> bool;
    /// The upstream, where that is plainly an egress gateway of the mesh.
    fn egress_gateway(&mut self) -> Option<&str>;
}

impl Peers {
    fn are_any(&self) -> bool {
        *self == Self::default()
    }

    /// The peer of a sidecar's outbound listener is the application itself: no stranger, and no workload of the mesh.
    fn include(&self, at: &mut impl Circumstances, action: Action) -> bool {
        self.are_any()
            || (at.place() != Place::SidecarOutbound
                && (self.sources.is_empty() || self.have_source(at, action))
                && (!self.unauthenticated || !at.is_authenticated())
                && (self.principals.is_empty() || self.have_principal(at)))
    }

    /// A source that nobody vouches for earns nothing: it is in no range that lets pass, and in every other.
    fn have_source(&self, at: &mut impl Circumstances, action: Action) -> bool {
        match at.source() {
            Some(source) => self.sources.iter().any(|cidr| cidr.contains(source)),
            None => !action.lets_pass(),
        }
    }

    fn have_principal(&self, at: &mut impl Circumstances) -> bool {
        let principal = at.principal();
        principal.is_some_and(|name| self.principals.iter().any(|pattern| pattern.matches(name)))
    }
}

impl Rule {
    /// What does not change while the proxy runs.
    fn is_for(&self, proxy: Proxy, node: &mut impl Node) -> bool {
        self.place.is_none_or(|place| place.is_of(proxy))
            && (self.namespaces.is_empty()
                || node
                    .metadata(&["NAMESPACE"])
                    .is_some_and(|namespace| self.namespaces.contains(&namespace)))
            && self.labels.iter().all(|(name, value)| {
                node.metadata(&["LABELS", name]).as_deref() == Some(value.as_str())
            })
    }

    /// What the host need not be asked for comes first.
    fn includes(&self, headers: &Headers, at: &mut impl Circumstances) -> bool {
        (self.hosts.is_empty() || is_host(&self.hosts, headers))
            && self.place.is_none_or(|place| at.place() == place)
            && self
                .external
                .is_none_or(|external| at.is_external() == external)
            && self.peers.include(at, self.action)
            && !self.is_for_a_later_hop(at)
    }

    /// What a sidecar hands to an egress gateway has not left yet: there it is stripped, and until then it is of the trace. A rule
    /// that names the place means it, and one that is for the gateway as well.
    fn is_for_a_later_hop(&self, at: &mut impl Circumstances) -> bool {
        self.action == Action::Strip
            && !self.hosts.is_empty()
            && self.place.is_none()
            && at.place() == Place::SidecarOutbound
            && at
                .egress_gateway()
                .is_some_and(|name| !any(&self.hosts, name.as_bytes()))
    }

    /// Whether every request of the proxy is meant.
    fn is_for_all(&self, proxy: Proxy) -> bool {
        self.hosts.is_empty()
            && self.external.is_none()
            && self.peers.are_any()
            && (self.place.is_none() || proxy != Proxy::Sidecar)
    }
}

/// The rules that can matter to one proxy.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    rules: Vec<Rule>,
}

impl Trust {
    pub fn of(rules: &[Rule], proxy: Proxy, node: &mut impl Node) -> Self {
        let mut of_proxy = Vec::new();
        for rule in rules {
            if rule.is_for(proxy, node) {
                of_proxy.push(rule.clone());
                // Behind it none is reached.
                if rule.is_for_all(proxy) {
                    break;
                }
            }
        }
        Self { rules: of_proxy }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.rules.len()
    }

    /// Whether any of them says so.
    pub fn has(&self, action: Action) -> bool {
        self.rules.iter().any(|rule| rule.action == action)
    }

    /// What the first rule says that includes the request.
    pub fn action(&self, headers: &Headers, at: &mut impl Circumstances) -> Action {
        let first = self.rules.iter().find(|rule| rule.includes(headers, at));
        first.map_or(Action::Continue, |rule| rule.action)
    }
}
