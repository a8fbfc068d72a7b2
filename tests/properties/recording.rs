//! What holds for every span that is recorded, whatever came in and however it ended.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span, span::SpanKind},
};
use proptest::{
    collection::vec,
    option::of,
    prelude::{Just, Strategy, TestCaseError, any, prop_oneof},
    sample::select,
    test_runner::TestCaseResult,
};
use prost::Message as _;
use throughline::{filter::Stream, span::is_own};

use crate::{
    Headers,
    configs::Config,
    incoming::{Incoming, Said, same_trace},
    newest, strict,
    strict::{Ids, Leaves},
    support::{FakeHost, Outcome, ROOT, configure},
    table::{same, show},
};

/// Where the request passes, and what Envoy tells of it afterwards.
#[derive(Clone, Debug)]
pub struct Hop {
    place: &'static str,
    semconv: &'static str,
    has_tags: bool,
    has_expressions: bool,
    /// An earlier filter answered: the request is seen only when it is over.
    is_answered_before: bool,
    request: Vec<(String, Vec<u8>)>,
    properties: BTreeMap<&'static str, Vec<u8>>,
}

const SECRET: &str = "s3cret";

pub fn hop() -> impl Strategy<Value = Hop> {
    let place = select(vec![
        "sidecar inbound",
        "sidecar outbound",
        "router",
        "waypoint",
        "plain",
    ]);
    let semconv = select(vec!["both", "stable", "legacy"]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (place, semconv, flags, request(), properties()).prop_map(
        |(place, semconv, (has_tags, has_expressions, is_answered_before), request, properties)| {
            Hop {
                place,
                semconv,
                has_tags,
                has_expressions,
                is_answered_before,
                request,
                properties,
            }
        },
    )
}

/// Headers that a span tells of, and some that it must not.
fn request() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let text = || prop_oneof![vec(any::<u8>(), 0..300), Just(Vec::new())];
    let method = prop_oneof![Just(b"GET".to_vec()), Just(b"POST".to_vec()), text()];
    let path = prop_oneof![
        Just(format!("/a?token={SECRET}").into_bytes()),
        Just(b"/pkg.Svc/Do".to_vec()),
        text().prop_map(|path| [b"/".as_slice(), &path, b"?", SECRET.as_bytes()].concat()),
    ];
    let authority = prop_oneof![
        Just(format!("user:{SECRET}@shop:80").into_bytes()),
        Just(b"[::1]:8080".to_vec()),
        text(),
    ];
    let content_type = of(select(vec![
        "application/grpc",
        "application/grpc+proto",
        "text/html",
    ]));
    (
        method,
        path,
        of(authority),
        content_type,
        of(text()),
        of(text()),
    )
        .prop_map(
            |(method, path, authority, content_type, user_agent, request_id)| {
                let content_type = content_type.map(|text| text.as_bytes().to_vec());
                let cookie = Some(SECRET.as_bytes().to_vec());
                let all = [
                    (":method", Some(method)),
                    (":path", Some(path)),
                    (":authority", authority),
                    ("content-type", content_type),
                    ("user-agent", user_agent),
                    ("x-request-id", request_id),
                    ("authorization", cookie.clone()),
                    ("cookie", cookie),
                ];
                let given = all.into_iter();
                given
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect()
            },
        )
}

fn properties() -> impl Strategy<Value = BTreeMap<&'static str, Vec<u8>>> {
    let number = || {
        prop_oneof![
            4 => (0_u64..700).prop_map(|number| number.to_le_bytes().to_vec()),
            1 => any::<[u8; 8]>().prop_map(Vec::from),
            1 => vec(any::<u8>(), 0..12),
        ]
    };
    let text = || {
        prop_oneof![
            4 => select(vec!["10.0.0.1:80", "[::1]:80", "HTTP/1.1", "outbound|80||a.b.svc.cluster.local", ""])
                .prop_map(|text| text.as_bytes().to_vec()),
            1 => vec(any::<u8>(), 0..300),
        ]
    };
    let numbers = [
        "response.code",
        "response.flags",
        "response.grpc_status",
        "response.size",
        "request.size",
        "request.time",
        "upstream.request_attempt_count",
    ];
    let texts = [
        "response.code_details",
        "request.protocol",
        "source.address",
        "xds.cluster_name",
        "upstream.address",
    ];
    (
        vec(of(number()), numbers.len()),
        vec(of(text()), texts.len()),
    )
        .prop_map(move |(a, b)| {
            let all = numbers.into_iter().zip(a).chain(texts.into_iter().zip(b));
            all.filter_map(|(path, value)| Some((path, value?)))
                .collect()
        })
}

