//! The same spans, whatever they are exported by.

use super::stage::{Stage, only};
use anyhow::{Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::envoy::Release;
use throughline_dev::http::Request;
use throughline_dev::receiver::Kind;

const PROTOCOLS: [&str; 4] = ["otlp-http", "otlp-grpc", "otlp-http-json", "zipkin"];

/// Each protocol delivers both spans of a request through a sidecar, one under the other.
pub fn every_protocol(release: Release, module: &Path) -> Result<()> {
    for protocol in PROTOCOLS {
        let stage = Stage::start(release, module, protocol, &json!({}))?;
        let request = Request::get("/productpage?token=secret").header("host", "productpage:9080");
        let answer = stage.send("inbound", &request)?;
        ensure!(answer.status == 200, "{answer:?}");
        let spans = stage.spans(2)?;
        let (server, client) = (only(&spans, Kind::Server)?, only(&spans, Kind::Client)?);
        ensure!(server.parent_id.is_none(), "{protocol}: {server:#?}");
        ensure!(
            client.trace_id == server.trace_id
                && client.parent_id.as_ref() == Some(&server.span_id),
            "{protocol}: {spans:#?}"
        );
    }
    Ok(())
}
