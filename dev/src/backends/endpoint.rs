//! An HTTP interface that speaks JSON.

use crate::http::{Request, client};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write;
use std::net::SocketAddr;

/// Where a backend answers queries, or takes spans.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint(pub SocketAddr);

impl Endpoint {
    /// GET `path` with these parameters; `None` for what is not there (404).
    pub fn find(self, path: &str, parameters: &[(&str, &str)]) -> Result<Option<Value>> {
        let target = target(path, parameters);
        let request = Request::get(&target).header("accept", "application/json");
        let response = client::send(self.0, &request).with_context(|| format!("GET {target}"))?;
        match response.status {
            200 => {
                let body = serde_json::from_slice(&response.body);
                Ok(Some(body.with_context(|| {
                    format!("GET {target}: {}", response.text())
                })?))
            }
            404 => Ok(None),
            status => bail!("GET {target}: {status} {}", response.text()),
        }
    }

    /// GET `path` with these parameters.
    pub fn get(self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        self.find(path, parameters)?
            .with_context(|| format!("GET {}: 404", target(path, parameters)))
    }

    /// GET `path` as text.
    pub fn text(self, path: &str) -> Result<String> {
        self.read(&Request::get(path))
    }

    /// The metrics at `/metrics`, in the format that has exemplars.
    pub fn open_metrics(self) -> Result<String> {
        let accept = "application/openmetrics-text; version=1.0.0";
        self.read(&Request::get("/metrics").header("accept", accept))
    }

    fn read(self, request: &Request) -> Result<String> {
        let target = &request.target;
        let response = client::send(self.0, request).with_context(|| format!("GET {target}"))?;
        if response.status != 200 {
            bail!("GET {target}: {} {}", response.status, response.text());
        }
        Ok(response.text())
    }

    /// POST `body` to `path`.
    pub fn post(self, path: &str, body: &Value) -> Result<()> {
        let request =
            Request::post(path, body.to_string()).header("content-type", "application/json");
        let response = client::send(self.0, &request).with_context(|| format!("POST {path}"))?;
        if response.status / 100 != 2 {
            bail!("POST {path}: {} {}", response.status, response.text());
        }
        Ok(())
    }

    /// Whether GET `path` answers 200.
    pub fn answers(self, path: &str) -> bool {
        self.text(path).is_ok()
    }
}

fn target(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut target = path.to_owned();
    for (index, (name, value)) in parameters.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        encode(name, &mut target);
        target.push('=');
        encode(value, &mut target);
    }
    target
}

/// RFC 3986: everything but the unreserved characters is escaped.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn parameters_are_escaped() {
        let target = super::target("/api/search", &[("q", "{ .a = \"é\" }"), ("limit", "1")]);
        assert_eq!(
            target,
            "/api/search?q=%7B%20.a%20%3D%20%22%C3%A9%22%20%7D&limit=1"
        );
    }
}
