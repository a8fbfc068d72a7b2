//! Envoy's admin interface.

use crate::http::{Request, client};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub fn get(admin: SocketAddr, path: &str) -> Result<String> {
    let response = client::send(admin, &Request::get(path))
        .with_context(|| format!("Envoy's admin: GET {path}"))?;
    if response.status != 200 {
        bail!(
            "Envoy's admin: GET {path}: {} {}",
            response.status,
            response.text()
        );
    }
    Ok(response.text())
}

/// Whether the whole server is initialised: every listener, and every extension that it waits for.
pub fn is_ready(admin: SocketAddr) -> bool {
    get(admin, "/ready").is_ok()
}

pub fn listeners(admin: SocketAddr) -> Result<BTreeMap<String, SocketAddr>> {
    let answer: Value = serde_json::from_str(&get(admin, "/listeners?format=json")?)?;
    let statuses = answer
        .get("listener_statuses")
        .and_then(Value::as_array)
        .context("no listener statuses")?;
    statuses.iter().map(listener).collect()
}

fn listener(status: &Value) -> Result<(String, SocketAddr)> {
    let name = status
        .get("name")
        .and_then(Value::as_str)
        .context("a listener without a name")?;
    let address = status
        .pointer("/local_address/socket_address")
        .context("a listener without an address")?;
    let ip = address
        .get("address")
        .and_then(Value::as_str)
        .context("a listener without an IP address")?;
    let port = address
        .get("port_value")
        .and_then(Value::as_u64)
        .context("a listener without a port")?;
    Ok((
        name.to_owned(),
        SocketAddr::new(ip.parse()?, u16::try_from(port)?),
    ))
}

/// The lines `name: number`; histograms and texts are left out.
pub fn numbers(stats: &str) -> BTreeMap<String, u64> {
    stats
        .lines()
        .filter_map(|line| line.rsplit_once(": "))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}
