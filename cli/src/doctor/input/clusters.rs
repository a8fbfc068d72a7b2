//! `/clusters` of Envoy's admin, as JSON or text, and `istioctl proxy-config endpoint -o json`.

use super::json::parse;
use crate::Failure;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many hosts there are, and how many of them may be sent to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Hosts {
    pub all: usize,
    pub healthy: usize,
}

/// Those of a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostsOf {
    pub cluster: String,
    pub hosts: Hosts,
}

#[derive(Deserialize)]
struct Statuses {
    #[serde(alias = "clusterStatuses", default)]
    cluster_statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    name: String,
    #[serde(alias = "hostStatuses", default)]
    host_statuses: Vec<Host>,
}

#[derive(Deserialize)]
struct Host {
    #[serde(alias = "healthStatus", default)]
    health_status: Health,
}

#[derive(Deserialize, Default)]
struct Health {
    #[serde(alias = "edsHealthStatus", default)]
    eds_health_status: Value,
    #[serde(alias = "failedActiveHealthCheck", default)]
    failed_active_health_check: bool,
    #[serde(alias = "failedOutlierCheck", default)]
    failed_outlier_check: bool,
}

impl Health {
    fn is_healthy(&self) -> bool {
        // Absent: nobody said otherwise. Degraded hosts are sent to where no other is.
        let told = matches!(
            self.eds_health_status.as_str(),
            None | Some("HEALTHY" | "UNKNOWN" | "DEGRADED")
        );
        told && !self.failed_active_health_check && !self.failed_outlier_check
    }
}

impl Status {
    fn count(self) -> HostsOf {
        let healthy = self
            .host_statuses
            .iter()
            .filter(|host| host.health_status.is_healthy());
        HostsOf {
            hosts: Hosts {
                all: self.host_statuses.len(),
                healthy: healthy.count(),
            },
            cluster: self.name,
        }
    }
}

/// `{"cluster_statuses": […]}`
pub fn of_admin(name: &str, text: &str) -> Result<Vec<HostsOf>, Failure> {
    let statuses: Statuses = parse(name, text)?;
    Ok(statuses
        .cluster_statuses
        .into_iter()
        .map(Status::count)
        .collect())
}

/// The list alone.
pub fn of_list(name: &str, text: &str) -> Result<Vec<HostsOf>, Failure> {
    let statuses: Vec<Status> = parse(name, text)?;
    Ok(statuses.into_iter().map(Status::count).collect())
}

/// `cluster::10.0.0.1:80::health_flags::healthy`; `None` where the text is of another kind.
pub fn of_text(text: &str) -> Option<Vec<HostsOf>> {
    let mut found: BTreeMap<&str, Hosts> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (rest, value) = line.rsplit_once("::")?;
        let (rest, key) = rest.rsplit_once("::")?;
        // An address of IPv6 has such colons itself, the name of a cluster does not.
        let (cluster, host) = rest.split_once("::").unwrap_or((rest, ""));
        let hosts = found.entry(cluster).or_default();
        if key == "health_flags" && !host.is_empty() {
            hosts.all = hosts.all.saturating_add(1);
            hosts.healthy = hosts
                .healthy
                .saturating_add(usize::from(value.trim() == "healthy"));
        }
    }
    let of = |(cluster, hosts): (&str, Hosts)| HostsOf {
        cluster: cluster.to_owned(),
        hosts,
    };
    (!found.is_empty()).then(|| found.into_iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_counted_in_text() {
        let text = "app::observability_name::app\n\
                    app::default_priority::max_connections::1024\n\
                    app::added_via_api::false\n\
                    app::10.0.0.1:80::cx_active::0\n\
                    app::10.0.0.1:80::health_flags::healthy\n\
                    app::[fe80::1]:80::health_flags::/failed_active_hc\n\
                    outbound|80||a.b.svc.cluster.local::added_via_api::true\n";
        let hosts = of_text(text).expect("clusters");
        let seen: Vec<_> = hosts
            .iter()
            .map(|of| (&*of.cluster, of.hosts.all, of.hosts.healthy))
            .collect();
        assert_eq!(
            seen,
            [("app", 2, 1), ("outbound|80||a.b.svc.cluster.local", 0, 0)]
        );
        assert_eq!(of_text("a: 1\n"), None);
        assert_eq!(of_text(""), None);
    }
}
