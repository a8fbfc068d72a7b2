//! The filter over a fake host that holds one request and counts every call.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;

use throughline::{
    engine::{NoRandomness, Randomness},
    filter::{
        Filter, Stream,
        host::{Call, Expression, Host, MetricId, MetricKind, NotSent, PropertyPath, Shared},
    },
    propagation::Headers,
};

/// A host in memory. What the filter asks of it is counted by the method's name.
#[derive(Debug, Default)]
pub struct FakeHost {
    pub headers: Vec<(String, Vec<u8>)>,
    pub response: Vec<(String, Vec<u8>)>,
    /// By dotted path, as `xds.node.id`.
    pub properties: BTreeMap<String, Vec<u8>>,
    /// An old host, whose properties are asked one by one.
    pub without_expressions: bool,
    /// The paths of each compiled one.
    expressions: Vec<Vec<String>>,
    pub filter_state: BTreeMap<String, Vec<u8>>,
    pub log: Vec<(log::Level, String)>,
    pub calls: BTreeMap<&'static str, usize>,
    pub without_randomness: bool,
    pub without_headers: bool,
    /// Nanoseconds since the epoch.
    pub now: u64,
    /// Requests of the filter's own, by token.
    pub sent: Vec<Sent>,
    /// Clusters that are not there.
    pub without_clusters: bool,
    /// What answers, while it is handed over.
    pub answer: Answered,
    /// The tick of each root context, in milliseconds.
    pub ticks: BTreeMap<u32, u32>,
    /// Root contexts that may go.
    pub done: Vec<u32>,
    pub shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// What another worker stores just before the next metric is recorded.
    pub meanwhile: Option<(&'static str, Vec<u8>)>,
    /// What the clock says once the store was read: the worker stood still.
    pub now_after_shared: Option<u64>,
    /// What another worker stores just after this is next read.
    pub raced: Option<(&'static str, Vec<u8>)>,
    metrics: Vec<(String, u64)>,
}

/// A request of the filter's own.
#[derive(Clone, Debug)]
pub struct Sent {
    pub cluster: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Milliseconds.
    pub timeout: u32,
}

/// An answer to one of them.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl FakeHost {
    fn count(&mut self, call: &'static str) {
        *self.calls.entry(call).or_default() += 1;
    }

    pub fn with_request(mut self, request: &[(&str, &[u8])]) -> Self {
        self.set_request(request);
        self
    }

    pub fn set_request(&mut self, request: &[(&str, &[u8])]) {
        self.headers = request
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
            .collect();
    }

    /// What another worker does to a gauge.
    pub fn change_metric(&mut self, name: &str, by: i64) {
        let id = self.define_metric(MetricKind::Gauge, name).unwrap();
        self.add(id, by);
    }

    /// Metrics by their readable name, `throughline.requests{origin=b3}`.
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        self.metrics
            .iter()
            .map(|(name, value)| (readable(name), *value))
            .collect()
    }
}

/// `a=.=b;.;c=.=d;.;throughline.m` → `throughline.m{a=b,c=d}`.
fn readable(stat: &str) -> String {
    let mut parts: Vec<&str> = stat.split(";.;").collect();
    let metric = parts.pop().unwrap();
    if parts.is_empty() {
        return metric.to_owned();
    }
    format!("{metric}{{{}}}", parts.join(",").replace("=.=", "="))
}

impl Randomness for FakeHost {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.count("random");
        if self.without_randomness {
            return Err(NoRandomness);
        }
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}

/// The path in `has(path)?path:''`.
fn conditional(element: &str) -> Option<&str> {
    let (asked, path) = element.strip_prefix("has(")?.split_once(")?")?;
    let path = path.strip_suffix(":''").unwrap();
    assert_eq!(asked, path);
    Some(path)
}

