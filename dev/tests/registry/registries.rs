//! Two registries: the distribution project's, which most others are made of, and go-containerregistry's.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use throughline_dev::image::registry::program;
use throughline_dev::poll;
use throughline_dev::process::OwnedChild;

/// Who may push where a login is asked for, and the same in bcrypt.
pub const USER: &str = "platform";
pub const PASSWORD: &str = "b3-and-w3c";
const HTPASSWD: &str = "platform:$2b$05$abcdefghijklmnopqrstuukcguDQE5x5/CtvILhlMoOT/4ocpptw2\n";

/// A registry on a port of its own. Dropping it ends it, and what was pushed is gone.
pub struct Registry {
    _child: OwnedChild,
    _directory: TempDir,
    address: String,
}

impl Registry {
    pub fn distribution() -> Result<Self> {
        Self::distribution_with("")
    }

    /// One that lets nobody in without a login.
    pub fn private() -> Result<Self> {
        Self::distribution_with("auth: {htpasswd: {realm: test, path: htpasswd}}\n")
    }

    fn distribution_with(auth: &str) -> Result<Self> {
        let config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n{auth}"
        );
        Self::start("registry", |command, directory| {
            fs::write(directory.join("config.yaml"), config)?;
            fs::write(directory.join("htpasswd"), HTPASSWD)?;
            command.args(["serve", "config.yaml"]);
            Ok(())
        })
    }

    pub fn of_crane() -> Result<Self> {
        Self::start("crane", |command, _| {
            command.args(["registry", "serve", "--address", "127.0.0.1:0"]);
            Ok(())
        })
    }

    fn start(
        name: &str,
        configure: impl FnOnce(&mut Command, &Path) -> Result<()>,
    ) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut command = Command::new(program(name)?);
        configure(&mut command, directory.path())?;
        let path = directory.path().join("log");
        let log = File::create(&path)?;
        command
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut child = OwnedChild::spawn(command)?;
        let address = poll::until("the registry to listen", || {
            let log = fs::read_to_string(&path)?;
            if let Some(status) = child.ended()? {
                bail!("the registry ended ({status}):\n{log}");
            }
            Ok(listening(&log))
        })?;
        Ok(Self {
            _child: child,
            _directory: directory,
            address,
        })
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A repository in it.
    pub fn repository(&self) -> String {
        format!("{}/team/throughline", self.address)
    }
}

/// The address in a registry's log, once it is there with all of its digits: distribution's, or else crane's.
fn listening(log: &str) -> Option<String> {
    let (_, rest) = log
        .split_once("listening on 127.0.0.1:")
        .or_else(|| log.split_once("serving on port "))?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let port = rest.get(..end).filter(|port| !matches!(*port, "" | "0"))?;
    Some(format!("127.0.0.1:{port}"))
}

/// A docker configuration with a login, as `docker login` writes it.
pub fn login(address: &str, user: &str, password: &str) -> Result<TempDir> {
    use base64::Engine;
    let directory = tempfile::tempdir()?;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let config = serde_json::json!({"auths": {address: {"auth": auth}}});
    fs::write(directory.path().join("config.json"), config.to_string()).context("config.json")?;
    Ok(directory)
}
