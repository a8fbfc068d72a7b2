//! One worker of an Envoy: its root contexts, its clock, and its calls to a collector.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use prost::Message as _;
use throughline::filter::{Filter, Stream};

use crate::support::{Answered, FakeHost, Sent};

pub const MILLISECOND: u64 = 1_000_000;

pub struct Worker {
    pub host: FakeHost,
    roots: BTreeMap<u32, Filter>,
    /// Those of them that were to go and wait for answers.
    leaving: Vec<u32>,
    /// The calls that are in flight: who sent them, and their token.
    pub in_flight: Vec<(u32, u32)>,
}

impl Worker {
    /// A sidecar's worker whose root context 1 is so configured.
    pub fn new(config: &str) -> Self {
        let mut host = FakeHost::default();
        host.now = 1_700_000_000_000 * MILLISECOND;
        for (path, value) in [
            ("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc".as_slice()),
            ("xds.listener_direction", &1_u64.to_le_bytes()),
            ("response.code", &200_u64.to_le_bytes()),
        ] {
            host.properties.insert(path.to_owned(), value.to_vec());
        }
        let mut worker = Self {
            host,
            roots: BTreeMap::new(),
            leaving: Vec::new(),
            in_flight: Vec::new(),
        };
        worker.join(1, config);
        worker
    }

    /// Another root context.
    pub fn join(&mut self, root: u32, config: &str) {
        let filter = Filter::configure(&mut self.host, root, config.as_bytes(), &|_: &str| None);
        let filter = filter.unwrap_or_else(|| panic!("{:?}", self.host.log));
        self.roots.insert(root, filter);
    }

    /// Those that can be used: not those that were to go.
    pub fn roots(&self) -> Vec<u32> {
        self.roots
            .keys()
            .copied()
            .filter(|root| !self.leaving.contains(root))
            .collect()
    }

    /// So many requests, from their headers to their end.
    pub fn requests(&mut self, root: u32, count: usize) {
        for _ in 0..count {
            let mut stream = Stream::default();
            self.host
                .set_request(&[(":method", b"GET"), (":path", b"/")]);
            self.roots[&root].on_request(&mut self.host, &mut stream);
            self.roots[&root].on_log(&mut self.host, stream);
        }
    }

    /// The clock goes on.
    pub fn pass(&mut self, milliseconds: u64) {
        self.host.now += milliseconds * MILLISECOND;
    }

    /// The root contexts that have a tick, and its period.
    pub fn ticks(&self) -> Vec<(u32, u32)> {
        let ticks = self
            .host
            .ticks
            .iter()
            .map(|(root, period)| (*root, *period));
        ticks.filter(|(_, period)| *period > 0).collect()
    }

    /// The next tick of the only root context that has one.
    pub fn tick(&mut self) {
        let ticks = self.ticks();
        let [(root, period)] = ticks.as_slice() else {
            panic!("not one tick but {ticks:?}");
        };
        self.pass(u64::from(*period));
        self.tick_of(*root);
    }

    pub fn tick_of(&mut self, root: u32) {
        let before = self.host.sent.len();
        self.roots[&root].on_tick(&mut self.host, root);
        self.sent_by(root, before);
        self.dismiss();
    }

    /// The first call in flight is answered so.
    pub fn answer(&mut self, answer: Answered) {
        self.hand_over(0, Some(answer));
    }

    /// The host has no answer to the first call in flight.
    pub fn no_answer(&mut self) {
        self.hand_over(0, None);
    }

    /// What the host has for the call at that place.
    pub fn hand_over(&mut self, place: usize, answer: Option<Answered>) {
        let (root, token) = self.in_flight.remove(place);
        let headers = answer.is_some();
        self.host.answer = answer.unwrap_or_default();
        let before = self.host.sent.len();
        // One that is gone is not asked any more.
        if let Some(filter) = self.roots.get(&root) {
            filter.on_answer(&mut self.host, root, token, headers);
        }
        self.sent_by(root, before);
        self.dismiss();
    }

    /// The root context is to go, while others stay: whether it goes at once.
    pub fn leave(&mut self, root: u32) -> bool {
        self.go(root, true)
    }

    /// It goes as the last one.
    pub fn leave_with_the_vm(&mut self, root: u32) -> bool {
        self.go(root, false)
    }

    fn go(&mut self, root: u32, vm_stays: bool) -> bool {
        let before = self.host.sent.len();
        let can_go = self.roots[&root].on_leave(&mut self.host, root, vm_stays);
        self.sent_by(root, before);
        if can_go {
            self.roots.remove(&root);
            self.host.ticks.remove(&root);
        } else {
            self.leaving.push(root);
        }
        can_go
    }

    fn sent_by(&mut self, root: u32, before: usize) {
        let tokens = before..self.host.sent.len();
        self.in_flight
            .extend(tokens.map(|token| (root, token as u32)));
    }

    /// A root context that is done is gone, with its tick.
    fn dismiss(&mut self) {
        for root in &self.host.done {
            self.roots.remove(root);
            self.host.ticks.remove(root);
            self.leaving.retain(|leaving| leaving != root);
        }
    }

    /// What one metric says, by its readable name without `throughline.`; 0 where it is not there.
    pub fn metric(&self, name: &str) -> u64 {
        let metrics = self.host.metrics();
        metrics
            .get(&format!("throughline.{name}"))
            .copied()
            .unwrap_or(0)
    }

    /// Everything that is counted of spans: finished, exported, lost.
    pub fn counted(&self) -> [u64; 3] {
        let metrics = self.host.metrics();
        let lost = metrics.iter().filter(|(name, _)| {
            name.starts_with("throughline.spans{") && !name.contains("exported")
        });
        [
            self.metric("finished_spans"),
            self.metric("spans{outcome=exported}"),
            lost.map(|(_, count)| count).sum(),
        ]
    }

    /// What was logged since the last call of this, without the lines of the start.
    pub fn said(&mut self) -> Vec<String> {
        let lines = std::mem::take(&mut self.host.log).into_iter();
        let text = lines.map(|(_, line)| line);
        text.filter(|line| !line.contains("service.name="))
            .collect()
    }
}

/// The spans of a call, whose body is protobuf.
pub fn spans(call: &Sent) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(call.body.as_slice()).expect("protobuf");
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// An answer with that status and nothing else.
pub fn status(code: u16) -> Answered {
    Answered {
        headers: vec![(":status".to_owned(), code.to_string().into_bytes())],
        ..Answered::default()
    }
}
