//! A host that counts what it is asked, by kind, and the allocations meanwhile.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use throughline::{
    engine::{NoRandomness, Randomness},
    filter::host::{Call, Expression, Host, MetricId, MetricKind, NotSent, PropertyPath, Shared},
    propagation::Headers,
};

use crate::support::FakeHost;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A host whose own answers allocate nothing while the filter runs, but for the bytes that it hands over, which the real
/// host has allocated in the module as well.
pub struct Meter {
    /// As they came in.
    came_in: Vec<(String, Vec<u8>)>,
    /// As they are by now.
    headers: Vec<u8>,
    answers: FakeHost,
    /// What each compiled expression makes.
    lists: Vec<Option<Vec<u8>>>,
    pub allocations: usize,
    pub reads: usize,
    pub randoms: usize,
    pub writes: usize,
    pub filter_states: usize,
    pub counts: usize,
    pub properties: usize,
    pub clock: usize,
    pub store: usize,
    pub others: usize,
}

impl Meter {
    pub fn new(
        request: &[(&str, &[u8])],
        properties: &[&[(&str, &[u8])]],
        has_expressions: bool,
    ) -> Self {
        let mut answers = FakeHost::default().with_request(request);
        answers.without_expressions = !has_expressions;
        for (path, value) in properties.iter().copied().flatten() {
            answers
                .properties
                .insert((*path).to_owned(), value.to_vec());
        }
        Self {
            came_in: answers.headers.clone(),
            headers: Vec::new(),
            answers,
            lists: Vec::new(),
            allocations: 0,
            reads: 0,
            randoms: 0,
            writes: 0,
            filter_states: 0,
            counts: 0,
            properties: 0,
            clock: 0,
            store: 0,
            others: 0,
        }
    }

    /// Hands the request over anew, and counts from zero.
    pub fn start(&mut self) {
        self.answers.headers.clone_from(&self.came_in);
        self.keep_headers();
        self.reads = 0;
        self.randoms = 0;
        self.writes = 0;
        self.filter_states = 0;
        self.counts = 0;
        self.properties = 0;
        self.clock = 0;
        self.store = 0;
        self.others = 0;
        self.allocations = ALLOCATIONS.with(Cell::get);
    }

    pub fn stop(&mut self) {
        self.allocations = ALLOCATIONS.with(Cell::get) - self.allocations;
    }

    /// What is written is there when the request is over. That is the host's work, and not counted.
    fn write(&mut self, write: impl FnOnce(&mut FakeHost)) {
        let allocations = ALLOCATIONS.with(Cell::get);
        write(&mut self.answers);
        self.keep_headers();
        ALLOCATIONS.with(|count| count.set(allocations));
    }

    fn keep_headers(&mut self) {
        let headers = Host::request_headers(&mut self.answers).expect("headers");
        self.headers = headers.into_serialized();
    }

    /// By kind, in the order of the table.
    pub fn calls(&self) -> [usize; 8] {
        [
            self.reads,
            self.randoms,
            self.writes,
            self.filter_states,
            self.counts,
            self.properties,
            self.clock,
            self.store,
        ]
    }
}

impl Randomness for Meter {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.randoms += 1;
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}

impl Host for Meter {
    fn request_headers(&mut self) -> Option<Headers> {
        self.reads += 1;
        Some(Headers::from_serialized(self.headers.clone()))
    }
    fn set_request_header(&mut self, name: &str, value: &[u8]) {
        self.writes += 1;
        self.write(|host| host.set_request_header(name, value));
    }
    fn remove_request_header(&mut self, name: &str) {
        self.writes += 1;
        self.write(|host| host.remove_request_header(name));
    }
    fn response_headers(&mut self) -> Option<Headers> {
        self.reads += 1;
        // None are in it; the buffer is there all the same.
        Some(Headers::from_serialized(0_u32.to_le_bytes().to_vec()))
    }
    fn set_response_header(&mut self, _: &str, _: &[u8]) {
        self.writes += 1;
    }
    fn property(&mut self, path: &PropertyPath) -> Option<Vec<u8>> {
        self.properties += 1;
        let is_same = |known: &str| {
            let bytes = known
                .bytes()
                .map(|byte| if byte == b'.' { 0 } else { byte });
            bytes.eq(path.as_bytes().iter().copied())
        };
        let mut properties = self.answers.properties.iter();
        properties
            .find(|(known, _)| is_same(known))
            .map(|(_, value)| value.clone())
    }
    fn compile(&mut self, expression: &str) -> Option<Expression> {
        self.others += 1;
        let compiled = self.answers.compile(expression)?;
        let list = self.answers.evaluate(compiled);
        self.lists.push(list.map(Headers::into_serialized));
        Some(Expression(self.lists.len() as u32 - 1))
    }
    fn evaluate(&mut self, expression: Expression) -> Option<Headers> {
        self.properties += 1;
        let list = self.lists[expression.0 as usize].clone();
        list.map(Headers::from_serialized)
    }
    fn set_filter_state(&mut self, _: &str, _: &[u8]) {
        self.filter_states += 1;
    }
    fn define_metric(&mut self, _: MetricKind, _: &str) -> Option<MetricId> {
        self.others += 1;
        Some(MetricId(0))
    }
    fn increment(&mut self, _: MetricId, _: u64) {
        self.counts += 1;
    }
    fn record(&mut self, _: MetricId, _: u64) {
        self.others += 1;
    }
    fn add(&mut self, _: MetricId, _: i64) {
        self.counts += 1;
    }
    fn value(&mut self, _: MetricId) -> Option<u64> {
        self.counts += 1;
        Some(0)
    }
    fn now(&mut self) -> u64 {
        self.clock += 1;
        1_700_000_000_000_000_000
    }
    fn log(&mut self, _: log::Level, _: &str) {
        self.others += 1;
    }
    fn shared(&mut self, _: &str) -> Shared {
        self.store += 1;
        Shared::default()
    }
    fn set_shared(&mut self, _: &str, _: &[u8], _: u32) -> bool {
        self.others += 1;
        true
    }
    fn call(&mut self, _: Call<'_>) -> Result<u32, NotSent> {
        self.others += 1;
        Ok(0)
    }
    fn answer_headers(&mut self) -> Option<Headers> {
        self.others += 1;
        None
    }
    fn answer_trailers(&mut self) -> Option<Headers> {
        self.others += 1;
        None
    }
    fn answer_body(&mut self, _: usize) -> Vec<u8> {
        self.others += 1;
        Vec::new()
    }
    fn set_tick(&mut self, _: u32, _: u32) {
        self.others += 1;
    }
    fn done(&mut self, _: u32) {
        self.others += 1;
    }
}