impl Host for FakeHost {
    fn request_headers(&mut self) -> Option<Headers> {
        self.count("request_headers");
        (!self.without_headers).then(|| serialized(&self.headers))
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) {
        self.count("set_request_header");
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_vec()));
    }

    fn remove_request_header(&mut self, name: &str) {
        self.count("remove_request_header");
        self.headers.retain(|(known, _)| known != name);
    }

    fn response_headers(&mut self) -> Option<Headers> {
        self.count("response_headers");
        (!self.without_headers).then(|| serialized(&self.response))
    }

    fn set_response_header(&mut self, name: &str, value: &[u8]) {
        self.count("set_response_header");
        self.response.retain(|(known, _)| known != name);
        self.response.push((name.to_owned(), value.to_vec()));
    }

    fn property(&mut self, path: &PropertyPath) -> Option<Vec<u8>> {
        self.count("property");
        let path = String::from_utf8(path.as_bytes().to_vec()).unwrap();
        let path = path.replace('\0', ".");
        // A path that is none of Envoy's is looked for in the filter state.
        let state = || self.filter_state.get(&path);
        self.properties.get(&path).or_else(state).cloned()
    }

    fn compile(&mut self, expression: &str) -> Option<Expression> {
        self.count("compile");
        if self.without_expressions {
            return None;
        }
        let list = expression.strip_prefix('[')?.strip_suffix(']')?;
        self.expressions
            .push(list.split(',').map(str::to_owned).collect());
        Some(Expression(self.expressions.len() as u32 - 1))
    }

    fn evaluate(&mut self, expression: Expression) -> Option<Headers> {
        self.count("evaluate");
        let elements = self.expressions[expression.0 as usize].iter();
        let values = elements.map(|element| match conditional(element) {
            Some(path) => Some(self.properties.get(path).cloned().unwrap_or_default()),
            None => self.properties.get(element).cloned(),
        });
        let pairs: Option<Vec<_>> = values.map(|value| Some((value?, Vec::new()))).collect();
        pairs.map(|pairs| serialized(&pairs))
    }

    fn set_filter_state(&mut self, name: &str, value: &[u8]) {
        self.count("set_filter_state");
        self.filter_state.insert(name.to_owned(), value.to_vec());
    }

    fn define_metric(&mut self, _kind: MetricKind, name: &str) -> Option<MetricId> {
        self.count("define_metric");
        let known = self.metrics.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            self.metrics.push((name.to_owned(), 0));
            self.metrics.len() - 1
        });
        Some(MetricId(index as u32))
    }

    fn increment(&mut self, metric: MetricId, by: u64) {
        self.count("increment");
        self.metrics[metric.0 as usize].1 += by;
    }

    fn record(&mut self, metric: MetricId, value: u64) {
        self.count("record");
        if let Some((key, value)) = self.meanwhile.take() {
            self.set_shared(key, &value, 0);
        }
        self.metrics[metric.0 as usize].1 = value;
    }

    fn add(&mut self, gauge: MetricId, by: i64) {
        self.count("add");
        let value = &mut self.metrics[gauge.0 as usize].1;
        *value = value.checked_add_signed(by).expect("a gauge below zero");
    }

    fn value(&mut self, metric: MetricId) -> Option<u64> {
        self.count("value");
        Some(self.metrics[metric.0 as usize].1)
    }

    fn now(&mut self) -> u64 {
        self.count("now");
        self.now
    }

    fn log(&mut self, level: log::Level, message: &str) {
        self.count("log");
        self.log.push((level, message.to_owned()));
    }

    fn shared(&mut self, key: &str) -> Shared {
        self.count("shared");
        let shared = self.shared.get(key);
        let shared = shared
            .map(|(value, version)| Shared {
                value: Some(value.clone()),
                version: Some(*version),
            })
            .unwrap_or_default();
        if let Some(now) = self.now_after_shared.take() {
            self.now = now;
        }
        if let Some((key, value)) = self.raced.take_if(|(raced, _)| *raced == key) {
            self.set_shared(key, &value, 0);
        }
        shared
    }

    /// As proxy-wasm-cpp-host: what is absent is stored under any version, what is there under its own, and under 0.
    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        self.count("set_shared");
        let current = self.shared.get(key).map(|(_, version)| *version);
        if version != 0 && current.is_some_and(|current| current != version) {
            return false;
        }
        let next = current.unwrap_or(0) + 1;
        self.shared.insert(key.to_owned(), (value.to_vec(), next));
        true
    }

    fn call(&mut self, call: Call<'_>) -> Result<u32, NotSent> {
        self.count("call");
        if self.without_clusters {
            return Err(NotSent);
        }
        self.sent.push(Sent {
            cluster: call.cluster.to_owned(),
            headers: call.headers.to_vec(),
            body: call.body.to_vec(),
            timeout: call.timeout,
        });
        Ok(self.sent.len() as u32 - 1)
    }

    fn answer_headers(&mut self) -> Option<Headers> {
        self.count("answer_headers");
        Some(serialized(&self.answer.headers))
    }

    fn answer_trailers(&mut self) -> Option<Headers> {
        self.count("answer_trailers");
        (!self.answer.trailers.is_empty()).then(|| serialized(&self.answer.trailers))
    }

    fn answer_body(&mut self, most: usize) -> Vec<u8> {
        self.count("answer_body");
        self.answer.body.iter().take(most).copied().collect()
    }

    fn set_tick(&mut self, root: u32, milliseconds: u32) {
        self.count("set_tick");
        self.ticks.insert(root, milliseconds);
    }

    fn done(&mut self, root: u32) {
        self.count("done");
        self.done.push(root);
    }
}

