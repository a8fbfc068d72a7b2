//! The shape of `--json`, as docs/doctor.md promises it: no field more, none less, none of another type.

use serde::Deserialize;

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Report {
    pub format: u32,
    #[serde(deserialize_with = "present")]
    pub healthy: Option<bool>,
    pub proxy: Proxy,
    pub filter: Filter,
    pub chains: Vec<Chain>,
    #[serde(deserialize_with = "present")]
    pub requests: Option<Requests>,
    #[serde(deserialize_with = "present")]
    pub spans: Option<Spans>,
    pub findings: Vec<Finding>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Proxy {
    pub kind: Kind,
    #[serde(deserialize_with = "present")]
    pub id: Option<String>,
    #[serde(deserialize_with = "present")]
    pub envoy: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Sidecar,
    Gateway,
    Waypoint,
    Envoy,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Filter {
    #[serde(deserialize_with = "present")]
    pub version: Option<String>,
    pub instances: Vec<Instance>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Instance {
    pub name: String,
    pub state: State,
    pub listeners: Vec<String>,
    #[serde(deserialize_with = "present")]
    pub config: Option<Config>,
}

#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Configured,
    Rejected,
    ImageNotPulled,
    Missing,
    Unknown,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Config {
    pub enabled: bool,
    pub service_name: String,
    pub sampler: String,
    #[serde(deserialize_with = "present")]
    pub ratio: Option<f64>,
    pub extract: Vec<String>,
    pub inject: Vec<String>,
    #[serde(deserialize_with = "present")]
    pub export: Option<Export>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Export {
    pub protocol: String,
    pub cluster: String,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Chain {
    pub listener: String,
    pub place: String,
    pub has_filter: bool,
    pub filters: Vec<String>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requests {
    pub by_filter: u64,
    pub by_envoy: u64,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Spans {
    pub finished: u64,
    pub exported: u64,
    pub dropped: u64,
    pub failed: u64,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "that a field can be read is the test")]
pub struct Finding {
    pub code: String,
    pub severity: Severity,
    pub what: String,
    pub why: String,
    pub fix: String,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Clone, Copy, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

/// Serde takes a field that is not there for `None`; here it must be there.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

impl Report {
    /// The codes of the findings, in their order.
    pub fn codes(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| &*finding.code).collect()
    }
}
