//! `export`, and the OTEL_EXPORTER_OTLP_* and OTEL_BSP_* variables.

use super::{
    Environment, Problem,
    environment::{non_empty, pairs},
    reader::{Node, Object, choose, quoted},
};
use crate::{
    export::{Destination, ExportSettings, Limits, Protocol},
    text::MAX_VALUE,
};

pub const FIELDS: [&str; 9] = [
    "protocol",
    "service",
    "cluster",
    "port",
    "path",
    "headers",
    "timeout",
    "batch",
    "maxInFlight",
];

const PROTOCOLS: [(&str, Protocol); 4] = [
    ("otlp-http", Protocol::OtlpHttp),
    ("otlp-grpc", Protocol::OtlpGrpc),
    ("otlp-http-json", Protocol::OtlpHttpJson),
    ("zipkin", Protocol::Zipkin),
];

/// OTEL_EXPORTER_OTLP_PROTOCOL's words.
const OTEL_PROTOCOLS: [(&str, Protocol); 3] = [
    ("http/protobuf", Protocol::OtlpHttp),
    ("grpc", Protocol::OtlpGrpc),
    ("http/json", Protocol::OtlpHttpJson),
];

const DEFAULT_TIMEOUT: u32 = 10_000;
const MILLISECOND: u64 = 1_000_000;
const MAX_NAME: usize = 256;
const MAX_HEADERS: usize = 16;

/// `None` where neither the section nor an endpoint's variable is there.
pub fn load(
    section: Option<&Object<'_>>,
    environment: &impl Environment,
) -> Result<Option<ExportSettings>, Problem> {
    let endpoint = Endpoint::from(environment)?;
    if section.is_none() && endpoint.is_none() {
        return Ok(None);
    }
    let get = |name| section.and_then(|section: &Object<'_>| section.get(name));
    let protocol = match get("protocol") {
        Some(node) => node.choice(&PROTOCOLS)?,
        None => protocol_from(environment)?,
    };
    let configured = destination(get("cluster"), get("service"), get("port"), protocol)?;
    let (destination, endpoint_path) = match (configured, endpoint) {
        (Some(destination), _) => (destination, None),
        (None, Some(endpoint)) => endpoint.resolve(protocol),
        (None, None) => {
            return Err(Problem::new(
                "export",
                "needs a destination: service (such as tempo.monitoring.svc.cluster.local) with port, \
                 or cluster (a cluster of Envoy's)",
            ));
        }
    };
    let path = match get("path") {
        Some(node) => path(&node, protocol)?,
        None => endpoint_path.unwrap_or_else(|| protocol.default_path().to_owned()),
    };
    Ok(Some(ExportSettings {
        protocol,
        destination,
        path,
        headers: headers(get("headers").as_ref(), environment)?,
        timeout: timeout(get("timeout").as_ref(), environment)?,
        limits: limits(
            get("batch").as_ref(),
            get("maxInFlight").as_ref(),
            environment,
        )?,
    }))
}

fn protocol_from(environment: &impl Environment) -> Result<Protocol, Problem> {
    const NAMES: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];
    for name in NAMES {
        if let Some(word) = non_empty(environment, name) {
            return choose(&word, &OTEL_PROTOCOLS).map_err(|message| Problem::new(name, message));
        }
    }
    Ok(Protocol::OtlpHttp)
}

fn destination(
    cluster: Option<Node<'_>>,
    service: Option<Node<'_>>,
    port: Option<Node<'_>>,
    protocol: Protocol,
) -> Result<Option<Destination>, Problem> {
    match (cluster, service, port) {
        (Some(node), Some(_), _) => Err(node.problem("service is given too; keep one of them")),
        (Some(_), None, Some(node)) => {
            Err(node.problem("goes with service; a cluster of Envoy's has its port already"))
        }
        (Some(node), None, None) => Ok(Some(Destination::Cluster(name(&node)?.to_owned()))),
        (None, Some(node), port) => {
            let host = name(&node)?;
            if !host.bytes().all(is_host_byte) {
                return Err(node.expected("a host such as tempo.monitoring.svc.cluster.local (the port has a field of its own)"));
            }
            let port = match port {
                Some(node) => node.integer(1, 65_535)?,
                None => protocol.default_port().into(),
            };
            Ok(Some(Destination::Service {
                host: full_name(host),
                port: u16::try_from(port).unwrap_or(u16::MAX),
            }))
        }
        (None, None, Some(node)) => Err(node.problem("needs service beside it")),
        (None, None, None) => Ok(None),
    }
}

fn name<'a>(node: &Node<'a>) -> Result<&'a str, Problem> {
    let text = node.string()?;
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(node.expected("a name"));
    }
    Ok(text)
}

