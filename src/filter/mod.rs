//! The filter over any host: configured once for each root context, then the corridor for each request.
//!
//! Only `proxy_wasm` meets a real host. What is here runs natively too, where tests count its host calls.

pub mod host;
mod lines;
mod metrics;
mod node;
mod process;
mod tags;

use self::{
    host::{Host, PropertyPath},
    metrics::{Counters, set_gauge},
    node::HostNode,
    tags::Tags,
};
use crate::{
    config::{self, Environment, Settings},
    engine::{self, Plan},
    policy::place::{Place, Proxy},
    propagation::HeaderWrite,
    text::one_line,
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
}

impl Filter {
    /// Compiles `config` and says so, or says what is wrong with it. Called once for each root context.
    pub fn configure(
        host: &mut impl Host,
        config: &[u8],
        environment: &impl Environment,
    ) -> Option<Self> {
        let plugin = host.property(&PropertyPath::new(["plugin_name"]));
        let plugin = plugin.unwrap_or_default();
        let loaded = config::load(config, environment);
        let rejected = process::count_rejected(host, &plugin, loaded.is_err());
        set_gauge(host, &[("version", VERSION)], "info", 1);
        set_gauge(host, &[], "config_rejected", rejected);
        let (level, line, most, filter) = match loaded {
            Ok(settings) => {
                let filter = Self::start(host, settings);
                let service = filter.settings.service.resolve(&mut HostNode(host));
                let line = lines::start(&filter.settings, filter.proxy, &service);
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

    fn start(host: &mut impl Host, settings: Settings) -> Self {
        let id = host.property(&PropertyPath::new(["xds", "node", "id"]));
        Self {
            counters: Counters::new(host),
            tags: Tags::new(&settings.tags, settings.sinks, host),
            proxy: Proxy::from_node_id(id.as_deref().unwrap_or_default()),
            settings,
        }
    }

    /// Everything for one request: read, decide, write. Without headers or randomness it is left alone.
    pub fn on_request(&self, host: &mut impl Host) {
        let Some(headers) = host.request_headers() else {
            return self.counters.abstained(host);
        };
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
        if self.settings.log >= log::LevelFilter::Debug {
            let line = lines::request(self.place(host), plan);
            host.log(log::Level::Debug, &one_line(&line));
        }
    }

    /// The node is known for good; the listener is asked each time it matters, since Envoy 1.40 gives one root context
    /// to all listeners of a plugin.
    fn place(&self, host: &mut impl Host) -> Place {
        let direction = host.property(&PropertyPath::new(["xds", "listener_direction"]));
        Place::new(self.proxy, direction.as_deref())
    }
}
