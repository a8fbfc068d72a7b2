//! The OpenTelemetry Collector with a configuration that users get.

use super::Endpoint;
use super::ports::Ports;
use super::server::Server;
use anyhow::Result;
use std::path::Path;

/// A running Collector with a configuration file as it is shipped: what a test must change, the file takes from the
/// environment.
#[derive(Debug)]
pub struct ShippedOtelcol<const N: usize> {
    server: Server,
    endpoints: [Endpoint; N],
}

impl<const N: usize> ShippedOtelcol<N> {
    /// Starts one. Each variable of `listens` gets an address to listen on; `settings` are variables with their values.
    pub fn start(file: &Path, listens: [&str; N], settings: &[(&str, &str)]) -> Result<Self> {
        let ports = Ports::<N>::reserve()?;
        let addresses = ports.addresses();
        let server = Server::start(
            "otelcol",
            ports,
            |command, _| {
                command
                    .arg("--config")
                    .arg(file)
                    // Its own metrics would want a port.
                    .arg("--set=service.telemetry.metrics.level=none")
                    .envs(settings.iter().copied());
                for (variable, address) in listens.iter().zip(addresses) {
                    command.env(variable, address.to_string());
                }
                Ok(())
            },
            || true,
        )?;
        Ok(Self {
            server,
            endpoints: addresses.map(Endpoint),
        })
    }

    /// Where it listens, in the order of the variables.
    pub fn endpoints(&self) -> [Endpoint; N] {
        self.endpoints
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }
}