const fn is_host_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*')
}

/// Kubernetes' short form of a service's name, with the domain that Istio's clusters have.
fn full_name(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if host.ends_with(".svc") {
        host + ".cluster.local"
    } else {
        host
    }
}

fn path(node: &Node<'_>, protocol: Protocol) -> Result<String, Problem> {
    if protocol == Protocol::OtlpGrpc {
        return Err(node.problem("otlp-grpc has no path"));
    }
    let text = node.string()?;
    if !text.starts_with('/')
        || text.len() > MAX_NAME
        || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(node.expected("a path such as /v1/traces"));
    }
    Ok(text.to_owned())
}

/// OTEL_EXPORTER_OTLP_(TRACES_)ENDPOINT: `http://host:port/path`, or for gRPC `host:port`.
struct Endpoint {
    host: String,
    port: Option<u16>,
    path: String,
    /// The variable for all signals has the base of the path.
    is_base: bool,
}

impl Endpoint {
    fn from(environment: &impl Environment) -> Result<Option<Self>, Problem> {
        const NAMES: [(&str, bool); 2] = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", false),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", true),
        ];
        for (name, is_base) in NAMES {
            if let Some(text) = non_empty(environment, name) {
                return match Self::parse(&text, is_base) {
                    Some(endpoint) => Ok(Some(endpoint)),
                    // Not shown: it may hold a password.
                    None => Err(Problem::new(
                        name,
                        "expected http://host:port with an optional path (no user, no spaces)",
                    )),
                };
            }
        }
        Ok(None)
    }

    fn parse(text: &str, is_base: bool) -> Option<Self> {
        let rest = match text.split_once("://") {
            Some(("http" | "https", rest)) => rest,
            Some(_) => return None,
            None => text,
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (authority, None),
        };
        let is_good = !host.is_empty()
            && host.bytes().all(is_host_byte)
            && path.bytes().all(|byte| byte.is_ascii_graphic())
            && text.len() <= MAX_NAME;
        is_good.then(|| Self {
            host: full_name(host),
            port,
            path: path.trim_end_matches('/').to_owned(),
            is_base,
        })
    }

    fn resolve(self, protocol: Protocol) -> (Destination, Option<String>) {
        let destination = Destination::Service {
            host: self.host,
            port: self.port.unwrap_or_else(|| protocol.default_port()),
        };
        let path = match protocol {
            Protocol::OtlpGrpc => None,
            _ if self.is_base => Some(self.path + protocol.default_path()),
            _ if self.path.is_empty() => Some("/".to_owned()),
            _ => Some(self.path),
        };
        (destination, path)
    }
}

/// What the exporter writes itself, or what would break its calls.
const TAKEN: [&str; 12] = [
    "b3",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "content-encoding",
];

fn headers(
    section: Option<&Node<'_>>,
    environment: &impl Environment,
) -> Result<Vec<(String, String)>, Problem> {
    let headers = match section {
        Some(section) => configured_headers(section, environment)?,
        None => headers_from(environment)?,
    };
    if headers.len() > MAX_HEADERS {
        return Err(Problem::new(
            "export.headers",
            format!("expected at most {MAX_HEADERS}, got {}", headers.len()),
        ));
    }
    Ok(headers)
}

fn configured_headers(
    section: &Node<'_>,
    environment: &impl Environment,
) -> Result<Vec<(String, String)>, Problem> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, node) in section.map()?.fields() {
        let text = match node.map() {
            Ok(_) => node.object(&["value"])?.required("value")?,
            Err(_) => node.clone(),
        };
        let value = expanded(&text, environment)?;
        let header = header(name, value).map_err(|message| node.problem(message))?;
        if headers.iter().any(|(known, _)| *known == header.0) {
            return Err(node.problem(format!("the header {} is there twice", header.0)));
        }
        headers.push(header);
    }
    Ok(headers)
}

fn headers_from(environment: &impl Environment) -> Result<Vec<(String, String)>, Problem> {
    const NAMES: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ];
    let mut headers: Vec<(String, String)> = Vec::new();
    let given = NAMES
        .into_iter()
        .find(|name| non_empty(environment, name).is_some());
    if let Some(variable) = given {
        for (index, (name, value)) in pairs(environment, variable)?.into_iter().enumerate() {
            let header = header(&name, value)
                .map_err(|message| Problem::new(variable, format!("entry {index}: {message}")))?;
            // The last one counts, as in a map.
            headers.retain(|(known, _)| *known != header.0);
            headers.push(header);
        }
    }
    Ok(headers)
}

