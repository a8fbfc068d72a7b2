//! The demo's hold on a service's process.

use crate::bookinfo::Copies;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::net::SocketAddr;
use std::process::Command;
use throughline_demo::carried::Carried;
use throughline_dev::app::Call;
use throughline_dev::bookinfo::Application;
use throughline_dev::process::OwnedChild;

/// A running service. Dropping it ends its process.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    orders: PipeWriter,
    answers: BufReader<PipeReader>,
    address: SocketAddr,
    // Held only to be ended.
    _process: OwnedChild,
}

/// A request that a service got.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The trace headers that came.
    pub received: Carried,
    /// Those of them that it copied onto its calls.
    pub copied: Carried,
}

impl Service {
    /// Starts this program again, as that service.
    pub fn start(name: &'static str, copies: Copies) -> Result<Self> {
        let (input, orders) = io::pipe()?;
        let (answers, output) = io::pipe()?;
        let program = std::env::current_exe().context("cannot find this program again")?;
        let mut command = Command::new(program);
        command
            .args(["service", name, copies.name()])
            .stdin(input)
            .stdout(output);
        let process = OwnedChild::spawn(command)?;
        let mut answers = BufReader::new(answers);
        let hello = read(&mut answers, name)?;
        let address = text(&hello, "listening")?.parse()?;
        Ok(Self {
            name,
            orders,
            answers,
            address,
            _process: process,
        })
    }

    /// The requests that it got since the last time.
    pub fn seen(&mut self) -> Result<Vec<Seen>> {
        let answer = self.ask(&json!({"report": true}))?;
        let requests = answer.get("seen").and_then(Value::as_array);
        let request = |request: &Value| {
            let carried = |key| Carried::in_json(request.get(key).unwrap_or(&Value::Null));
            Ok(Seen {
                received: carried("received"),
                copied: carried("copied"),
            })
        };
        requests
            .context("a report without requests")?
            .iter()
            .map(request)
            .collect()
    }

    fn ask(&mut self, order: &Value) -> Result<Value> {
        writeln!(self.orders, "{order}")
            .with_context(|| format!("the service {} has ended", self.name))?;
        read(&mut self.answers, self.name)
    }
}

impl Application for Service {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn calls(&mut self, calls: Vec<Call>) -> Result<()> {
        let call = |call: &Call| {
            json!({
                "through": call.through.to_string(), "host": call.host, "path": call.path, "optional": call.optional,
            })
        };
        let calls: Vec<_> = calls.iter().map(call).collect();
        self.ask(&json!({"calls": calls}))?;
        Ok(())
    }

    fn answers(&mut self, status: u16) -> Result<()> {
        self.ask(&json!({"answers": status}))?;
        Ok(())
    }
}

fn read(answers: &mut BufReader<PipeReader>, name: &str) -> Result<Value> {
    let mut line = String::new();
    if answers.read_line(&mut line)? == 0 {
        bail!("the service {name} has ended");
    }
    Ok(serde_json::from_str(&line)?)
}

fn text<'a>(object: &'a Value, key: &str) -> Result<&'a str> {
    let text = object.get(key).and_then(Value::as_str);
    text.with_context(|| format!("{object} has no text {key:?}"))
}
