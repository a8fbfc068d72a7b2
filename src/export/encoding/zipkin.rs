//! Zipkin v2 JSON (zipkin-api, zipkin2-api.yaml; OpenTelemetry, trace/sdk_exporters/zipkin.md): lower-case names, times
//! in microseconds, tags that are all text. It has no links.

use super::json::{push, separate, string};
use crate::{
    span::{End, Kind, Remote, Start, host_and_port},
    trace::Sampling,
};

pub fn begin(out: &mut Vec<u8>, start: &Start<'_>, service: &str) {
    push(
        out,
        &[b"{\"traceId\":\"", start.trace_id.b3_text().as_bytes()],
    );
    push(out, &[b"\",\"id\":\"", start.span_id.text().as_bytes()]);
    if let Some(parent) = start.parent {
        push(
            out,
            &[b"\",\"parentId\":\"", parent.span_id.text().as_bytes()],
        );
    }
    out.extend_from_slice(b"\",\"name\":");
    string(out, &start.name.to_ascii_lowercase());
    let kind: &[u8] = match start.kind {
        Kind::Server => b",\"kind\":\"SERVER\"",
        Kind::Client => b",\"kind\":\"CLIENT\"",
    };
    out.extend_from_slice(kind);
    push(
        out,
        &[
            b",\"timestamp\":",
            microseconds(start.at).to_string().as_bytes(),
        ],
    );
    if start.sampling == Sampling::Debug {
        out.extend_from_slice(b",\"debug\":true");
    }
    out.extend_from_slice(b",\"localEndpoint\":{\"serviceName\":");
    string(out, &service.to_ascii_lowercase());
    out.extend_from_slice(b"},\"tags\":{");
    if !start.trace_state.is_empty() {
        text(out, "w3c.tracestate", start.trace_state);
    }
}

pub fn end(out: &mut Vec<u8>, end: &End<'_>, started: u64) {
    if let Some(error) = end.error {
        text(out, "otel.status_code", "ERROR");
        text(out, "error", error);
    }
    out.push(b'}');
    // "Minimum 1": a zero would mean that the duration is unknown.
    let duration = microseconds(end.at.saturating_sub(started)).max(1);
    push(out, &[b",\"duration\":", duration.to_string().as_bytes()]);
    if let Some(remote) = end.remote {
        endpoint(out, remote);
    }
    out.push(b'}');
}

pub fn text(out: &mut Vec<u8>, key: &str, value: &str) {
    separate(out);
    string(out, key);
    out.push(b':');
    string(out, value);
}

/// Only addresses are addresses: a host's name is refused by Zipkin.
fn endpoint(out: &mut Vec<u8>, remote: Remote<'_>) {
    let (address, port) = host_and_port(remote.endpoint.unwrap_or_default());
    // Envoy writes it, so its shape tells what it is; the rest are paths of sockets and the like.
    let is_v4 = is_made_of(address, |byte| byte.is_ascii_digit() || byte == b'.');
    let is_v6 = address.contains(':')
        && is_made_of(address, |byte| {
            byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
        });
    if remote.service.is_none() && !is_v4 && !is_v6 {
        return;
    }
    out.extend_from_slice(b",\"remoteEndpoint\":{");
    if let Some(service) = remote.service {
        out.extend_from_slice(b"\"serviceName\":");
        string(out, &service.to_ascii_lowercase());
    }
    if is_v4 || is_v6 {
        separate(out);
        out.extend_from_slice(if is_v4 { b"\"ipv4\":" } else { b"\"ipv6\":" });
        string(out, address);
        if let Some(port) = port.filter(|port| *port > 0) {
            push(out, &[b",\"port\":", port.to_string().as_bytes()]);
        }
    }
    out.push(b'}');
}

fn is_made_of(text: &str, is_part: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is_part)
}

fn microseconds(nanoseconds: u64) -> u64 {
    u64::try_from(core::time::Duration::from_nanos(nanoseconds).as_micros()).unwrap_or(u64::MAX)
}