/// The message shows neither part: a secret in the wrong place is a secret still.
fn header(name: &str, value: String) -> Result<(String, String), String> {
    let name = name.to_ascii_lowercase();
    let is_name = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_name) {
        return Err("the name is no header name".to_owned());
    }
    if TAKEN.contains(&name.as_str()) || name.starts_with("x-b3-") {
        return Err(format!("{name} is written by the exporter itself"));
    }
    let most = MAX_VALUE.saturating_mul(16);
    if value.len() > most || value.chars().any(char::is_control) {
        return Err(format!(
            "the value has control characters or more than {most} bytes"
        ));
    }
    Ok((name, value))
}

/// `${env:NAME}` stands for a variable, as in the Collector's configuration: secrets do not belong into manifests.
fn expanded(node: &Node<'_>, environment: &impl Environment) -> Result<String, Problem> {
    // A number may be a secret too, and is not shown.
    if node.number().is_some() {
        return Err(node.problem("expected a string, got a number; put it in quotes"));
    }
    let mut rest = node.string()?;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("${env:") {
        let Some((name, after)) = after.split_once('}') else {
            return Err(node.problem("${env: is not closed by }"));
        };
        let Some(value) = environment.get(name) else {
            return Err(node.problem(format!(
                "the variable {} is not set in vmConfig.env",
                quoted(name)
            )));
        };
        text.push_str(before);
        text.push_str(value.trim());
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn timeout(node: Option<&Node<'_>>, environment: &impl Environment) -> Result<u32, Problem> {
    const LEAST: u64 = 10 * MILLISECOND;
    const MOST: u64 = 60_000 * MILLISECOND;
    if let Some(node) = node {
        return Ok(milliseconds(node.duration(LEAST, MOST)?));
    }
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ] {
        if let Some(number) = integer_from(environment, name, 10, 60_000)? {
            return Ok(u32::try_from(number).unwrap_or(DEFAULT_TIMEOUT));
        }
    }
    Ok(DEFAULT_TIMEOUT)
}

fn milliseconds(nanoseconds: u64) -> u32 {
    u32::try_from(core::time::Duration::from_nanos(nanoseconds).as_millis()).unwrap_or(u32::MAX)
}

fn limits(
    batch: Option<&Node<'_>>,
    max_in_flight: Option<&Node<'_>>,
    environment: &impl Environment,
) -> Result<Limits, Problem> {
    const BATCH: [&str; 4] = [
        "maxQueueSize",
        "maxQueueBytes",
        "maxExportBatchSize",
        "scheduleDelay",
    ];
    const MOST_SPANS: usize = 65_536;
    let mut limits = Limits::default();
    let batch = batch.map(|node| node.object(&BATCH)).transpose()?;
    let get = |name| batch.as_ref().and_then(|batch| batch.get(name));
    let or_from = |node: Option<Node<'_>>, name, value: &mut usize| -> Result<(), Problem> {
        match node {
            Some(node) => *value = node.integer(1, MOST_SPANS)?,
            None => *value = integer_from(environment, name, 1, MOST_SPANS)?.unwrap_or(*value),
        }
        Ok(())
    };
    or_from(
        get("maxQueueSize"),
        "OTEL_BSP_MAX_QUEUE_SIZE",
        &mut limits.max_queue_size,
    )?;
    limits.max_export_batch_size = limits.max_export_batch_size.min(limits.max_queue_size);
    or_from(
        get("maxExportBatchSize"),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        &mut limits.max_export_batch_size,
    )?;
    if limits.max_export_batch_size > limits.max_queue_size {
        return Err(Problem::new(
            "export.batch.maxExportBatchSize",
            format!(
                "must not be above maxQueueSize, {} > {}",
                limits.max_export_batch_size, limits.max_queue_size
            ),
        ));
    }
    if let Some(node) = get("maxQueueBytes") {
        limits.max_queue_bytes = node.integer(65_536, 67_108_864)?;
    }
    match get("scheduleDelay") {
        Some(node) => {
            limits.schedule_delay = node.duration(10 * MILLISECOND, 60_000 * MILLISECOND)?
        }
        None => {
            if let Some(number) = integer_from(environment, "OTEL_BSP_SCHEDULE_DELAY", 10, 60_000)?
            {
                let number = u64::try_from(number).unwrap_or(0);
                limits.schedule_delay = number.saturating_mul(MILLISECOND);
            }
        }
    }
    if let Some(node) = max_in_flight {
        limits.max_in_flight = node.integer(1, 64)?;
    }
    Ok(limits)
}

fn integer_from(
    environment: &impl Environment,
    name: &str,
    least: usize,
    most: usize,
) -> Result<Option<usize>, Problem> {
    let Some(text) = non_empty(environment, name) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(Problem::new(
            name,
            format!(
                "expected an integer from {least} to {most}, got {}",
                quoted(&text)
            ),
        )),
    }
}
