//! What an observation means: which trace each hop belongs to, and where and why a trace broke.

use crate::bookinfo::{Bookinfo, Service};
use crate::log::LogLine;
use crate::mode::Mode;
use crate::observation::Observation;
use crate::service::Seen;
use anyhow::{Context, Result};
use throughline_demo::carried::{Carried, Format};
use throughline_demo::trace::Trace;

/// One run of the request, understood.
#[derive(Clone, Debug)]
pub struct Story {
    pub mode: Mode,
    /// In the order in which the request made them.
    pub hops: Vec<Hop>,
    pub visits: Vec<Visit>,
    pub log: Vec<LogLine>,
    /// What Envoys reported.
    pub traces: Vec<Trace>,
}

/// A call from one service to another, through both their Envoys.
#[derive(Clone, Debug)]
pub struct Hop {
    pub caller: &'static str,
    pub callee: &'static str,
    /// Every trace that its headers or its access log lines name: one, if all is well.
    pub trace_ids: Vec<String>,
    /// The trace headers that the caller's application sent; the gateway has none.
    pub forwarded: Option<Carried>,
    pub fate: Fate,
}

/// What became of the caller's trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// There was none: it began here.
    Began,
    /// It went on.
    Continued,
    /// It ended here, for this reason.
    Broke(String),
}

/// The request at a service.
#[derive(Clone, Debug)]
pub struct Visit {
    pub service: &'static str,
    pub received: Carried,
    /// Whether the headers that it copies name its trace.
    pub found: bool,
}

impl Story {
    /// Makes sense of `observation`.
    pub fn of(bookinfo: &Bookinfo, mode: Mode, observation: Observation) -> Result<Self> {
        let mut hops: Vec<Hop> = Vec::new();
        for (caller, callee) in bookinfo.hops() {
            let hop = hop(bookinfo, mode, &observation, &hops, caller, callee)?;
            hops.push(hop);
        }
        let visit = |service: &Service| {
            let Seen {
                received, copied, ..
            } = seen(&observation, service.name)?;
            Ok(Visit {
                service: service.name,
                received: received.clone(),
                found: !copied.trace_ids().is_empty(),
            })
        };
        Ok(Self {
            mode,
            hops,
            visits: bookinfo
                .services()
                .iter()
                .map(visit)
                .collect::<Result<_>>()?,
            log: observation.log,
            traces: observation.traces,
        })
    }

    /// Every trace that was seen anywhere, the first one first.
    pub fn trace_ids(&self) -> Vec<&str> {
        let hops = self.hops.iter().flat_map(|hop| &hop.trace_ids);
        let log = self.log.iter().filter_map(|line| line.trace_id.as_ref());
        distinct(hops.chain(log).map(String::as_str))
    }

    /// The access log lines with the trace in which the request began.
    pub fn found_lines(&self) -> impl Iterator<Item = &LogLine> {
        let first = self.trace_ids().first().copied();
        self.log
            .iter()
            .filter(move |line| first.is_some() && line.trace_id.as_deref() == first)
    }

    /// How many spans Envoys reported.
    pub fn spans(&self) -> usize {
        self.traces.iter().map(|trace| trace.rows.len()).sum()
    }

    /// How many services found their trace in the headers that they know.
    pub fn found_services(&self) -> usize {
        self.visits.iter().filter(|visit| visit.found).count()
    }

    /// What keeps this from being one trace, from the gateway to the last service.
    pub fn flaw(&self) -> Option<String> {
        let ids = self.trace_ids();
        let between = |hop: &Hop| format!("{} → {}", hop.caller, hop.callee);
        if let Some(hop) = self.hops.iter().find(|hop| hop.trace_ids.is_empty()) {
            return Some(format!("{} carried no trace id", between(hop)));
        }
        for hop in &self.hops {
            if let Fate::Broke(why) = &hop.fate {
                let (count, between) = (ids.len(), between(hop));
                return Some(format!(
                    "{count} trace ids were seen; it broke at {between}: {why}"
                ));
            }
        }
        if ids.len() != 1 {
            return Some(format!(
                "{} trace ids were seen: {}",
                ids.len(),
                ids.join(", ")
            ));
        }
        let line = self.log.iter().find(|line| line.trace_id.is_none())?;
        Some(format!(
            "a line of {}'s {} access log has no trace.id",
            line.envoy, line.listener
        ))
    }
}

fn hop(
    bookinfo: &Bookinfo,
    mode: Mode,
    observation: &Observation,
    before: &[Hop],
    caller: &'static str,
    callee: &'static str,
) -> Result<Hop> {
    let path = bookinfo.service(callee)?.path;
    let arrived = &seen(observation, callee)?.received;
    let ends = [(caller, "outbound"), (callee, "inbound")];
    let mut trace_ids = Vec::new();
    for line in &observation.log {
        if line.path == path && ends.contains(&(line.envoy, line.listener)) {
            trace_ids.extend(line.trace_id.clone());
            trace_ids.extend(line.carried.trace_ids());
        }
    }
    trace_ids.extend(arrived.trace_ids());
    let trace_ids = distinct(trace_ids);
    let (forwarded, fate) = match before.iter().find(|hop| hop.callee == caller) {
        None => (None, Fate::Began),
        Some(incoming) => {
            let sender = seen(observation, caller)?;
            let continued = !trace_ids.is_empty() && trace_ids == incoming.trace_ids;
            let fate = match continued {
                true => Fate::Continued,
                false => Fate::Broke(why(mode, bookinfo.service(caller)?, sender)),
            };
            (Some(sender.copied.clone()), fate)
        }
    };
    Ok(Hop {
        caller,
        callee,
        trace_ids,
        forwarded,
        fate,
    })
}

/// Why the trace that came to this service did not leave with its call.
fn why(mode: Mode, service: &Service, seen: &Seen) -> String {
    let (got, sent) = (seen.received.formats(), seen.copied.formats());
    let name = service.name;
    let b3 = |format: &Format| matches!(format, Format::B3 | Format::B3Multi);
    if sent.is_empty() {
        let copies = service.copies.words();
        return format!("{name} got {} and copies {copies}", names(&got));
    }
    let sent_names = names(&sent);
    let why = match mode {
        Mode::Native if !sent.iter().any(b3) => format!("which {} does not read", mode.tracer()),
        _ => "and its Envoy began another trace all the same".to_owned(),
    };
    format!("{name} forwarded {sent_names}, {why}")
}

/// The names of formats, in words.
pub fn names(formats: &[Format]) -> String {
    match formats {
        [] => "no trace id".to_owned(),
        formats => {
            let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
            names.join(", ")
        }
    }
}

fn seen<'a>(observation: &'a Observation, service: &str) -> Result<&'a Seen> {
    let seen = observation.seen.get(service);
    seen.with_context(|| format!("nothing was seen of {service}"))
}

fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}
