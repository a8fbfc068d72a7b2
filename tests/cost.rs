//! What one request costs: host calls by kind, and allocations. The table in docs/cost.md holds these numbers, and a
//! row that differs fails here.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use support::FakeHost;
use throughline::{
    engine::{NoRandomness, Randomness},
    filter::{
        Stream,
        host::{Call, Expression, Host, MetricId, MetricKind, NotSent, PropertyPath, Shared},
    },
    propagation::Headers,
};

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

/// A host whose own answers allocate nothing while the filter runs, but for the header buffer, which the real host
/// has allocated in the module as well.
#[derive(Default)]
struct Meter {
    buffer: Vec<u8>,
    reads: usize,
    randoms: usize,
    writes: usize,
    filter_states: usize,
    counts: usize,
    others: usize,
}

impl Meter {
    fn calls(&self) -> usize {
        self.reads + self.randoms + self.writes + self.filter_states + self.counts + self.others
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
        Some(Headers::from_serialized(self.buffer.clone()))
    }
    fn set_request_header(&mut self, _: &str, _: &[u8]) {
        self.writes += 1;
    }
    fn remove_request_header(&mut self, _: &str) {
        self.writes += 1;
    }
    fn property(&mut self, _: &PropertyPath) -> Option<Vec<u8>> {
        self.others += 1;
        None
    }
    fn compile(&mut self, _: &str) -> Option<Expression> {
        self.others += 1;
        None
    }
    fn evaluate(&mut self, _: Expression) -> Option<Headers> {
        self.others += 1;
        None
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
    fn now(&mut self) -> u64 {
        self.others += 1;
        0
    }
    fn log(&mut self, _: log::Level, _: &str) {
        self.others += 1;
    }
    fn shared(&mut self, _: &str) -> Shared {
        self.others += 1;
        Shared::default()
    }
    fn set_shared(&mut self, _: &str, _: &[u8], _: Option<u32>) -> bool {
        self.others += 1;
        true
    }
    fn call(&mut self, _: Call<'_>) -> Result<u32, NotSent> {
        self.others += 1;
        Err(NotSent)
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

const TRACEPARENT: (&str, &[u8]) = (
    "traceparent",
    b"00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01",
);
const STALE: (&str, &[u8]) = (
    "traceparent",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
);
const B3: (&str, &[u8]) = ("b3", b"463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1");
const TRACE_ID: (&str, &[u8]) = ("x-b3-traceid", b"463ac35c9f6413ad48485a3953bb6124");
const SPAN_ID: (&str, &[u8]) = ("x-b3-spanid", b"a2fb4a1d1a96d312");
const SAMPLED: (&str, &[u8]) = ("x-b3-sampled", b"1");
const BAD: (&str, &[u8]) = ("traceparent", b"00-0-0-01");

struct Row {
    path: &'static str,
    config: &'static str,
    request: &'static [(&'static str, &'static [u8])],
    /// Host calls: header reads, random, header writes, filter states, counters.
    calls: [usize; 5],
    allocations: usize,
}

/// The most that one request can cost: every format is there and none is good.
const ALL_BAD: &[(&str, &[u8])] = &[
    ("traceparent", b"00-0-0-01"),
    ("tracestate", b"a=1"),
    ("b3", b"x"),
    ("x-b3-traceid", b"x"),
    ("x-b3-spanid", b"x"),
    ("x-b3-parentspanid", b"x"),
    ("x-b3-sampled", b"x"),
    ("x-b3-flags", b"1"),
];
const MUCH_BAGGAGE: &[(&str, &[u8])] = &[
    TRACEPARENT,
    TRACE_ID,
    SPAN_ID,
    SAMPLED,
    ("baggage", &[b','; 60_000]),
];

const ROWS: [Row; 11] = [
    Row {
        path: "continue, both formats agree",
        config: "{}",
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [1, 0, 0, 3, 1],
        allocations: 1,
    },
    Row {
        path: "continue W3C, add B3",
        config: "{}",
        request: &[TRACEPARENT],
        calls: [1, 0, 3, 3, 1],
        allocations: 1,
    },
    Row {
        path: "continue B3, add W3C",
        config: "{}",
        request: &[TRACE_ID, SPAN_ID, SAMPLED],
        calls: [1, 0, 1, 3, 1],
        allocations: 1,
    },
    Row {
        path: "continue single `b3`, add both",
        config: "{}",
        request: &[B3],
        calls: [1, 0, 4, 3, 1],
        allocations: 1,
    },
    Row {
        path: "start a trace",
        config: "{}",
        request: &[],
        calls: [1, 1, 4, 3, 1],
        allocations: 1,
    },
    Row {
        path: "reject a traceparent, start a trace",
        config: "{}",
        request: &[BAD],
        calls: [1, 1, 4, 3, 2],
        allocations: 1,
    },
    Row {
        path: "a conflict: W3C wins, B3 is rewritten",
        config: "{}",
        request: &[STALE, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [1, 0, 2, 3, 2],
        allocations: 1,
    },
    Row {
        path: "every header there, none good: start a trace",
        config: "{}",
        request: ALL_BAD,
        calls: [1, 1, 8, 3, 4],
        allocations: 1,
    },
    Row {
        path: "60 KiB of baggage, both formats agree",
        config: "{}",
        request: MUCH_BAGGAGE,
        calls: [1, 0, 0, 3, 1],
        allocations: 1,
    },
    Row {
        path: "one literal tag to the access log, both agree",
        config: r#"{"customTags": {"a": {"literal": {"value": "x"}}}}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [1, 0, 0, 4, 1],
        allocations: 1,
    },
    Row {
        path: "one header tag to the access log, both agree",
        config: r#"{"customTags": {"a": {"header": {"name": "x-b3-sampled"}}}}"#,
        request: &[TRACEPARENT, TRACE_ID, SPAN_ID, SAMPLED],
        calls: [1, 0, 0, 4, 1],
        allocations: 2,
    },
];

fn measure(row: &Row) -> (Meter, usize) {
    let mut host = FakeHost::default().with_request(row.request);
    let serialized = Host::request_headers(&mut host).expect("headers");
    let buffer = serialized.into_serialized();
    let mut meter = Meter {
        buffer,
        ..Meter::default()
    };
    // A rejected header's counter is defined at its first use; the first request pays for it.
    let filter =
        throughline::filter::Filter::configure(&mut meter, 1, row.config.as_bytes(), &|_: &str| {
            None
        })
        .expect("a good configuration");
    filter.on_request(&mut meter, &mut Stream::default());
    let mut meter = Meter {
        buffer: meter.buffer,
        ..Meter::default()
    };
    let before = ALLOCATIONS.with(Cell::get);
    filter.on_request(&mut meter, &mut Stream::default());
    let after = ALLOCATIONS.with(Cell::get);
    (meter, after - before)
}

#[test]
fn each_path_costs_what_its_row_says() {
    for row in &ROWS {
        let (meter, allocations) = measure(row);
        let calls = [
            meter.reads,
            meter.randoms,
            meter.writes,
            meter.filter_states,
            meter.counts,
        ];
        assert_eq!(
            calls, row.calls,
            "{}: reads, random, writes, filter states, counters",
            row.path
        );
        assert_eq!(meter.others, 0, "{}: no other host call", row.path);
        assert_eq!(allocations, row.allocations, "{}: allocations", row.path);
    }
}

#[test]
fn the_table_in_the_docs_holds_these_numbers() {
    let docs = include_str!("../docs/cost.md");
    for row in &ROWS {
        let (meter, allocations) = measure(row);
        let line = format!(
            "| {} | {} | {} | {} | {} | {} | **{}** | {allocations} |",
            row.path,
            meter.reads,
            meter.randoms,
            meter.writes,
            meter.filter_states,
            meter.counts,
            meter.calls(),
        );
        assert!(docs.contains(&line), "docs/cost.md lacks this row:\n{line}");
    }
}
