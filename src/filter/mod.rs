//! The filter over any host: configured once for each root context, then the corridor for each request.
//!
//! Only `proxy_wasm` meets a real host. What is here runs natively too, where tests count its host calls.

mod beside;
mod channel;
mod decision;
mod health;
mod hop;
pub mod host;
mod lines;
mod metrics;
mod neighbours;
mod node;
mod outcome;
mod process;
mod recording;
mod serving;
mod streaks;
mod tags;
mod tracer;

use self::{
    beside::Recorded,
    channel::{Channel, Shared},
    decision::{Decision, Role},
    hop::{Asked, Hop},
    host::{Host, PropertyPath},
    metrics::{Counters, set_gauge},
    neighbours::Neighbours,
    node::HostNode,
    recording::{Recorder, Recording},
    serving::Serving,
    tags::Tags,
    tracer::{Tracers, Watch},
};
use crate::{
    config::{self, Environment, Settings},
    engine::{self, Beside, Decided, LeftAlone, Mirrored, Plan, Spans},
    policy::{
        place::{Place, Proxy},
        resource, response,
        trust::{Action, Trust},
    },
    propagation::{self, HeaderWrite, HeaderWrites, Headers, TraceHeaders, tracecontext},
    span::{Identity, Sides},
    text::one_line,
    trace::{SpanContext, Text},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One configuration at work. It is never half there: with a bad configuration there is no filter, and requests
/// pass untouched.
#[derive(Debug)]
pub struct Filter {
    settings: Settings,
    trust: Trust,
    counters: Counters,
    tags: Tags,
    proxy: Proxy,
    neighbours: Neighbours,
    serving: Serving,
    tracers: Tracers,
    export: Option<Export>,
}

/// What it takes to export the hop's spans.
#[derive(Debug)]
struct Export {
    recorder: Recorder,
    channel: Shared,
}

/// One request.
#[derive(Debug, Default)]
pub struct Stream {
    stage: Stage,
    /// The application behind a sidecar has it.
    is_served: bool,
    /// What the response is to say.
    response: Option<Box<Reply>>,
}

impl Stream {
    /// Of which there is nothing more to say.
    pub const OVER: Self = Self {
        stage: Stage::Over,
        is_served: false,
        response: None,
    };

    /// What the response is to say; once.
    pub fn response(&mut self) -> Option<Box<Reply>> {
        self.response.take()
    }
}

/// Where a request stands.
#[derive(Debug, Default)]
enum Stage {
    /// Its headers were never seen. If it ends like this, an earlier filter answered it.
    #[default]
    Fresh,
    /// Nothing is left to do.
    Over,
    Decided(Unfinished),
}

/// What is left to do for a request that was decided on.
#[derive(Debug, Default)]
struct Unfinished {
    recording: Option<Box<Recording>>,
    /// Where Envoy may have a tracer of its own.
    watch: Option<Watch>,
    /// The request as it came, where a tracer's spans decide whether the filter's begin when it is over: a route may have
    /// rewritten it by then.
    came: Option<Headers>,
}

/// The trace and the hop's own span, as a traceparent.
#[derive(Debug)]
pub struct Reply(Text);

impl Filter {
    /// Compiles `config` and says so, or says what is wrong with it. Called once for each root context.
    pub fn configure(
        host: &mut impl Host,
        root: u32,
        config: &[u8],
        environment: &impl Environment,
    ) -> Option<Self> {
        let plugin = host.property(&PropertyPath::of("plugin_name"));
        let plugin = plugin.unwrap_or_default();
        let loaded = config::load(config, environment, &mut HostNode(host));
        let rejected = process::count_rejected(host, &plugin, loaded.is_err());
        set_gauge(host, &[("version", VERSION)], "info", 1);
        set_gauge(host, &[], "config_rejected", rejected);
        let (level, line, most, filter) = match loaded {
            Ok(settings) if !settings.enabled => {
                let proxy = Proxy::from_node_id(&node_id(host));
                (log::Level::Warn, lines::disabled(proxy), settings.log, None)
            }
            Ok(settings) => {
                let service = settings.service.resolve(&mut HostNode(host));
                let key = process::hash(&[config]);
                let filter = Self::start(host, root, &plugin, key, settings);
                let line = lines::start(&filter.settings, filter.proxy, &filter.trust, &service);
                let most = filter.settings.log;
                (log::Level::Warn, line, most, Some(filter))
            }
            Err(problem) => {
                let line = lines::rejection(&problem);
                (log::Level::Error, line, log::LevelFilter::Error, None)
            }
        };
        // Also what is not logged is remembered: it replaces what was logged before it.
        let is_news = process::is_news(host, &[&plugin, config, line.as_bytes()]);
        if is_news && level <= most {
            host.log(level, &one_line(&line));
        }
        filter
    }

    fn start(host: &mut impl Host, root: u32, plugin: &[u8], key: u64, settings: Settings) -> Self {
        let id = node_id(host);
        let proxy = Proxy::from_node_id(&id);
        let trust = Trust::of(&settings.trust, proxy, &mut HostNode(host));
        Self {
            counters: Counters::new(host, &settings.propagation.readers, &trust),
            tags: Tags::new(&settings, host),
            neighbours: Neighbours::new(host, plugin),
            serving: Serving::new(host),
            tracers: Tracers::new(settings.native_tracer, settings.log),
            export: Export::start(host, root, key, &settings, proxy, &id),
            proxy,
            trust,
            settings,
        }
    }

    /// Everything at a request's headers: read, decide, write. Without headers or randomness it is left alone.
    pub fn on_request(&self, host: &mut impl Host, stream: &mut Stream) {
        stream.stage = Stage::Over;
        if self.neighbours.have_seen_it(host) {
            return self.counters.stood_aside(host);
        }
        let hop = Hop::new(self.proxy);
        if hop.place(host) == Place::SidecarInbound {
            stream.is_served = true;
            self.serving.begin(host);
        }
        let Some(headers) = host.request_headers() else {
            return self.counters.left_alone(host, LeftAlone::NoRandomness);
        };
        let decision = self.decide(host, &headers, &hop);
        self.write(host, &headers, &decision);
        let mut unfinished = Unfinished::default();
        let mut decided = Decided::Before;
        match &decision.role {
            Ok(role) => {
                decided = role.decided();
                self.announce(host, role, &headers, decision.action, &hop);
                if let Role::Write(plan) = role {
                    stream.response = self.reply(host, plan, &hop);
                    let recording = self.record(plan, &headers, |host| Some(host.now()), host);
                    unfinished.recording = recording.map(Box::new);
                }
                let watch = || self.watch(role, decision.action, &headers);
                unfinished.watch = self.tracers.are_watched().then(watch);
            }
            Err(why) => {
                self.leave_alone(host, *why, &hop);
                if *why == LeftAlone::Ignored {
                    return;
                }
            }
        }
        let recording = unfinished.recording.as_deref_mut();
        self.tags
            .apply(host, &headers, decision.action, decided, recording);
        if self.export.is_some() && unfinished.watch.is_some_and(|watch| watch.tracer.is_some()) {
            unfinished.came = Some(headers);
        }
        stream.stage = Stage::Decided(unfinished);
    }

    /// Everything at a response's headers, for a request whose [`Stream::response`] says something.
    pub fn on_response(&self, host: &mut impl Host, reply: &Reply) {
        let traceparent = reply.0.as_bytes();
        let response = &self.settings.response;
        if let (Some(name), Some(trace_id)) = (&response.trace_id, traceparent.get(3..35)) {
            host.set_response_header(name, trace_id);
        }
        // What nobody has read must not be replaced.
        if response.server_timing
            && let Some(headers) = host.response_headers()
        {
            let list = response::server_timing(headers.all("server-timing"), traceparent);
            host.set_response_header("server-timing", &list);
        }
    }

    /// Everything at a request's end. One that an earlier filter answered is only seen here: it still gets its ids, for
    /// the access log, and its span.
    pub fn on_log(&self, host: &mut impl Host, stream: Stream) {
        if stream.is_served {
            self.serving.end(host);
        }
        match stream.stage {
            Stage::Over => {}
            Stage::Decided(Unfinished {
                recording,
                watch,
                came,
            }) => {
                let recording = recording.map(|recording| *recording);
                match watch {
                    Some(watch) => self.finish_watched(host, &watch, came.as_ref(), recording),
                    None => self.finish(host, recording),
                }
            }
            Stage::Fresh => {
                if self.neighbours.have_seen_it(host) {
                    return self.counters.stood_aside(host);
                }
                // Without a method there never was a request: Envoy could not read what came.
                let Some(headers) = host
                    .request_headers()
                    .filter(|headers| headers.first(":method").is_some())
                else {
                    return;
                };
                let hop = Hop::new(self.proxy);
                let decision = self.decide(host, &headers, &hop);
                let role = match decision.role {
                    Ok(role) => role,
                    Err(why) => return self.leave_alone(host, why, &hop),
                };
                self.announce(host, &role, &headers, decision.action, &hop);
                let recorded = match &role {
                    Role::Write(plan) => Recorded {
                        recording: self.record(plan, &headers, outcome::request_time, host),
                        decided: plan.decided,
                    },
                    Role::Mirror(Mirrored { plan, .. }, _) => {
                        let watch = self.watch(&role, decision.action, &headers);
                        self.record_beside(host, &headers, &hop, &plan.context, &watch)
                    }
                    Role::StandBack(..) => {
                        let watch = self.watch(&role, decision.action, &headers);
                        self.record_alone(host, &headers, &hop, &watch)
                    }
                };
                let Recorded {
                    mut recording,
                    decided,
                } = recorded;
                self.tags.tell(host, &headers, decided, recording.as_mut());
                self.finish(host, recording);
            }
        }
    }

    /// The root context's time to send.
    pub fn on_tick(&self, host: &mut impl Host, root: u32) {
        self.with_channel(|channel| channel.tick(host, root));
    }

    /// The answer to one of the root context's calls; without `headers` there was none.
    pub fn on_answer(&self, host: &mut impl Host, root: u32, token: u32, headers: bool) {
        self.with_channel(|channel| channel.answer(host, root, token, headers));
    }

    /// The root context is to go. Returns whether it can go now; if not, the host is told when it can. `vm_stays` says
    /// whether anybody will be there to hear of an answer.
    pub fn on_leave(&self, host: &mut impl Host, root: u32, vm_stays: bool) -> bool {
        self.with_channel(|channel| channel.leave(host, root, vm_stays))
            .unwrap_or(true)
    }

    fn with_channel<T>(&self, act: impl FnOnce(&mut Channel) -> T) -> Option<T> {
        let export = self.export.as_ref()?;
        // Nobody holds it across a call of the host that could lead back here.
        Some(act(&mut *export.channel.try_borrow_mut().ok()?))
    }

    fn decide<H: Host>(&self, host: &mut H, headers: &Headers, hop: &Hop) -> Decision {
        let Settings {
            propagation,
            sampler,
            ..
        } = &self.settings;
        let mut asked = Asked { hop, headers, host };
        let action = self.trust.action(headers, &mut asked);
        // Who may: the application behind a sidecar, or a workload of the mesh.
        let asked = sampler.is_asked_for(headers);
        let may_force = asked.is_some()
            && action == Action::Continue
            && (hop.place(host) == Place::SidecarOutbound || hop.is_authenticated(host));
        let may_not_force = asked.is_some() && !may_force;
        let decision = |role| Decision {
            action,
            role,
            may_not_force,
        };
        if let Some(tracer) = self.tracers.of_request(host, hop) {
            match engine::beside(propagation, headers, action, tracer.writes, tracer.decides) {
                Ok(Beside::Alone) => {}
                Ok(Beside::Continues(mirrored)) => {
                    return decision(Ok(Role::Mirror(mirrored, tracer)));
                }
                Ok(Beside::Alters(handed)) => {
                    return decision(Ok(Role::StandBack(handed, tracer)));
                }
                Err(why) => return decision(Err(why)),
            }
        }
        let is_forced = asked == Some(true) && may_force;
        let plan = self.begin(host, headers, action, is_forced, hop);
        decision(plan.map(Role::Write))
    }

    /// A context of the filter's own, with spans where there is somebody to export them to.
    fn begin<H: Host>(
        &self,
        host: &mut H,
        headers: &Headers,
        action: Action,
        is_forced: bool,
        hop: &Hop,
    ) -> Result<Plan, LeftAlone> {
        let Settings {
            propagation,
            sampler,
            ..
        } = &self.settings;
        let sides = |host: &mut H| Sides::of(self.proxy, hop.direction(host));
        let record = self.export.as_ref().map(|_| sides);
        engine::begin(
            propagation,
            sampler,
            headers,
            action,
            is_forced,
            record,
            host,
        )
    }

    /// What is to be found out when the request is over.
    fn watch(&self, role: &Role, action: Action, headers: &Headers) -> Watch {
        role.watch(self.settings.sampler.parent_based, action, headers)
    }

    /// Makes the headers what was decided.
    fn write(&self, host: &mut impl Host, headers: &Headers, decision: &Decision) {
        let nothing = HeaderWrites::default();
        let writes = decision.role.as_ref().map_or(&nothing, Role::writes);
        for write in writes.iter() {
            match write {
                HeaderWrite::Set(name, value) => host.set_request_header(name, value.as_bytes()),
                HeaderWrite::Remove(name) => host.remove_request_header(name),
            }
        }
        let force = self.settings.sampler.force_header.as_deref();
        let force = force.filter(|_| decision.may_not_force);
        match (decision.action, force) {
            (Action::Restart | Action::Strip, _) => {
                let erased = propagation::erase(headers, writes, force);
                for name in &erased {
                    host.remove_request_header(name);
                }
                if decision.role.is_err() && !erased.is_empty() {
                    neighbours::mark(host);
                }
            }
            (Action::Continue, Some(force)) => host.remove_request_header(force),
            (Action::Continue, None) | (Action::Ignore, _) => {}
        }
        if decision.action == Action::Strip {
            self.counters.stripped(host);
        }
    }

    fn leave_alone(&self, host: &mut impl Host, why: LeftAlone, hop: &Hop) {
        self.counters.left_alone(host, why);
        if why == LeftAlone::Ignored && self.settings.log >= log::LevelFilter::Debug {
            let line = lines::ignored(hop.place(host));
            host.log(log::Level::Debug, &line);
        }
    }

    /// What the response says. What leaves a sidecar is asked by its own application, which knows its trace.
    fn reply(&self, host: &mut impl Host, plan: &Plan, hop: &Hop) -> Option<Box<Reply>> {
        let is_callers =
            self.settings.response.says_anything() && hop.place(host) != Place::SidecarOutbound;
        is_callers.then(|| {
            let context = SpanContext {
                span_id: plan.hops_span(),
                ..plan.context
            };
            Box::new(Reply(tracecontext::traceparent(&context)))
        })
    }

    /// Counts a call without any context, in whatever format, of an application that serves a request.
    fn count_gap(&self, host: &mut impl Host, role: &Role, headers: &Headers, hop: &Hop) {
        if role.begins()
            && hop.place(host) == Place::SidecarOutbound
            && !TraceHeaders::of(headers).are_any()
            && self.serving.is_any(host)
        {
            self.counters.propagation_gap(host);
        }
    }

    /// Tells the access log, the counters and the debug log.
    fn announce(
        &self,
        host: &mut impl Host,
        role: &Role,
        headers: &Headers,
        action: Action,
        hop: &Hop,
    ) {
        self.count_gap(host, role, headers, hop);
        let plan = match role {
            Role::Write(plan) | Role::Mirror(Mirrored { plan, .. }, _) => plan,
            Role::StandBack(handed, _) => {
                // The tracer's ids are there when it is over.
                neighbours::mark(host);
                return self.counters.request(host, handed.origin);
            }
        };
        tell_access_log(host, &plan.context, plan.spans, None);
        self.counters.request(host, plan.origin);
        if plan.conflict {
            self.counters.conflict(host);
        }
        for rejection in plan.rejections.into_iter().flatten() {
            self.counters.rejected(host, rejection);
        }
        if self.settings.log >= log::LevelFilter::Debug {
            let line = lines::request(hop.place(host), plan, action);
            host.log(log::Level::Debug, &one_line(&line));
        }
    }

    fn record<H: Host>(
        &self,
        plan: &Plan,
        headers: &Headers,
        start: impl FnOnce(&mut H) -> Option<u64>,
        host: &mut H,
    ) -> Option<Recording> {
        let (export, spans) = (self.export.as_ref()?, plan.spans?);
        let at = start(host)?;
        Some(export.recorder.begin(plan, &spans, headers, at))
    }

    fn finish(&self, host: &mut impl Host, recording: Option<Recording>) {
        let (Some(export), Some(recording)) = (&self.export, recording) else {
            return;
        };
        let (spans, now) = export.recorder.finish(host, recording);
        self.with_channel(|channel| {
            for span in spans.into_iter().flatten() {
                channel.offer(host, &span, now);
            }
        });
    }
}

impl Export {
    fn start(
        host: &mut impl Host,
        root: u32,
        key: u64,
        settings: &Settings,
        proxy: Proxy,
        node_id: &[u8],
    ) -> Option<Self> {
        let export = settings.export.as_ref()?;
        let mut node = HostNode(host);
        let service_name = settings.service.resolve(&mut node);
        let node_id = String::from_utf8_lossy(node_id);
        let identity = Identity::of(&mut node, &node_id, proxy != Proxy::Plain);
        let attributes = resource::resolve(&settings.service, &settings.resource, &mut node);
        Some(Self {
            recorder: Recorder::new(
                export.protocol.encoding(),
                settings.spans,
                settings.redaction.clone(),
                settings.service.clone(),
                service_name,
                &identity,
            ),
            channel: channel::join(key, root, || Channel::open(host, export, &attributes)),
        })
    }
}

/// Tells the access log which context the request has, and which span the hop is; what it was `told` before, it knows.
fn tell_access_log(
    host: &mut impl Host,
    context: &SpanContext,
    spans: Option<Spans>,
    told: Option<&SpanContext>,
) {
    if told.is_none_or(|told| told.trace_id != context.trace_id) {
        host.set_filter_state("throughline.trace_id", context.trace_id.text().as_bytes());
    }
    let span_id = spans.map_or(context.span_id, |spans| spans.outer);
    host.set_filter_state("throughline.span_id", span_id.text().as_bytes());
    if let Some(parent) = spans.and_then(|spans| spans.parent) {
        host.set_filter_state("throughline.parent_id", parent.text().as_bytes());
    }
    let is_sampled = context.sampling.is_sampled();
    if told.is_none_or(|told| told.sampling.is_sampled() != is_sampled) {
        let sampled: &[u8] = if is_sampled { b"true" } else { b"false" };
        host.set_filter_state("throughline.sampled", sampled);
    }
}

fn node_id(host: &mut impl Host) -> Vec<u8> {
    host.property(&PropertyPath::of("xds\0node\0id"))
        .unwrap_or_default()
}