impl Hop {
    fn config(&self, config: &Config) -> String {
        let json = config.json();
        let propagation = json.strip_suffix('}').expect("an object");
        let tags = if self.has_tags {
            r#", "customTags": {"stage": {"literal": {"value": "x"}}, "agent": {"header": {"name": "user-agent"}}}"#
        } else {
            ""
        };
        let semconv = self.semconv;
        format!(
            r#"{propagation}, "export": {{"cluster": "c"}}, "spans": {{"semconv": "{semconv}"}}{tags}}}"#
        )
    }

    fn host(&self) -> FakeHost {
        let mut host = FakeHost::default();
        host.without_expressions = !self.has_expressions;
        host.now = 1_700_000_000_000_000_000;
        for (path, value) in &self.properties {
            host.properties.insert((*path).to_owned(), value.clone());
        }
        let (id, direction) = match self.place {
            "sidecar inbound" => ("sidecar~1~a.b~c", Some(1_u64)),
            "sidecar outbound" => ("sidecar~1~a.b~c", Some(2)),
            "router" => ("router~1~a.b~c", Some(2)),
            "waypoint" => ("waypoint~1~a.b~c", Some(1)),
            _ => ("edge", None),
        };
        host.properties.insert("xds.node.id".to_owned(), id.into());
        if let Some(direction) = direction {
            let direction = direction.to_le_bytes().to_vec();
            host.properties
                .insert("xds.listener_direction".to_owned(), direction);
        }
        host
    }

    fn kinds(&self, has_upstream: bool) -> &'static [SpanKind] {
        match (self.place, has_upstream) {
            ("sidecar inbound", _) => &[SpanKind::Server],
            ("sidecar outbound", _) => &[SpanKind::Client],
            (_, false) => &[SpanKind::Server],
            (_, true) => &[SpanKind::Server, SpanKind::Client],
        }
    }

    /// Whether Envoy chose a host: an address that is text.
    fn has_upstream(&self) -> bool {
        let address = self.properties.get("upstream.address");
        address.is_some_and(|bytes| {
            !bytes.is_empty()
                && !String::from_utf8_lossy(bytes)
                    .chars()
                    .take(256)
                    .any(char::is_control)
        })
    }

    /// Whether it is known when a request that was answered before began.
    fn has_time(&self) -> bool {
        self.properties
            .get("request.time")
            .is_some_and(|time| time.len() == 8)
    }
}

pub fn holds(config: &Config, trace: &Headers, hop: &Hop) -> TestCaseResult {
    check(config, trace, hop).map_err(|error| {
        TestCaseError::fail(format!(
            "{error}\n  came {}\n  {}",
            show(trace),
            hop.config(config)
        ))
    })
}

fn check(config: &Config, trace: &Headers, hop: &Hop) -> Result<(), String> {
    let mut host = hop.host();
    let filter = configure(&mut host, &hop.config(config))?;
    host.headers = [&hop.request, trace].concat();
    let mut stream = Stream::default();
    if !hop.is_answered_before {
        filter.on_request(&mut host, &mut stream);
    }
    let headers = host.headers.clone();
    host.now += 1_000_000;
    filter.on_log(&mut host, stream);
    if host.ticks.get(&ROOT).is_some_and(|period| *period > 0) {
        host.now += 10_000_000_000;
        filter.on_tick(&mut host, ROOT);
    }
    let spans: Vec<Span> = host
        .sent
        .iter()
        .flat_map(|call| decoded(&call.body))
        .collect();
    let is_sampled = host
        .filter_state
        .get("throughline.sampled")
        .map(Vec::as_slice)
        == Some(b"true");
    if strict::is_exporters(trace) || !is_sampled || hop.is_answered_before && !hop.has_time() {
        return same("spans", spans.len(), 0);
    }
    let kinds: Vec<i32> = hop
        .kinds(hop.has_upstream())
        .iter()
        .map(|kind| (*kind).into())
        .collect();
    same("kinds", spans.iter().map(|span| span.kind).collect(), kinds)?;
    for span in &spans {
        attributes(span)?;
        same(
            "it ends after it starts",
            span.end_time_unix_nano >= span.start_time_unix_nano,
            true,
        )?;
    }
    let said = Incoming::read(trace);
    let said = said.in_order(&config.readers());
    family(&spans, &said, &host)?;
    if hop.is_answered_before {
        return same(
            "headers of a request that is over",
            show(&headers),
            show(&[&hop.request, trace].concat()),
        );
    }
    leaves(&spans, &headers, hop)
}

