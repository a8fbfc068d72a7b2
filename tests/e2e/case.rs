//! One case: what is sent, what the application does, what must arrive.

use crate::formats::agreed_trace_id;
use crate::want::{Want, shown};
use serde_json::{Value, json};
use std::fmt;
use throughline_dev::app::Forward;
use throughline_dev::http::{Headers, Request};

/// Where a request is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// The application, behind `inbound`.
    App,
    /// Whom it calls, behind `outbound`.
    Callee,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::App {
            "the application"
        } else {
            "the callee"
        })
    }
}

/// A case. Besides what it says, all trace headers must be valid and agree with each other, wherever they arrive.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub config: Value,
    pub request: Request,
    pub forward: Forward,
    header_wants: Vec<(At, &'static str, Want)>,
    counter_wants: Vec<(&'static str, u64)>,
    one_trace: bool,
}

/// A case with the default configuration, whose application forwards what Istio's documentation tells it to.
pub fn case(name: &'static str) -> Case {
    Case {
        name,
        config: json!({}),
        request: Request::get("/productpage"),
        forward: Forward::ISTIO,
        header_wants: Vec::new(),
        counter_wants: Vec::new(),
        one_trace: false,
    }
}

impl Case {
    /// Sets the filter's configuration.
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// The client sends this header, after those that are there.
    pub fn sends(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request.headers.push(name, value);
        self
    }

    /// What the application forwards.
    pub fn forwards(mut self, forward: Forward) -> Self {
        self.forward = forward;
        self
    }

    /// What the application must see.
    pub fn app(mut self, name: &'static str, want: Want) -> Self {
        self.header_wants.push((At::App, name, want));
        self
    }

    /// What the callee must see.
    pub fn callee(mut self, name: &'static str, want: Want) -> Self {
        self.header_wants.push((At::Callee, name, want));
        self
    }

    /// What both must see.
    pub fn both(self, name: &'static str, want: Want) -> Self {
        self.app(name, want.clone()).callee(name, want)
    }

    /// The application and its callee must be on one trace.
    pub fn one_trace(mut self) -> Self {
        self.one_trace = true;
        self
    }

    /// By how much a metric, as Prometheus sees it, must grow. The request counts twice: inbound and outbound.
    pub fn counts(mut self, metric: &'static str, by: u64) -> Self {
        self.counter_wants.push((metric, by));
        self
    }
}

/// What happened when a case was played.
#[derive(Debug)]
pub struct Outcome {
    pub app: Headers,
    pub callee: Headers,
    pub before: String,
    pub after: String,
}

impl Outcome {
    fn at(&self, at: At) -> &Headers {
        match at {
            At::App => &self.app,
            At::Callee => &self.callee,
        }
    }

    /// Everything that is not as `case` wants it.
    pub fn complaints(&self, case: &Case) -> Vec<String> {
        let mut complaints = Vec::new();
        for (at, name, want) in &case.header_wants {
            let got: Vec<_> = self.at(*at).all(name).collect();
            if !want.accepts(&got) {
                complaints.push(format!("{at}: {name}: wanted {want}, got {}", shown(&got)));
            }
        }
        for (metric, by) in &case.counter_wants {
            let grown = value(&self.after, metric) - value(&self.before, metric);
            if grown != *by {
                complaints.push(format!("{metric} grew by {grown} instead of {by}"));
            }
        }
        let mut agreed = |at| match agreed_trace_id(self.at(at)) {
            Ok(trace_id) => trace_id,
            Err(problem) => {
                complaints.push(format!("{at}: {problem}"));
                None
            }
        };
        let (app, callee) = (agreed(At::App), agreed(At::Callee));
        if case.one_trace && (app.is_none() || app != callee) {
            complaints.push(format!(
                "not one trace: the application is on {app:?}, the callee on {callee:?}"
            ));
        }
        complaints
    }
}

/// A metric in Prometheus' text format; 0 while it is not there.
fn value(metrics: &str, metric: &str) -> u64 {
    let line = |line: &str| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok();
    // Envoy leaves an empty set of labels in.
    let bare = format!("{metric}{{}}");
    let empty = |line: &str| {
        line.strip_prefix(bare.as_str())?
            .strip_prefix(' ')?
            .parse()
            .ok()
    };
    metrics
        .lines()
        .find_map(|text| line(text).or_else(|| empty(text)))
        .unwrap_or(0)
}
