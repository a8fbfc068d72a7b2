//! What users of a cluster type.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// kubectl, as the administrator of a cluster.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// Writes the kubeconfig of who has `token` into `directory`.
    pub fn new(program: PathBuf, server: &str, token: &str, directory: &Path) -> Result<Self> {
        let kubeconfig = directory.join("kubeconfig");
        fs::write(&kubeconfig, kubeconfig_of(server, token))?;
        Ok(Self {
            program,
            kubeconfig,
        })
    }

    /// The command, to be given its arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            // Where it caches what the server knows; the home directory's cache is of other clusters.
            .env("HOME", self.kubeconfig.parent().unwrap_or(Path::new("/")));
        command
    }

    /// Runs it with these arguments, separated by spaces. An error has its own words.
    pub fn run(&self, arguments: &str) -> Result<String> {
        self.feed(arguments, "")
    }

    /// The same, with a standard input.
    pub fn feed(&self, arguments: &str, input: &str) -> Result<String> {
        let mut command = self.command();
        let mut child = command
            .args(arguments.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl")?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let input = input.to_owned();
        // From a thread of its own, as kubectl may answer before it has read everything.
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output()?;
        let written = writer.join();
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!("kubectl {arguments}: {}", error.trim());
        }
        if let Ok(written) = written {
            written?;
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Applies objects.
    pub fn apply(&self, objects: &str) -> Result<String> {
        self.feed("apply --filename -", objects)
    }

    /// Applies an object.
    pub fn apply_json(&self, object: &Value) -> Result<String> {
        self.apply(&object.to_string())
    }

    /// Merges `patch` into an object, such as `pod a --namespace b`.
    pub fn patch(&self, what: &str, patch: &Value) -> Result<()> {
        let arguments = format!("patch {what} --type merge --patch-file /dev/stdin");
        self.feed(&arguments, &patch.to_string())?;
        Ok(())
    }

    /// An object, or a list of them.
    pub fn get(&self, what: &str) -> Result<Value> {
        Ok(serde_json::from_str(
            &self.run(&format!("get {what} --output json"))?,
        )?)
    }
}

/// A kubeconfig; JSON is YAML. The server's certificate is its own, made a moment ago.
pub fn kubeconfig_of(server: &str, token: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    })
    .to_string()
}
