//! The requests that are sent through the mesh with the filter, and the traces that came of them.

use crate::bookinfo::{self, Bookinfo};
use crate::log::{self, Logs};
use crate::mesh::Mesh;
use anyhow::{Result, bail};
use throughline_demo::interrupt::Interrupt;
use throughline_demo::trace::Trace;

/// A request, its answer, and what was reported of it.
#[derive(Clone, Debug)]
pub struct Traced {
    pub title: &'static str,
    /// What to see in it.
    pub note: &'static str,
    pub method: &'static str,
    pub status: u16,
    /// One, if all is well.
    pub traces: Vec<Trace>,
}

impl Traced {
    /// The request of both runs.
    pub fn ordinary(status: u16, traces: Vec<Trace>) -> Self {
        Self {
            title: "The request",
            note: "Every hop is a span of the Envoy that handled it; the services made none.",
            method: "GET",
            status,
            traces,
        }
    }

    /// The same while the service fails that others do without.
    pub fn failing(
        mesh: &mut Mesh<'_>,
        logs: &mut Logs,
        bookinfo: &Bookinfo,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        mesh.answers(bookinfo::OPTIONAL, 503)?;
        let status = send(mesh, "GET", 200)?;
        mesh.answers(bookinfo::OPTIONAL, 200)?;
        let hops = bookinfo.hops().len();
        Ok(Self {
            title: "The same while ratings fails",
            note: "reviews does without ratings, so the page is answered with 200: only the trace shows the 503.",
            method: "GET",
            status,
            traces: traces(mesh, logs, hops, interrupt)?,
        })
    }

    /// One that an AuthorizationPolicy refuses.
    pub fn denied(mesh: &Mesh<'_>, logs: &mut Logs, interrupt: &Interrupt) -> Result<Self> {
        let status = send(mesh, "DELETE", 403)?;
        Ok(Self {
            title: "A request that a policy denies",
            note: "productpage's Envoy refused it before the filter ran; the application never saw it.",
            method: "DELETE",
            status,
            traces: traces(mesh, logs, 1, interrupt)?,
        })
    }
}

/// The traces of the last request. A hop has the caller's line and span and the callee's; the gateway has one more.
fn traces(
    mesh: &Mesh<'_>,
    logs: &mut Logs,
    hops: usize,
    interrupt: &Interrupt,
) -> Result<Vec<Trace>> {
    let lines = logs.next(mesh, 2 * hops, interrupt)?;
    let ids = log::trace_ids(&lines);
    mesh.collector.traces(&ids, 2 * hops + 1, interrupt)
}

/// Sends a request and returns its status, which must be that.
pub fn send(mesh: &Mesh<'_>, method: &str, status: u16) -> Result<u16> {
    let answer = mesh.send(method)?;
    if answer.status != status {
        let (path, text) = (bookinfo::PATH, answer.text());
        bail!(
            "{method} {path} was answered {} {}, not {status}",
            answer.status,
            text.trim()
        );
    }
    Ok(status)
}
