//! What Tempo gives back.

use anyhow::Result;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use throughline_demo::trace::{Span, Trace};
use throughline_dev::backends::Tempo;

/// A batch waits two seconds to be full, and Tempo's search learns of a trace ten seconds later.
const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(200);

/// The trace of that id, once it has so many spans; what there is of it when they do not come.
pub fn trace(tempo: &Tempo, id: &str, spans: usize) -> Result<Option<Trace>> {
    let found = patiently(|| tempo.trace(id), |found| found.len() >= spans)?;
    let found = found.into_iter().map(Span::from).collect();
    Ok(Trace::of(found).into_iter().next())
}

/// The traces that a query finds, once there are so many; those that there are when they do not come.
pub fn search(tempo: &Tempo, traceql: &str, expected: usize) -> Result<BTreeSet<String>> {
    // One more than expected must be found, too.
    let limit = expected + 10;
    patiently(
        || tempo.search_up_to(limit, traceql),
        |found| found.len() >= expected,
    )
}

/// Looks until it is enough, or patience ends.
fn patiently<T>(look: impl Fn() -> Result<T>, is_enough: impl Fn(&T) -> bool) -> Result<T> {
    let begun = Instant::now();
    loop {
        let found = look()?;
        if is_enough(&found) || begun.elapsed() > PATIENCE {
            return Ok(found);
        }
        std::thread::sleep(PAUSE);
    }
}