fn decoded(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).expect("protobuf");
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn attributes(span: &Span) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for attribute in &span.attributes {
        let name = attribute.key.as_str();
        if !names.insert(name) {
            return Err(format!("{name} is there twice"));
        }
        if !is_own(name) && !["stage", "agent"].contains(&name) {
            return Err(format!("a tag of the name {name} would not be refused"));
        }
    }
    if format!("{span:?}").contains(SECRET) {
        return Err(format!("a secret is shown: {span:#?}"));
    }
    if span.name.is_empty() {
        return Err("no name".to_owned());
    }
    Ok(())
}

/// Who is whose parent, and what is linked.
fn family(spans: &[Span], said: &[&Said], host: &FakeHost) -> Result<(), String> {
    let state = |name: &str| String::from_utf8_lossy(&host.filter_state[name]).into_owned();
    let [outer, ..] = spans else { return Ok(()) };
    for span in spans {
        same(
            "trace id",
            hex(&span.trace_id),
            state("throughline.trace_id"),
        )?;
        same("sampled flag", span.flags & 1, 1)?;
    }
    same(
        "span id in the log",
        hex(&outer.span_id),
        state("throughline.span_id"),
    )?;
    let first = said.iter().find_map(|said| said.ids);
    let caller = first.map(|first| format!("{:016x}", newest(said, first).0));
    same(
        "parent",
        hex(&outer.parent_span_id),
        caller.unwrap_or_default(),
    )?;
    if let [outer, inner] = spans {
        same("the inner parent", &inner.parent_span_id, &outer.span_id)?;
        same("links of the inner one", inner.links.len(), 0)?;
        same("where the inner parent is", inner.flags & 0x300, 0x100)?;
    }
    let came = said.iter().filter_map(|said| said.ids);
    let is_new = |id: &[u8]| {
        came.clone()
            .all(|ids| hex(id) != format!("{:016x}", ids.span))
    };
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    same(
        "span ids that are new",
        spans.iter().all(|span| is_new(&span.span_id)),
        true,
    )?;
    same("different span ids", ids.len(), spans.len())?;
    let links: Vec<_> = outer
        .links
        .iter()
        .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
        .collect();
    same("links", links, others(said))
}

/// The traces that were named and are not the one that goes on, none twice.
fn others(said: &[&Said]) -> Vec<(String, String)> {
    let mut came = said.iter().filter_map(|said| said.ids);
    let Some(Ids { mut trace, .. }) = came.next() else {
        return Vec::new();
    };
    let mut others: Vec<(String, String)> = Vec::new();
    for ids in came {
        if same_trace(trace, ids.trace) {
            trace = trace.max(ids.trace);
            continue;
        }
        let link = (format!("{:032x}", ids.trace), format!("{:016x}", ids.span));
        if !others.contains(&link) {
            others.push(link);
        }
    }
    others
}

/// Every format leaves on the innermost span.
fn leaves(spans: &[Span], headers: &Headers, hop: &Hop) -> Result<(), String> {
    let outcome = Outcome {
        headers: headers.to_vec(),
        counters: BTreeMap::new(),
        filter_state: BTreeMap::new(),
        writes: 0,
        calls: BTreeMap::new(),
    };
    let leaves = Leaves::read(&outcome)?;
    let agreed = leaves.agreed()?;
    let Some(last) = spans.last() else {
        return Ok(());
    };
    same(
        "trace id that leaves",
        format!("{:032x}", agreed.ids.trace),
        hex(&last.trace_id),
    )?;
    same("sampled", agreed.sampled, true)?;
    let has_left_out_a_client = hop.kinds(true).len() > spans.len();
    if !has_left_out_a_client {
        same(
            "span id that leaves",
            format!("{:016x}", agreed.ids.span),
            hex(&last.span_id),
        )?;
    }
    for (format, b3) in [("b3multi", &leaves.multi), ("b3", &leaves.single)] {
        let parent = b3.as_ref().and_then(|b3| b3.parent);
        same(
            &format!("parent in {format}, which was the caller's"),
            parent,
            None,
        )?;
    }
    let random = leaves.traceparent.as_ref().map(|w3c| w3c.random);
    same(
        "random flag",
        random.unwrap_or(last.flags & 2 == 2),
        last.flags & 2 == 2,
    )?;
    let fields = leaves
        .tracestate
        .iter()
        .filter(|field| !field.trim_ascii().is_empty());
    let list = fields.cloned().collect::<Vec<_>>().join(&b","[..]);
    let is_the_list = last.trace_state.is_empty() || last.trace_state.as_bytes() == list;
    same(&format!("tracestate {list:?}"), is_the_list, true)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
