//! What the filter asks of the proxy it runs in. Nothing here can fail in a way that stops a request.

use core::num::NonZeroU32;
use std::borrow::Cow;

use super::process;
use crate::{engine::Randomness, policy::sampling::Allowance, propagation::Headers};

/// A property's path as the host takes it: elements with a zero byte between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyPath(Cow<'static, [u8]>);

impl PropertyPath {
    pub fn new<'a>(elements: impl IntoIterator<Item = &'a str>) -> Self {
        let elements: Vec<&[u8]> = elements.into_iter().map(str::as_bytes).collect();
        Self(Cow::Owned(elements.join(&0)))
    }

    /// A path that is known beforehand, its elements already with zeros between them.
    pub const fn of(path: &'static str) -> Self {
        Self(Cow::Borrowed(path.as_bytes()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The host's handle for a compiled expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expression(pub u32);

/// The host's handle for one counter or gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    Counter,
    Gauge,
}

/// A value in the process-wide store, with the version that a write must name.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub value: Option<Vec<u8>>,
    pub version: Option<u32>,
}

/// One HTTP request of the filter's own.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub cluster: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    /// Milliseconds.
    pub timeout: u32,
}

/// The host sends nothing: it has no cluster of that name, or the cluster has no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSent;

/// Every method is one call of the host.
pub trait Host: Randomness {
    /// `None` where the host cannot hand them over.
    fn request_headers(&mut self) -> Option<Headers>;
    /// Replaces all values of `name` by this one.
    fn set_request_header(&mut self, name: &str, value: &[u8]);
    fn remove_request_header(&mut self, name: &str);
    /// `None` where the host cannot hand them over.
    fn response_headers(&mut self) -> Option<Headers>;
    /// Replaces all values of `name` by this one.
    fn set_response_header(&mut self, name: &str, value: &[u8]);
    /// `None` where there is none, or where the host cannot serialise it.
    fn property(&mut self, path: &PropertyPath) -> Option<Vec<u8>>;
    /// Compiles an expression over properties, for [`evaluate`](Self::evaluate) in this root context and its streams.
    /// `None` where the host has no expressions.
    fn compile(&mut self, expression: &str) -> Option<Expression>;
    /// The elements of the list that the expression makes, each as the bytes of its property and a second, empty
    /// text. `None` where one of its properties has no value.
    fn evaluate(&mut self, expression: Expression) -> Option<Headers>;
    /// Sets `wasm.<name>` in the request's filter state.
    fn set_filter_state(&mut self, name: &str, value: &[u8]);
    fn define_metric(&mut self, kind: MetricKind, name: &str) -> Option<MetricId>;
    fn increment(&mut self, metric: MetricId, by: u64);
    fn record(&mut self, metric: MetricId, value: u64);
    /// Moves a gauge.
    fn add(&mut self, gauge: MetricId, by: i64);
    fn value(&mut self, metric: MetricId) -> Option<u64>;
    /// Nanoseconds since the epoch.
    fn now(&mut self) -> u64;
    fn log(&mut self, level: log::Level, message: &str);
    fn shared(&mut self, key: &str) -> Shared;
    /// Whether the value was stored: it is not, when one is there by another version, as another thread was faster. 0 stores in
    /// any case.
    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool;
    /// Sends a request and returns its token, by which the answer will be known. Only for root contexts.
    fn call(&mut self, call: Call<'_>) -> Result<u32, NotSent>;
    /// The headers of the answer that is being handed over.
    fn answer_headers(&mut self) -> Option<Headers>;
    /// Its trailers.
    fn answer_trailers(&mut self) -> Option<Headers>;
    /// At most `most` bytes of its body.
    fn answer_body(&mut self, most: usize) -> Vec<u8>;
    /// Lets `root` be woken every so many milliseconds; 0 ends it.
    fn set_tick(&mut self, root: u32, milliseconds: u32);
    /// `root`, which had asked to stay when it was to go, can go.
    fn done(&mut self, root: u32);
}

/// All workers of the proxy draw on one allowance.
impl<H: Host> Allowance for H {
    fn admits(&mut self, per_second: NonZeroU32) -> bool {
        process::admits(self, per_second.get())
    }
}
