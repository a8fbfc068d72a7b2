//! A span as Kiali's pages see it.

use std::collections::BTreeMap;

/// A span with its tags as text. Of a number or a truth value from Tempo only the key is left.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    /// The trace's id, as the backend prints it.
    pub trace_id: String,
    /// The span's name.
    pub operation: String,
    /// `service.name`.
    pub service: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Where a span was made, as its `node_id` tells.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct Workload {
    pub pod: String,
    pub name: String,
    pub namespace: String,
}

/// Who was called, as the `upstream_cluster` of an outbound call tells.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct Peer {
    pub service: String,
    pub namespace: String,
}

impl Span {
    fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    /// Whether it is shown on that workload's page.
    pub fn is_of_workload(&self, workload: &str, namespace: &str) -> bool {
        let by_node = self
            .node()
            .is_some_and(|pod| pod.starts_with(workload) && pod.ends_with(namespace));
        by_node
            || self
                .tag("hostname")
                .is_some_and(|host| host.starts_with(workload))
    }

    /// Whether it is shown on the page of a service that has another name than its application, or a waypoint.
    pub fn is_of_service(&self, service: &str, namespace: &str) -> bool {
        let tags = |name: &str, of: &str| {
            self.tag(name) == Some(service) && self.tag(of) == Some(namespace)
        };
        tags(
            "istio.destination_canonical_service",
            "istio.destination_namespace",
        ) || tags("istio.source_canonical_service", "istio.source_namespace")
            || self
                .operation
                .starts_with(&format!("{service}.{namespace}"))
    }

    /// Whether it is marked as failed.
    pub fn has_error(&self) -> bool {
        self.tag("error") == Some("true")
    }

    /// Whether it is shown as Envoy's, with peer, response flags and so on.
    pub fn is_envoy(&self) -> bool {
        self.tag("component") == Some("proxy")
    }

    /// The status code that is shown.
    pub fn status_code(&self) -> Option<u16> {
        self.tag("http.status_code")?.parse().ok()
    }

    /// The workload that it links to.
    pub fn workload(&self) -> Option<Workload> {
        let (pod, namespace) = self.node()?.rsplit_once('.')?;
        let (replica_set, _) = pod.rsplit_once('-')?;
        // A pod template's hash has no vowels and none of 0, 1, 3.
        let is_hash = |part: &str| {
            (6..=16).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
        };
        let name = match replica_set.rsplit_once('-') {
            Some((deployment, hash)) if is_hash(hash) => deployment,
            _ => replica_set,
        };
        Some(Workload {
            pod: pod.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        })
    }

    /// The service that it called.
    pub fn peer(&self) -> Option<Peer> {
        let cluster: Vec<_> = self.tag("upstream_cluster")?.split('|').collect();
        let ["outbound", _, _, host] = cluster.as_slice() else {
            return None;
        };
        let host: Vec<_> = host.split('.').collect();
        let [service, namespace, _, _, _] = host.as_slice() else {
            return None;
        };
        Some(Peer {
            service: (*service).to_owned(),
            namespace: (*namespace).to_owned(),
        })
    }

    /// `<pod>.<namespace>` out of the `node_id`.
    fn node(&self) -> Option<&str> {
        self.tag("node_id")?.split('~').nth(2)
    }
}

#[cfg(test)]
mod tests {
    use super::{Peer, Span, Workload};

    #[test]
    fn names_are_found_in_tags() {
        let with = |key: &str, value: &str| Span {
            trace_id: String::new(),
            operation: String::new(),
            service: String::new(),
            tags: [(key.to_owned(), value.to_owned())].into(),
        };
        let node = |pod: &str| {
            with(
                "node_id",
                &format!("sidecar~10.0.0.1~{pod}~bookinfo.svc.cluster.local"),
            )
        };
        let workload = |pod: &str, name: &str| Workload {
            pod: pod.to_owned(),
            name: name.to_owned(),
            namespace: "bookinfo".to_owned(),
        };
        assert_eq!(
            node("reviews-v1-6d8996bff-ztg6z.bookinfo").workload(),
            Some(workload("reviews-v1-6d8996bff-ztg6z", "reviews-v1"))
        );
        assert_eq!(
            node("db-0.bookinfo").workload(),
            Some(workload("db-0", "db"))
        );
        assert_eq!(node("reviews").workload(), None);
        assert!(
            node("reviews-v1-6d8996bff-ztg6z.bookinfo").is_of_workload("reviews-v1", "bookinfo")
        );
        assert!(
            !node("reviews-v1-6d8996bff-ztg6z.bookinfo").is_of_workload("reviews-v2", "bookinfo")
        );
        let named = |operation: &str| Span {
            operation: operation.to_owned(),
            ..with("component", "proxy")
        };
        assert!(
            named("reviews.bookinfo.svc.cluster.local:9080/*").is_of_service("reviews", "bookinfo")
        );
        assert!(!named("GET").is_of_service("reviews", "bookinfo"));
        let called = |cluster: &str| with("upstream_cluster", cluster).peer();
        let reviews = Peer {
            service: "reviews".to_owned(),
            namespace: "bookinfo".to_owned(),
        };
        assert_eq!(
            called("outbound|9080||reviews.bookinfo.svc.cluster.local"),
            Some(reviews)
        );
        assert_eq!(called("inbound|9080||"), None);
        assert_eq!(called("outbound|443||example.org"), None);
    }
}
