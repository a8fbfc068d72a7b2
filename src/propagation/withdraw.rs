//! No trace header at all: what goes where another trace leaves than the one that came in.

use super::{Format, HeaderWrites, TraceHeaders};

/// Removes every known header of a trace.
pub fn withdraw(headers: &TraceHeaders<'_>) -> HeaderWrites {
    let mut writes = HeaderWrites::default();
    for format in Format::ALL {
        writes.withdraw(headers, format);
    }
    writes
}
