//! Who is there and who calls whom.

use super::Copies;
use anyhow::{Context, Result};

/// What a client asks the gateway for.
pub const PATH: &str = "/productpage";

/// The service that its callers do without when it fails.
pub const OPTIONAL: &str = "ratings";

/// The name of the gateway, which has no application.
pub const GATEWAY: &str = "gateway";

/// A service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its name in the mesh.
    pub name: &'static str,
    /// What its callers ask it for.
    pub path: &'static str,
    /// Whom it calls for every request, one after the other.
    pub calls: &'static [&'static str],
    /// What it copies onto those calls.
    pub copies: Copies,
}

/// The services, each before those that it calls.
#[derive(Clone, Debug)]
pub struct Bookinfo(Vec<Service>);

impl Default for Bookinfo {
    fn default() -> Self {
        Self(vec![
            Service {
                name: "productpage",
                path: PATH,
                calls: &["details", "reviews"],
                copies: Copies::B3,
            },
            Service {
                name: "details",
                path: "/details/0",
                calls: &[],
                copies: Copies::B3Multi,
            },
            Service {
                name: "reviews",
                path: "/reviews/0",
                calls: &["ratings"],
                copies: Copies::Traceparent,
            },
            Service {
                name: "ratings",
                path: "/ratings/0",
                calls: &[],
                copies: Copies::Istio,
            },
        ])
    }
}

impl Bookinfo {
    /// The services, each before those that it calls.
    pub fn services(&self) -> &[Service] {
        &self.0
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Result<&Service> {
        let found = self.0.iter().find(|service| service.name == name);
        found.with_context(|| self.nobody(name))
    }

    /// Changes what a service copies.
    pub fn copies(&mut self, name: &str, copies: Copies) -> Result<()> {
        let nobody = self.nobody(name);
        let found = self.0.iter_mut().find(|service| service.name == name);
        found.context(nobody)?.copies = copies;
        Ok(())
    }

    /// Every hop as (caller, callee), in the order in which one request makes them.
    pub fn hops(&self) -> Vec<(&'static str, &'static str)> {
        let mut hops = Vec::new();
        if let Some(first) = self.0.first() {
            hops.push((GATEWAY, first.name));
            self.hops_from(first, &mut hops);
        }
        hops
    }

    fn hops_from(&self, caller: &Service, hops: &mut Vec<(&'static str, &'static str)>) {
        for callee in self
            .0
            .iter()
            .filter(|other| caller.calls.contains(&other.name))
        {
            hops.push((caller.name, callee.name));
            self.hops_from(callee, hops);
        }
    }

    fn nobody(&self, name: &str) -> String {
        let names: Vec<_> = self.0.iter().map(|service| service.name).collect();
        format!("there is no service {name:?}, only: {}", names.join(", "))
    }
}
