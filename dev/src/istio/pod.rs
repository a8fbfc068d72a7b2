//! A pod: its network, its files, and what runs in it.

use super::container::Container;
use super::daemon::Daemon;
use super::kubectl::Kubectl;
use super::line::Line;
use super::network::{NODE, OUTSIDE, PodNetwork};
use crate::app::App;
use crate::http::{Request, client};
use crate::poll;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// As the image of Istio's proxy has it, and where iptables is.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Istio's user and group, for a container that does not say.
const USER: u32 = 1337;

/// Mounts what the pod has of its own, and becomes the user that runs the program. It stays behind as the first process of the
/// pod: when it is killed, all of them end.
const RUN: &str = r#"
cd "$1" && user=$2 && group=$3 && shift 3 || exit 1
# Programs may be where that user cannot look.
for program in $PROGRAMS; do
    mount --bind "$program" "bin/${program##*/}" || exit 1
done
mount --rbind bin /usr/local/bin && mount --bind hosts /etc/hosts && mount --bind var/lib /var/lib || exit 1
setpriv --reuid "$user" --regid "$group" --clear-groups "$@"
exit $?
"#;

/// A running pod. Dropping it ends what runs in it.
#[derive(Debug)]
pub struct Pod {
    name: String,
    namespace: String,
    // Before the network, so that it ends before its network goes.
    daemon: Option<Daemon>,
    network: PodNetwork,
    directory: PathBuf,
}