/// As proxy-wasm hands headers over.
fn serialized(headers: &[(impl AsRef<[u8]>, Vec<u8>)]) -> Headers {
    let mut buffer = (headers.len() as u32).to_le_bytes().to_vec();
    for (name, value) in headers {
        buffer.extend((name.as_ref().len() as u32).to_le_bytes());
        buffer.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in headers {
        buffer.extend([name.as_ref(), b"\0", value, b"\0"].concat());
    }
    Headers::from_serialized(buffer)
}

/// What became of one request.
#[derive(Debug)]
pub struct Outcome {
    /// Request headers as they leave, in order: lower-case names, raw value bytes.
    pub headers: Vec<(String, Vec<u8>)>,
    /// By readable name, as `throughline.rejected_headers{format=b3multi,reason=trace_id}`; those above zero.
    pub counters: BTreeMap<String, u64>,
    /// By name, as `throughline.trace_id`.
    pub filter_state: BTreeMap<String, Vec<u8>>,
    /// Header writes (set and remove) asked of the host.
    pub writes: usize,
    /// Every call of the host for this request, by method.
    pub calls: BTreeMap<&'static str, usize>,
}

impl Outcome {
    /// Every value of that header.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        self.headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
            .collect()
    }

    /// The header's only value; `None` if absent. Fails the test if it is repeated or not UTF-8.
    pub fn one(&self, name: &str) -> Option<&str> {
        match self.all(name).as_slice() {
            [] => None,
            [value] => Some(std::str::from_utf8(value).expect("not UTF-8")),
            several => panic!("{name} is there {} times", several.len()),
        }
    }
}

/// The root context that tests configure.
pub const ROOT: u32 = 1;

/// The filter that `config` makes, or the error it logs.
pub fn configure(host: &mut FakeHost, config: &str) -> Result<Filter, String> {
    configure_with(host, config, &|_: &str| None)
}

pub fn configure_with(
    host: &mut FakeHost,
    config: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Filter, String> {
    Filter::configure(host, ROOT, config.as_bytes(), &|name: &str| {
        environment(name)
    })
    .ok_or_else(|| {
        host.log
            .last()
            .map_or_else(|| "said before".into(), |(_, line)| line.clone())
    })
}

/// Runs one request through the filter over the fake host. `config` is pluginConfig as JSON text; `{}` is the default.
pub fn through(config: &str, request: &[(&str, &[u8])]) -> Outcome {
    let mut host = FakeHost::default();
    let filter = configure(&mut host, config).expect("a good configuration");
    host.set_request(request);
    run(&filter, &mut host)
}

/// Runs the host's request through `filter`, counting from zero.
pub fn run(filter: &Filter, host: &mut FakeHost) -> Outcome {
    host.calls.clear();
    let mut stream = Stream::default();
    filter.on_request(host, &mut stream);
    let calls = host.calls.clone();
    let of = |call| calls.get(call).copied().unwrap_or(0);
    let mut counters = host.metrics();
    counters.retain(|name, value| *value > 0 && !name.starts_with("throughline.info"));
    Outcome {
        headers: host.headers.clone(),
        counters,
        filter_state: host.filter_state.clone(),
        writes: of("set_request_header") + of("remove_request_header"),
        calls,
    }
}
