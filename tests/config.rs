//! pluginConfig and the OTEL_* variables, a file for each section: what is taken and what it means, and what is refused
//! with which words.

mod support;

#[path = "config/announcement.rs"]
mod announcement;
#[path = "config/batch.rs"]
mod batch;
#[path = "config/broken.rs"]
mod broken;
#[path = "config/destination.rs"]
mod destination;
#[path = "config/document.rs"]
mod document;
#[path = "config/endpoint.rs"]
mod endpoint;
#[path = "config/headers.rs"]
mod headers;
#[path = "config/limits.rs"]
mod limits;
#[path = "config/overrides.rs"]
mod overrides;
#[path = "config/propagation.rs"]
mod propagation;
#[path = "config/redaction.rs"]
mod redaction;
#[path = "config/resource.rs"]
mod resource;
#[path = "config/response.rs"]
mod response;
#[path = "config/sampling.rs"]
mod sampling;
#[path = "config/service.rs"]
mod service;
#[path = "config/sinks.rs"]
mod sinks;
#[path = "config/spans.rs"]
mod spans;
#[path = "config/tags.rs"]
mod tags;
#[path = "config/tracer.rs"]
mod tracer;
#[path = "config/trust.rs"]
mod trust;

use support::{FakeHost, configure_with};
use throughline::{
    config::{self, Settings},
    policy::service::UnknownNode,
};

/// Variables of the VM.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// Stands in rows for what no message may show.
const SECRET: &str = "s3cret";

/// A configuration, the variables beside it, and a part of the message that refuses it.
type Refused<'a> = (&'a str, Variables<'a>, &'a str);

fn load(config: &str, variables: Variables<'_>) -> Result<Settings, String> {
    let get = |name: &str| variable(variables, name);
    config::load(config.as_bytes(), &get, &mut UnknownNode).map_err(|problem| problem.to_string())
}

fn variable(variables: Variables<'_>, name: &str) -> Option<String> {
    let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
    Some((*value).to_owned())
}

/// What `config` means; fails the test where it is refused.
fn taken(config: &str, variables: Variables<'_>) -> Settings {
    load(config, variables).unwrap_or_else(|refusal| panic!("{config} {variables:?}: {refusal}"))
}

/// The message that refuses `config`; fails the test where it is taken, or where the message shows a secret.
fn refusal(config: &str, variables: Variables<'_>) -> String {
    match load(config, variables) {
        Ok(_) => panic!("taken: {config} {variables:?}"),
        Err(message) => {
            assert!(!message.contains(SECRET), "a secret is shown: {message}");
            message
        }
    }
}

/// Every row is refused with its words.
fn refused(rows: &[(&str, &str)]) {
    for (config, expected) in rows {
        let got = refusal(config, &[]);
        assert!(
            got.contains(expected),
            "{config}\n  got: {got}\n  expected: {expected}"
        );
    }
}

/// The same where variables matter.
fn refused_with(rows: &[Refused<'_>]) {
    for (config, variables, expected) in rows {
        let got = refusal(config, variables);
        assert!(
            got.contains(expected),
            "{config} {variables:?}\n  got: {got}\n  expected: {expected}"
        );
    }
}

/// The start-up line that `config` and these variables give.
fn start_line(config: &str, variables: Variables<'_>) -> String {
    let mut host = FakeHost::default();
    configure_with(&mut host, config, &|name| variable(variables, name))
        .unwrap_or_else(|error| panic!("{config} {variables:?}: {error}"));
    host.log.pop().expect("a start-up line").1
}

/// A configuration, the variables beside it, a part of the start-up line, and why.
type Said<'a> = (&'a str, Variables<'a>, &'a str, &'a str);

fn said(rows: &[Said<'_>]) {
    for (config, variables, expected, why) in rows {
        let got = start_line(config, variables);
        assert!(
            got.contains(expected),
            "{why}\n  {config} {variables:?}\n  got: {got}\n  expected: {expected}"
        );
    }
}
