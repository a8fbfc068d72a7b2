//! The matrix: which application, set how, and what is to be said where the answer is no.

mod datadog;
mod opentelemetry;
mod zipkin;

use serde_json::{Value, json};
use throughline_dev::http::Headers;

/// The formats that the filter writes where it is not told.
const INJECT: &[&str] = &["tracecontext", "b3multi"];

/// An application with its settings, behind a filter with its own.
#[derive(Clone, Debug)]
pub struct Cell {
    /// As install.py names it.
    pub application: &'static str,
    /// The settings, as users write them.
    pub settings: String,
    /// The same, as the application takes them.
    pub environment: Vec<(String, String)>,
    extract: Option<&'static [&'static str]>,
    inject: Option<&'static [&'static str]>,
    /// What the caller writes beside its `traceparent`; without it the filter begins a trace, too.
    pub caller: Option<fn(&str) -> Headers>,
    /// Where it says no.
    pub no: Option<No>,
}

/// What to say where the answer is no.
#[derive(Clone, Debug)]
pub struct No {
    /// Why.
    pub why: &'static str,
    /// The settings of the same application with which it is a yes.
    pub instead: String,
}

impl Cell {
    /// An application that is set by its environment.
    fn by_environment(application: &'static str, name: &str, value: &str) -> Self {
        Self::by_code(application, &setting(name, value), &[(name, value)])
    }

    /// An application that is set by its code, which reads `environment` for it.
    fn by_code(application: &'static str, settings: &str, environment: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            application,
            settings: settings.to_owned(),
            environment: environment.iter().map(owned).collect(),
            extract: None,
            inject: None,
            caller: None,
            no: None,
        }
    }

    /// Behind a filter that writes those formats.
    fn injecting(mut self, formats: &'static [&'static str]) -> Self {
        self.settings += &format!("; filter: `inject: [{}]`", formats.join(", "));
        self.inject = Some(formats);
        self
    }

    /// Behind a filter that reads those formats.
    fn extracting(mut self, formats: &'static [&'static str]) -> Self {
        self.settings += &format!("; filter: `extract: [{}]`", formats.join(", "));
        self.extract = Some(formats);
        self
    }

    /// Called by one who writes that beside its `traceparent`.
    fn called_by(mut self, caller: fn(&str) -> Headers) -> Self {
        self.caller = Some(caller);
        self
    }

    /// Says no, for that reason; with the settings `instead` it says yes.
    fn no(mut self, why: &'static str, instead: impl Into<String>) -> Self {
        let instead = instead.into();
        self.no = Some(No { why, instead });
        self
    }

    /// The formats that the filter writes.
    pub fn formats(&self) -> &'static [&'static str] {
        self.inject.unwrap_or(INJECT)
    }

    /// The filter's configuration.
    pub fn filter(&self) -> Value {
        let lists = [("extract", self.extract), ("inject", self.inject)];
        let told: serde_json::Map<String, Value> = lists
            .into_iter()
            .filter_map(|(name, formats)| Some((name.to_owned(), json!(formats?))))
            .collect();
        json!({"propagation": told})
    }
}

fn setting(name: &str, value: &str) -> String {
    format!("`{name}={value}`")
}

/// Every cell, in the table's order.
pub fn all() -> Vec<Cell> {
    [opentelemetry::cells(), zipkin::cells(), datadog::cells()].concat()
}
