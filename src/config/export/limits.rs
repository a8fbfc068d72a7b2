//! `export.batch`, `export.maxInFlight` and `export.timeout`, with OpenTelemetry's variables for them.

use super::super::{
    Environment, Problem,
    environment::non_empty,
    reader::{Node, quoted},
};
use crate::export::Limits;

const DEFAULT_TIMEOUT: u32 = 10_000;
const MILLISECOND: u64 = 1_000_000;

/// In milliseconds.
pub fn timeout(node: Option<&Node<'_>>, environment: &impl Environment) -> Result<u32, Problem> {
    const LEAST: u64 = 10 * MILLISECOND;
    const MOST: u64 = 60_000 * MILLISECOND;
    if let Some(node) = node {
        return Ok(milliseconds(node.duration(LEAST, MOST)?));
    }
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ] {
        if let Some(number) = integer_from(environment, name, 10, 60_000)? {
            return Ok(u32::try_from(number).unwrap_or(DEFAULT_TIMEOUT));
        }
    }
    Ok(DEFAULT_TIMEOUT)
}

fn milliseconds(nanoseconds: u64) -> u32 {
    u32::try_from(core::time::Duration::from_nanos(nanoseconds).as_millis()).unwrap_or(u32::MAX)
}

pub fn load(
    batch: Option<&Node<'_>>,
    max_in_flight: Option<&Node<'_>>,
    environment: &impl Environment,
) -> Result<Limits, Problem> {
    const BATCH: [&str; 4] = [
        "maxQueueSize",
        "maxQueueBytes",
        "maxExportBatchSize",
        "scheduleDelay",
    ];
    const MOST_SPANS: usize = 65_536;
    let mut limits = Limits::default();
    let batch = batch.map(|node| node.object(&BATCH)).transpose()?;
    let get = |name| batch.as_ref().and_then(|batch| batch.get(name));
    let or_from = |node: Option<Node<'_>>, name, value: &mut usize| -> Result<(), Problem> {
        match node {
            Some(node) => *value = node.integer(1, MOST_SPANS)?,
            None => *value = integer_from(environment, name, 1, MOST_SPANS)?.unwrap_or(*value),
        }
        Ok(())
    };
    or_from(
        get("maxQueueSize"),
        "OTEL_BSP_MAX_QUEUE_SIZE",
        &mut limits.max_queue_size,
    )?;
    limits.max_export_batch_size = limits.max_export_batch_size.min(limits.max_queue_size);
    or_from(
        get("maxExportBatchSize"),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        &mut limits.max_export_batch_size,
    )?;
    if limits.max_export_batch_size > limits.max_queue_size {
        return Err(Problem::new(
            "export.batch.maxExportBatchSize",
            format!(
                "must not be above maxQueueSize, {} > {}",
                limits.max_export_batch_size, limits.max_queue_size
            ),
        ));
    }
    if let Some(node) = get("maxQueueBytes") {
        limits.max_queue_bytes = node.integer(65_536, 67_108_864)?;
    }
    match get("scheduleDelay") {
        Some(node) => {
            limits.schedule_delay = node.duration(10 * MILLISECOND, 60_000 * MILLISECOND)?
        }
        None => {
            if let Some(number) = integer_from(environment, "OTEL_BSP_SCHEDULE_DELAY", 10, 60_000)?
            {
                let number = u64::try_from(number).unwrap_or(0);
                limits.schedule_delay = number.saturating_mul(MILLISECOND);
            }
        }
    }
    if let Some(node) = max_in_flight {
        limits.max_in_flight = node.integer(1, 64)?;
    }
    Ok(limits)
}

fn integer_from(
    environment: &impl Environment,
    name: &str,
    least: usize,
    most: usize,
) -> Result<Option<usize>, Problem> {
    let Some(text) = non_empty(environment, name) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(Problem::new(
            name,
            format!(
                "expected an integer from {least} to {most}, got {}",
                quoted(&text)
            ),
        )),
    }
}
