//! One sidecar whose tags go to every sink, and what each of them got of one request.

use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, merge};
use throughline_dev::poll;
use throughline_dev::receiver::{Receiver, Span};

pub struct Everywhere {
    app: App,
    receiver: Receiver,
    envoy: Envoy,
}

/// What became of one request.
pub struct Told {
    pub headers: Headers,
    pub entry: Value,
    pub span: Span,
}

impl Everywhere {
    /// With `config`, and the access log keys of the tags of these names.
    pub fn start(release: Release, module: &Path, config: &Value, tags: &[&str]) -> Result<Self> {
        let (app, receiver) = (App::start()?, Receiver::start()?);
        let mut settings = json!({
            "tags": {"to": ["span", "accessLog", "nativeSpan", "baggage", "header:x-tag-{tag}"]},
            "export": {"cluster": "collector", "batch": {"scheduleDelay": "10ms"}},
        });
        merge(&mut settings, config);
        let plugin = Plugin::new(module, &settings).environment("ENVIRONMENT", "production");
        let listener = Listener::inbound("inbound")
            .plugin(&plugin)
            .max_request_headers(96)
            .route(Route::any("app"));
        let listener = tags.iter().fold(listener, |listener, tag| {
            let state = tag.replace(['.', ':', '/'], "_");
            let format = format!("%FILTER_STATE(wasm.throughline.tag.{state}:PLAIN)%");
            listener.log(tag, &format)
        });
        let envoy = Proxy::new(Node::sidecar("productpage", "productpage-v1", "bookinfo"))
            .listener(listener)
            .cluster(Cluster::new("app", app.address()))
            .cluster(Cluster::new("collector", receiver.http()))
            .start(&release.binary()?)?;
        Ok(Self {
            app,
            receiver,
            envoy,
        })
    }

    /// Sends a request that is sampled, one at a time.
    pub fn send(&self, request: &Request) -> Result<Told> {
        let before = self.envoy.access_log("inbound")?.len();
        let answer = client::send(self.envoy.listener("inbound")?, request)?;
        ensure!(answer.status == 200, "{answer:?}");
        let seen = self.app.take_seen().pop().context("nothing arrived")?;
        let entry = poll::until("the access log entry", || {
            Ok(self.envoy.access_log("inbound")?.get(before).cloned())
        })?;
        let span = poll::until("the span", || Ok(self.receiver.take().pop()))?;
        Ok(Told {
            headers: seen.headers,
            entry,
            span,
        })
    }

    pub fn check_health(&self) -> Result<()> {
        let invalid = self.receiver.invalid();
        ensure!(invalid.is_empty(), "{invalid:#?}");
        check_health(&self.envoy)
    }
}

impl Told {
    /// Fails unless every sink has the tag with that value, or none has it.
    pub fn check(&self, tag: &str, expected: Option<&str>) -> Result<()> {
        let header = format!("x-tag-{}", tag.replace(['.', ':', '/'], "-"));
        let headers: Vec<_> = self.headers.all(&header).collect();
        let one = match headers.as_slice() {
            [] => None,
            [value] => Some(String::from_utf8(value.to_vec())?),
            _ => anyhow::bail!("{header} is there {} times", headers.len()),
        };
        let baggage: Vec<_> = self.headers.all("baggage").collect();
        let baggage = String::from_utf8(baggage.join(&b","[..]))?;
        let mut members = baggage.split(',');
        let member = members.find_map(|member| member.strip_prefix(&format!("{tag}=")));
        let attribute = self.span.attributes.get(tag);
        for (sink, got) in [
            ("header", one),
            ("baggage", member.map(percent_decoded)),
            ("access log", self.entry[tag].as_str().map(str::to_owned)),
            ("span", attribute.map(ToString::to_string)),
        ] {
            ensure!(
                got.as_deref() == expected,
                "{tag} in the {sink} is {got:?}, not {expected:?}"
            );
        }
        Ok(())
    }
}

pub fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or_default();
        bytes.extend(u8::from_str_radix(digits, 16));
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
