//! Kubernetes' API server with its etcd, and nothing else of Kubernetes: no controllers, no scheduler, no nodes.

use super::daemon::Daemon;
use super::install;
use super::kubectl::Kubectl;
use super::network::NODE;
use anyhow::Result;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

const TOKEN: &str = "administrator";
const ETCD: &str = "127.0.0.1:2379";
const PEERS: &str = "http://127.0.0.1:2380";

/// A running API server. Dropping it ends it.
#[derive(Debug)]
pub struct ApiServer {
    // In this order: without etcd the API server takes a minute to end in good order.
    _apiserver: Daemon,
    _etcd: Daemon,
    kubectl: Kubectl,
}

impl ApiServer {
    /// Starts one that keeps everything in `directory`.
    pub fn start(directory: &Path) -> Result<Self> {
        let programs = install::directory("kubernetes")?;
        let mut command = Command::new(programs.join("etcd"));
        let client = format!("http://{ETCD}");
        command.arg("--data-dir").arg(directory.join("etcd"));
        command.args(["--listen-client-urls", &client]);
        command.args(["--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", PEERS]);
        command.args(["--initial-advertise-peer-urls", PEERS]);
        command.args(["--initial-cluster", &format!("default={PEERS}")]);
        // Nothing here outlives the test.
        command.arg("--unsafe-no-fsync");
        let etcd = Daemon::start("etcd", command, directory)?;
        etcd.wait("listen", || TcpStream::connect(ETCD).is_ok())?;

        let tokens = directory.join("tokens.csv");
        fs::write(&tokens, format!("{TOKEN},admin,1,\"system:masters\"\n"))?;
        let certificates = directory.join("certificates");
        // The server makes both with its certificate.
        let key = certificates.join("apiserver.key");
        let mut command = Command::new(programs.join("kube-apiserver"));
        command.arg(format!("--etcd-servers={client}"));
        command.arg(format!("--bind-address={NODE}"));
        command.arg(format!("--advertise-address={NODE}"));
        command.arg("--secure-port=6443");
        command.arg(format!("--cert-dir={}", certificates.display()));
        for flag in [
            "service-account-key-file",
            "service-account-signing-key-file",
        ] {
            command.arg(format!("--{flag}={}", key.display()));
        }
        command.args([
            "--service-account-issuer=https://kubernetes.default.svc",
            "--api-audiences=istio-ca,https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            // Nobody makes the service accounts that it would ask for.
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            // Webhooks are called at their pods, as there is no kube-proxy to make a service's address work.
            "--enable-aggregator-routing=true",
        ]);
        command.arg(format!("--token-auth-file={}", tokens.display()));
        let apiserver = Daemon::start("kube-apiserver", command, directory)?;
        let server = format!("https://{NODE}:6443");
        let kubectl = Kubectl::new(programs.join("kubectl"), &server, TOKEN, directory)?;
        apiserver.wait("be ready", || kubectl.run("get --raw /readyz").is_ok())?;
        Ok(Self {
            _apiserver: apiserver,
            _etcd: etcd,
            kubectl,
        })
    }

    /// Its administrator.
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }
}