impl Pod {
    /// What a kubelet does first: the pod is in the API server, with an address.
    pub(super) fn create(
        kubectl: &Kubectl,
        network: PodNetwork,
        directory: &Path,
        pod: &Value,
    ) -> Result<(Self, Value)> {
        let field = |name: &str| {
            let value = pod["metadata"][name].as_str();
            value
                .map(str::to_owned)
                .with_context(|| format!("a pod's {name}"))
        };
        let (name, namespace) = (field("name")?, field("namespace")?);
        kubectl.apply_json(pod)?;
        let status = json!({"status": {
            "phase": "Running",
            "podIP": network.address(),
            "podIPs": [{"ip": network.address()}],
            "hostIP": NODE,
            "hostIPs": [{"ip": NODE}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }});
        let what = format!("pod {name} --namespace {namespace}");
        kubectl.patch(&format!("{what} --subresource status"), &status)?;
        let made = kubectl.get(&what)?;
        let directory = directory.join(format!("{namespace}-{name}"));
        for folder in ["data", "certificates"] {
            fs::create_dir_all(directory.join("var/lib/istio").join(folder))?;
        }
        let pod = Self {
            name,
            namespace,
            daemon: None,
            network,
            directory,
        };
        Ok((pod, made))
    }

    /// Runs the first of `programs` in it as the container of that name says; the others are there as well. `hosts` are the names
    /// that it can resolve.
    pub(super) fn run(
        &mut self,
        programs: &[&Path],
        container: Container,
        hosts: &str,
    ) -> Result<()> {
        let user = container.user.unwrap_or(USER);
        let group = container.group.unwrap_or(USER);
        let names: Vec<_> = programs
            .iter()
            .filter_map(|path| path.file_name())
            .collect();
        let binaries = self.directory.join("bin");
        fs::create_dir_all(&binaries)?;
        for name in &names {
            fs::write(binaries.join(name), "")?;
        }
        let hosts = format!("127.0.0.1 localhost\n{hosts}");
        fs::write(self.directory.join("hosts"), hosts)?;
        give(&self.directory, user)?;
        let paths: Vec<_> = programs.iter().map(|path| path.to_string_lossy()).collect();
        let mut command = self.network.command();
        command
            .args(["unshare", "--mount", "--pid", "--fork", "--kill-child"])
            .args(["--mount-proc", "sh", "-c", RUN, "sh"])
            .arg(&self.directory)
            .args([user.to_string(), group.to_string()])
            .args(names.first())
            .args(container.arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("PROGRAMS", paths.join(" "))
            .env("HOME", &self.directory)
            .envs(container.environment);
        self.daemon = Some(Daemon::start("container", command, &self.directory)?);
        Ok(())
    }

    /// Runs the proxy that istiod injected, or that a gateway's deployment has: its files, then the redirection of its traffic,
    /// then its agent, which starts Envoy.
    pub(super) fn run_proxy(
        &mut self,
        kubectl: &Kubectl,
        line: Line,
        pod: &Value,
        istiod: Ipv4Addr,
    ) -> Result<()> {
        self.write_files(kubectl, line, pod)?;
        let agent = line.directory()?.join("pilot-agent");
        if Container::is_in(pod, "istio-init") {
            let init = Container::of(pod, "istio-init")?;
            let mut command = self.network.command();
            command.env("PATH", PATH).arg(&agent).args(init.arguments);
            let output = command.output()?;
            if !output.status.success() {
                bail!("istio-init: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
        let proxy = Container::of(pod, "istio-proxy")?;
        let hosts = format!("{istiod} istiod.istio-system.svc\n{NODE} registry.test {OUTSIDE}\n");
        self.run(&[&agent, &line.envoy()?], proxy, &hosts)
    }

    /// What the volumes of its proxy hold.
    fn write_files(&self, kubectl: &Kubectl, line: Line, pod: &Value) -> Result<()> {
        let Self {
            name: _,
            namespace,
            directory,
            ..
        } = self;
        let write = |path: &str, text: &str| -> Result<()> {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            Ok(fs::write(path, text)?)
        };
        let account = pod["spec"]["serviceAccountName"]
            .as_str()
            .unwrap_or("default");
        let token = kubectl.run(&format!(
            "create token {account} --namespace {namespace} --audience istio-ca --duration 12h"
        ))?;
        write("var/run/secrets/tokens/istio-token", token.trim())?;
        let root = poll::until("istiod's root certificate", || {
            let what = format!("configmap istio-ca-root-cert --namespace {namespace}");
            let Ok(map) = kubectl.get(&what) else {
                return Ok(None);
            };
            Ok(map["data"]["root-cert.pem"].as_str().map(str::to_owned))
        })?;
        write("var/run/secrets/istio/root-cert.pem", &root)?;
        for what in ["labels", "annotations"] {
            write(
                &format!("etc/istio/pod/{what}"),
                &downward(&pod["metadata"][what]),
            )?;
        }
        fs::create_dir_all(directory.join("etc/istio/proxy"))?;
        let template = fs::read_to_string(line.directory()?.join("bootstrap.json"))?;
        // A waypoint discovers metadata with an extension that only Istio's own build of Envoy has.
        let template = template.replace("{{- if .metadata_discovery }}", "{{- if .never }}");
        write("var/lib/istio/envoy/envoy_bootstrap_tmpl.json", &template)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.network.address()
    }

    /// Where it listens at `port`.
    pub fn at(&self, port: u16) -> SocketAddr {
        (self.address(), port).into()
    }

    /// The folder with its workload's certificate and key.
    pub fn certificates(&self) -> PathBuf {
        self.directory.join("var/lib/istio/certificates")
    }

    /// Does `work` in its network; so do the threads that `work` starts.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.network.inside(work)
    }

    /// Starts its application, at that port.
    pub fn app(&self, port: u16) -> Result<App> {
        let address = self.at(port);
        self.inside(|| App::start_on(address))
    }

    /// What its Envoy's admin answers to GET `path`; none where it has no such thing.
    pub fn find(&self, path: &str) -> Result<Option<String>> {
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, 15000));
        let response = self.inside(|| client::send(admin, &Request::get(path)))?;
        match response.status {
            200 => Ok(Some(response.text())),
            404 => Ok(None),
            status => bail!("GET {path}: {status} {}", response.text()),
        }
    }

    /// The same, where it must have it.
    pub fn admin(&self, path: &str) -> Result<String> {
        self.find(path)?
            .with_context(|| format!("nothing at {path}"))
    }

    /// Waits until its proxy is ready, as a kubelet asks.
    pub fn wait_until_ready(&self) -> Result<()> {
        let health = self.at(15021);
        self.daemon()?.wait("be ready", || {
            client::send(health, &Request::get("/healthz/ready")).is_ok_and(|r| r.status == 200)
        })
    }

    /// What its container logged so far.
    pub fn log(&self) -> String {
        self.daemon.as_ref().map(Daemon::log).unwrap_or_default()
    }

    /// The entries of its Envoy's access log so far, which Envoy writes every second: poll.
    pub fn access_log(&self) -> Vec<Value> {
        let log = self.log();
        let entries = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        entries
            .filter(|entry: &Value| entry.get("response_code").is_some())
            .collect()
    }

    pub(super) fn daemon(&self) -> Result<&Daemon> {
        self.daemon
            .as_ref()
            .with_context(|| format!("nothing runs in {}", self.name))
    }
}

/// A map as the downward API writes it.
fn downward(map: &Value) -> String {
    let entries = map.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect()
}

/// Makes everything in `directory` that user's.
fn give(directory: &Path, user: u32) -> Result<()> {
    chown(directory, Some(user), Some(user))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), user)?;
        } else {
            chown(entry.path(), Some(user), Some(user))?;
        }
    }
    Ok(())
}
