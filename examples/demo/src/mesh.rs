//! Bookinfo's mesh as the demo runs it: each service a process of its own, every Envoy reporting to the collector.

use crate::bookinfo::{self, Bookinfo, Builder};
use crate::collector::Collector;
use crate::mode::Mode;
use crate::service::Service;
use anyhow::Result;
use serde_json::json;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use throughline_demo::interrupt::Interrupt;
use throughline_dev::envoy::Envoy;
use throughline_dev::mesh::{Listener, Proxy};

/// What every Envoy of a mesh is made with.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub mode: Mode,
    pub envoy: &'a Path,
    pub module: &'a Path,
    pub collector: &'a Collector,
    pub interrupt: &'a Interrupt,
}

impl Builder for Parts<'_> {
    type Application = Service;

    fn application(&self, service: &bookinfo::Service) -> Result<Service> {
        Service::start(service.name, service.copies)
    }

    fn equip(&self, listener: Listener) -> Listener {
        self.mode.equip(listener, self.module, self.collector)
    }

    fn start(&self, proxy: Proxy) -> Result<Envoy> {
        self.interrupt.check()?;
        let proxy = proxy.cluster(self.collector.cluster());
        let proxy = match self.mode {
            // Envoy's tracer would gather spans for five seconds first.
            Mode::Native => proxy.merge(&json!({"layered_runtime": {"layers": [{
                "name": "demo", "static_layer": {"tracing.zipkin.min_flush_spans": 1},
            }]}})),
            Mode::Filter => proxy,
        };
        let envoy = proxy.start(self.envoy)?;
        self.interrupt.check()?;
        Ok(envoy)
    }
}

/// The running mesh, and what it reports to.
#[derive(Debug)]
pub struct Mesh<'a> {
    mesh: bookinfo::Mesh<Service>,
    pub collector: &'a Collector,
}

impl<'a> Mesh<'a> {
    /// Starts everything.
    pub fn start(bookinfo: &Bookinfo, parts: Parts<'a>) -> Result<Self> {
        Ok(Self {
            mesh: bookinfo::Mesh::start(bookinfo, &parts)?,
            collector: parts.collector,
        })
    }
}

impl Deref for Mesh<'_> {
    type Target = bookinfo::Mesh<Service>;

    fn deref(&self) -> &Self::Target {
        &self.mesh
    }
}

impl DerefMut for Mesh<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.mesh
    }
}
