//! The filter over any host: configured once for each root context, then the corridor for each request.
//!
//! Only `proxy_wasm` meets a real host. What is here runs natively too, where tests count its host calls.

mod announce;
pub mod host;
mod log;
mod metrics;
mod tags;

use core::{cell::Cell, fmt};

use self::{
    host::{Host, PropertyPath},
    metrics::{Counters, set_gauge},
    tags::Tags,
};
use crate::{
    config::{self, Environment, Problem, Settings},
    engine::{self, Plan},
    policy::{
        place::{Place, Proxy},
        sampling::RootSampler,
        service,
        tags::{clean, decimal},
    },
    propagation::{Format, HeaderWrite, StaleHeaders, tracecontext},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One configuration at work. It is never half there: with a bad configuration there is no filter, and requests
/// pass untouched.
#[derive(Debug)]
pub struct Filter {
    settings: Settings,
    counters: Counters,
    tags: Tags,
    proxy: Proxy,
    /// The listener's side; the host knows it only once a request is there.
    place: Cell<Option<Place>>,
}

impl Filter {
    /// Compiles `config` and says so, or says what is wrong with it. Called once for each root context.
    pub fn configure(
        host: &mut impl Host,
        config: &[u8],
        environment: &impl Environment,
    ) -> Option<Self> {
        set_gauge(host, &[("version", VERSION)], "info", 1);
        let loaded = config::load(config, environment);
        set_gauge(host, &[], "config_rejected", loaded.is_err().into());
        match loaded {
            Ok(settings) => Some(Self::start(host, settings)),
            Err(problem) => {
                announce(host, ::log::Level::Error, &rejection(&problem));
                None
            }
        }
    }

    fn start(host: &mut impl Host, settings: Settings) -> Self {
        let id = host.property(&PropertyPath::new(["xds", "node", "id"]));
        let filter = Self {
            counters: Counters::new(host),
            tags: Tags::new(&settings.tags, settings.sinks, host),
            proxy: Proxy::from_node_id(id.as_deref().unwrap_or_default()),
            place: Cell::new(None),
            settings,
        };
        if filter.settings.log >= ::log::LevelFilter::Warn {
            let service = filter.settings.service.resolve(&mut Node(host));
            let line = filter.start_line(&service);
            announce(host, ::log::Level::Warn, &line);
        }
        filter
    }

    /// Everything for one request: read, decide, write.
    pub fn on_request(&self, host: &mut impl Host) {
        let headers = host.request_headers();
        let Settings {
            propagation,
            sampler,
            ..
        } = &self.settings;
        match engine::begin(propagation, sampler, &headers, host) {
            Ok(plan) => self.carry_out(host, &plan),
            Err(engine::NoRandomness) => self.counters.abstained(host),
        }
        self.tags.apply(host, &headers);
    }

    fn carry_out(&self, host: &mut impl Host, plan: &Plan) {
        for write in plan.writes.iter() {
            match write {
                HeaderWrite::Set(name, value) => host.set_request_header(name, value.as_bytes()),
                HeaderWrite::Remove(name) => host.remove_request_header(name),
            }
        }
        let context = &plan.context;
        host.set_filter_state("throughline.trace_id", context.trace_id.text().as_bytes());
        host.set_filter_state("throughline.span_id", context.span_id.text().as_bytes());
        let sampled: &[u8] = if context.sampling.is_sampled() {
            b"true"
        } else {
            b"false"
        };
        host.set_filter_state("throughline.sampled", sampled);
        self.counters.request(host, plan.origin);
        if plan.conflict {
            self.counters.conflict(host);
        }
        for rejection in plan.rejections.into_iter().flatten() {
            self.counters.rejected(host, rejection);
        }
        if self.settings.log >= ::log::LevelFilter::Debug {
            let line = self.request_line(host, plan);
            host.log(::log::Level::Debug, &log::line(&line));
        }
    }

    fn place(&self, host: &mut impl Host) -> Place {
        self.place.get().unwrap_or_else(|| {
            let direction = host.property(&PropertyPath::new(["xds", "listener_direction"]));
            let place = Place::new(self.proxy, direction.as_deref());
            self.place.set(Some(place));
            place
        })
    }

    fn request_line(&self, host: &mut impl Host, plan: &Plan) -> String {
        let rejected: String = plan
            .rejections
            .iter()
            .flatten()
            .map(|rejection| {
                format!(
                    " rejected={}/{}",
                    rejection.format.name(),
                    rejection.reason.name()
                )
            })
            .collect();
        format!(
            "{} {} origin={}{}{rejected}",
            self.place(host),
            String::from_utf8_lossy(tracecontext::traceparent(&plan.context).as_bytes()),
            plan.origin.name(),
            if plan.conflict { " conflict" } else { "" },
        )
    }

    fn start_line(&self, service: &str) -> String {
        let Settings {
            propagation,
            sampler,
            tags,
            ..
        } = &self.settings;
        let ratio = match sampler.root {
            RootSampler::TraceIdRatio(ratio) => {
                format!("({})", decimal(ratio.probability()).unwrap_or_default())
            }
            RootSampler::AlwaysOn | RootSampler::AlwaysOff => String::new(),
        };
        let stale = match propagation.stale_headers {
            StaleHeaders::Rewrite => "rewrite",
            StaleHeaders::Remove => "remove",
        };
        format!(
            "throughline {VERSION} on {}: service.name={service} sampler={}{ratio} extract={} inject={} \
             staleHeaders={stale} tags={}",
            self.proxy,
            sampler.name(),
            Names(&propagation.readers),
            Names(&propagation.inject),
            tags.len(),
        )
    }
}

fn rejection(problem: &Problem) -> String {
    format!("throughline {VERSION}: configuration rejected, requests pass untouched: {problem}")
}

/// Logs `line` once for each process, plugin and configuration.
fn announce(host: &mut impl Host, level: ::log::Level, line: &str) {
    let plugin = host.property(&PropertyPath::new(["plugin_name"]));
    if announce::is_news(host, plugin.as_deref().unwrap_or_default(), line) {
        host.log(level, &log::line(line));
    }
}

struct Names<'a>(&'a [Format]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|format| format.name()).collect();
        f.write_str(&names.join(","))
    }
}

/// The node, asked of the host.
struct Node<'a, H>(&'a mut H);

impl<H: Host> Node<'_, H> {
    fn text<'p>(&mut self, path: impl IntoIterator<Item = &'p str>) -> Option<String> {
        let path = PropertyPath::new(["xds", "node"].into_iter().chain(path));
        let text = self.0.property(&path).and_then(|bytes| clean(&bytes));
        text.filter(|text| !text.is_empty())
    }
}

impl<H: Host> service::Node for Node<'_, H> {
    fn metadata(&mut self, path: &[&str]) -> Option<String> {
        self.text(["metadata"].into_iter().chain(path.iter().copied()))
    }

    fn cluster(&mut self) -> Option<String> {
        self.text(["cluster"])
    }
}
