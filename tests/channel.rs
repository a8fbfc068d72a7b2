//! The way from a finished span to the collector over a host: ticks, calls and answers, root contexts that come and go,
//! what is counted and what is said.

mod support;

#[path = "channel/answers.rs"]
mod answers;
#[path = "channel/any.rs"]
mod any;
#[path = "channel/calls.rs"]
mod calls;
#[path = "channel/health.rs"]
mod health;
#[path = "channel/leaving.rs"]
mod leaving;
#[path = "channel/sharing.rs"]
mod sharing;
#[path = "channel/ticks.rs"]
mod ticks;
#[path = "channel/worker.rs"]
mod worker;

/// Exports to a cluster, with OpenTelemetry's batches of 512 and Throughline's delay of two seconds.
const DEFAULT: &str = r#"{"export": {"cluster": "collector"}}"#;
/// The same in batches of two.
const TWOS: &str = r#"{"export": {"cluster": "collector", "batch": {"maxExportBatchSize": 2}}}"#;
