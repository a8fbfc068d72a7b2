//! Envoy through proxy-wasm: the only file that calls the host.
//!
//! The SDK's `hostcalls` serve wherever they cannot panic. Three functions are called through imports of our own,
//! because the SDK unwraps what they answer: properties (it panics on a status that it does not list), filter state
//! (likewise) and the header map (it panics on a name that is not UTF-8, and copies every name and value).

#![expect(
    unsafe_code,
    reason = "the ABI's imports, and the buffers that the host allocates"
)]

use std::rc::Rc;

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType},
};

use super::{
    Filter,
    host::{Host, MetricId, MetricKind, PropertyPath, Shared},
};
use crate::{
    engine::{NoRandomness, Randomness},
    propagation::Headers,
};

proxy_wasm::main! {{
    // Sends a panic's message to Envoy's log; levels are our own affair.
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { filter: None }));
}}

/// A root context: one for each configuration, listener and worker.
struct Root {
    filter: Option<Rc<Filter>>,
}

impl Context for Root {}

impl RootContext for Root {
    /// Always accepts: a refusal would reject the listener's configuration and leave new pods unready.
    fn on_configure(&mut self, _size: usize) -> bool {
        let config = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX)
            .ok()
            .flatten()
            .unwrap_or_default();
        let environment =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        self.filter = Filter::configure(&mut Envoy, &config, &environment).map(Rc::new);
        true
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            filter: self.filter.clone(),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request. It keeps the configuration it began with.
struct Stream {
    filter: Option<Rc<Filter>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(filter) = &self.filter {
            filter.on_request(&mut Envoy);
        }
        Action::Continue
    }
}

/// The host, for whichever context is being called.
struct Envoy;

const OK: u32 = 0;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(
        map: MapType,
        return_data: *mut *mut u8,
        return_size: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        return_data: *mut *mut u8,
        return_size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
}

/// What the host wrote through `call`, if it wrote anything.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data = core::ptr::null_mut();
    let mut size = 0;
    let status = call(&raw mut data, &raw mut size);
    if status != OK {
        return None;
    }
    if data.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: the host allocated `size` bytes through `proxy_on_memory_allocate`, which hands out a boxed slice of
    // exactly that length, and gave it to us.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}

impl Randomness for Envoy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}

impl Host for Envoy {
    fn request_headers(&mut self) -> Headers {
        // SAFETY: both pointers are to locals of `returned`.
        let pairs = returned(|data, size| unsafe {
            proxy_get_header_map_pairs(MapType::HttpRequestHeaders, data, size)
        });
        Headers::from_serialized(pairs.unwrap_or_default())
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) {
        let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value));
    }

    fn remove_request_header(&mut self, name: &str) {
        let _ = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
    }

    fn property(&mut self, path: &PropertyPath) -> Option<Vec<u8>> {
        let path = path.as_bytes();
        // SAFETY: `path` outlives the call, and the other pointers are to locals of `returned`.
        returned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
    }

    fn set_filter_state(&mut self, name: &str, value: &[u8]) {
        // SAFETY: both slices outlive the call. A failure leaves the state unset; there is nobody to tell.
        let _ =
            unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    }

    fn define_metric(&mut self, kind: MetricKind, name: &str) -> Option<MetricId> {
        let kind = match kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
        };
        hostcalls::define_metric(kind, name).ok().map(MetricId)
    }

    fn increment(&mut self, metric: MetricId) {
        let _ = hostcalls::increment_metric(metric.0, 1);
    }

    fn record(&mut self, metric: MetricId, value: u64) {
        let _ = hostcalls::record_metric(metric.0, value);
    }

    fn log(&mut self, level: log::Level, message: &str) {
        let level = match level {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Trace => LogLevel::Trace,
        };
        let _ = hostcalls::log(level, message);
    }

    fn shared(&mut self, key: &str) -> Shared {
        let (value, version) = hostcalls::get_shared_data(key).unwrap_or_default();
        Shared { value, version }
    }

    fn set_shared(&mut self, key: &str, value: &[u8], version: Option<u32>) -> bool {
        hostcalls::set_shared_data(key, Some(value), version).is_ok()
    }
}
