//! What Envoy offers: each host function once, wrapped so that no answer of the host can panic.

use core::ptr;
use std::alloc::{Layout, alloc};

use crate::{
    engine::{NoRandomness, Randomness},
    filter::host::{Call, Expression, Host, MetricId, MetricKind, NotSent, PropertyPath, Shared},
    propagation::Headers,
};

/// `WasmResult::Ok`.
const OK: u32 = 0;
/// `MapType::HttpRequestHeaders`.
const REQUEST_HEADERS: u32 = 0;
/// `MapType::HttpResponseHeaders`.
const RESPONSE_HEADERS: u32 = 2;
/// `MapType::HttpCallResponseHeaders`.
const ANSWER_HEADERS: u32 = 6;
/// `MapType::HttpCallResponseTrailers`.
const ANSWER_TRAILERS: u32 = 7;
/// `BufferType::HttpCallResponseBody`.
const ANSWER_BODY: u32 = 4;
/// `BufferType::PluginConfiguration`.
const PLUGIN_CONFIGURATION: u32 = 7;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        most: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_done() -> u32;
}

// SAFETY, for every call below: slices outlive the call that is given their pointer and length, and pointers to
// locals are written by the host before it returns. A status other than OK means that nothing was done, and for
// what is only written there is nobody to tell.

/// Memory that the host fills and [`returned`] takes over; null where there is none, or none is wanted.
pub fn allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the layout has a size.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}

/// What the host wrote through `call`; `None` where it has nothing.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data = ptr::null_mut();
    let mut size = 0;
    let status = call(&raw mut data, &raw mut size);
    if status != OK {
        return None;
    }
    if data.is_null() || size == 0 {
        return Some(Vec::new());
    }
    // SAFETY: the host asked `allocate` for `size` bytes, wrote all of them, and passes that pointer on; the layout is
    // that of a vector with this capacity, and nobody else holds it.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}

pub fn plugin_configuration() -> Vec<u8> {
    returned(|data, size| unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, data, size)
    })
    .unwrap_or_default()
}

/// Replaces all values of `name`.
fn replace(map: u32, name: &str, value: &[u8]) {
    let _ = unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    };
}

fn pairs(map: u32) -> Option<Headers> {
    returned(|data, size| unsafe { proxy_get_header_map_pairs(map, data, size) })
        .map(Headers::from_serialized)
}

/// One of Envoy's own functions (source/extensions/common/wasm/foreign.cc).
fn foreign(name: &str, argument: &[u8]) -> Option<Vec<u8>> {
    returned(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            data,
            size,
        )
    })
}

/// The host, for whichever context is being called.
pub struct Envoy;

impl Randomness for Envoy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        super::randomness::fill(bytes)
    }
}

impl Host for Envoy {
    fn request_headers(&mut self) -> Option<Headers> {
        pairs(REQUEST_HEADERS)
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) {
        replace(REQUEST_HEADERS, name, value);
    }

    fn remove_request_header(&mut self, name: &str) {
        let _ =
            unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) };
    }

    fn response_headers(&mut self) -> Option<Headers> {
        pairs(RESPONSE_HEADERS)
    }

    fn set_response_header(&mut self, name: &str, value: &[u8]) {
        replace(RESPONSE_HEADERS, name, value);
    }

    fn property(&mut self, path: &PropertyPath) -> Option<Vec<u8>> {
        let path = path.as_bytes();
        returned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
    }

    fn compile(&mut self, expression: &str) -> Option<Expression> {
        let token = foreign("expr_create", expression.as_bytes())?;
        Some(Expression(u32::from_le_bytes(token.try_into().ok()?)))
    }

    fn evaluate(&mut self, expression: Expression) -> Option<Headers> {
        foreign("expr_evaluate", &expression.0.to_le_bytes()).map(Headers::from_serialized)
    }

    fn set_filter_state(&mut self, name: &str, value: &[u8]) {
        let _ =
            unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    }

    fn define_metric(&mut self, kind: MetricKind, name: &str) -> Option<MetricId> {
        let kind = match kind {
            MetricKind::Counter => 0,
            MetricKind::Gauge => 1,
        };
        let mut id = 0;
        let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
        (status == OK).then_some(MetricId(id))
    }

    fn increment(&mut self, metric: MetricId, by: u64) {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let _ = unsafe { proxy_increment_metric(metric.0, by) };
    }

    fn record(&mut self, metric: MetricId, value: u64) {
        let _ = unsafe { proxy_record_metric(metric.0, value) };
    }

    fn add(&mut self, gauge: MetricId, by: i64) {
        let _ = unsafe { proxy_increment_metric(gauge.0, by) };
    }

    fn value(&mut self, metric: MetricId) -> Option<u64> {
        let mut value = 0;
        let status = unsafe { proxy_get_metric(metric.0, &raw mut value) };
        (status == OK).then_some(value)
    }

    fn now(&mut self) -> u64 {
        let mut nanoseconds = 0;
        let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
        nanoseconds
    }

    fn log(&mut self, level: log::Level, message: &str) {
        let level = match level {
            log::Level::Trace => 0,
            log::Level::Debug => 1,
            log::Level::Info => 2,
            log::Level::Warn => 3,
            log::Level::Error => 4,
        };
        let _ = unsafe { proxy_log(level, message.as_ptr(), message.len()) };
    }

    fn shared(&mut self, key: &str) -> Shared {
        let mut version = 0;
        let value = returned(|data, size| unsafe {
            proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version)
        });
        Shared {
            value,
            version: (version != 0).then_some(version),
        }
    }

    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        let status = unsafe {
            proxy_set_shared_data(
                key.as_ptr(),
                key.len(),
                value.as_ptr(),
                value.len(),
                version,
            )
        };
        status == OK
    }

    fn call(&mut self, call: Call<'_>) -> Result<u32, NotSent> {
        const NO_TRAILERS: [u8; 4] = [0; 4];
        let headers = Headers::serialize(call.headers);
        let mut token = 0;
        let status = unsafe {
            proxy_http_call(
                call.cluster.as_ptr(),
                call.cluster.len(),
                headers.as_ptr(),
                headers.len(),
                call.body.as_ptr(),
                call.body.len(),
                NO_TRAILERS.as_ptr(),
                NO_TRAILERS.len(),
                call.timeout,
                &raw mut token,
            )
        };
        if status == OK {
            Ok(token)
        } else {
            Err(NotSent)
        }
    }

    fn answer_headers(&mut self) -> Option<Headers> {
        pairs(ANSWER_HEADERS)
    }

    fn answer_trailers(&mut self) -> Option<Headers> {
        pairs(ANSWER_TRAILERS)
    }

    fn answer_body(&mut self, most: usize) -> Vec<u8> {
        returned(|data, size| unsafe { proxy_get_buffer_bytes(ANSWER_BODY, 0, most, data, size) })
            .unwrap_or_default()
    }

    fn set_tick(&mut self, root: u32, milliseconds: u32) {
        // The period belongs to the root of the effective context, which lasts until the host's call of us ends.
        let _ = unsafe { proxy_set_effective_context(root) };
        let _ = unsafe { proxy_set_tick_period_milliseconds(milliseconds) };
    }

    fn done(&mut self, root: u32) {
        let _ = unsafe { proxy_set_effective_context(root) };
        let _ = unsafe { proxy_done() };
        super::contexts::delete(root);
    }
}
