//! What Envoy calls. Callbacks that the filter does not need are not exported, so Envoy does not enter the VM for them.

use super::{
    contexts,
    imports::{self, Envoy},
};
use crate::filter::{Filter, Stream};

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Runs once, before anything else.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the linker makes this function, and the host calls us once, before any other export.
    unsafe { __wasm_call_ctors() }
}

/// Says which ABI this is; never called.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for what the host hands over. A null pointer says that there is none, and the host's call fails.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    imports::allocate(size)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    contexts::create(context, root);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> bool {
    true
}

/// Always accepts: a refusal would reject the listener's configuration and leave new pods unready.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, _configuration_size: usize) -> bool {
    let environment =
        |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let configuration = imports::plugin_configuration();
    contexts::configure(
        root,
        Filter::configure(&mut Envoy, root, &configuration, &environment),
    );
    true
}

/// The action: always 0, continue.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _count: usize, _end_of_stream: bool) -> u32 {
    if let Some(filter) = contexts::filter(context) {
        let mut stream = Stream::default();
        filter.on_request(&mut Envoy, &mut stream);
        contexts::set_stream(context, stream);
    }
    0
}

/// The action: always 0, continue.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _count: usize, _end_of_stream: bool) -> u32 {
    if let Some((filter, reply)) = contexts::response(context) {
        filter.on_response(&mut Envoy, &reply);
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(context: u32) {
    if let Some((filter, stream)) = contexts::end_stream(context) {
        filter.on_log(&mut Envoy, stream);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    if let Some(filter) = contexts::filter(root) {
        filter.on_tick(&mut Envoy, root);
    }
}

/// No headers mean that there is no answer.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    token: u32,
    headers: usize,
    _body_size: usize,
    _trailers: usize,
) {
    if let Some(filter) = contexts::filter(root) {
        filter.on_answer(&mut Envoy, root, token, headers > 0);
    }
}

/// The last word on every context, so that `proxy_on_delete` need not be called for each. Whether the context can go:
/// a root that waits for answers says so later, by `proxy_done`.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(context: u32) -> bool {
    let can_go = match contexts::forget_unless_root(context) {
        Some(filter) => filter.on_leave(&mut Envoy, context, contexts::any_root_but(context)),
        None => true,
    };
    if can_go {
        contexts::delete(context);
    }
    can_go
}
