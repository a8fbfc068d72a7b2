//! Which requests go to which cluster.

use serde_json::{Value, json};

/// A route of a listener.
#[derive(Clone, Debug)]
pub struct Route {
    domains: Vec<String>,
    matching: Value,
    action: Value,
}

impl Route {
    /// Everything.
    pub fn any(cluster: &str) -> Self {
        Self {
            domains: vec!["*".to_owned()],
            matching: json!({"prefix": "/"}),
            action: forward(cluster),
        }
    }

    /// What names that host, with or without a port.
    pub fn host(host: &str, cluster: &str) -> Self {
        Self {
            domains: vec![host.to_owned(), format!("{host}:*")],
            ..Self::any(cluster)
        }
    }

    /// CONNECT requests, whose streams then go to the cluster as plain TCP.
    pub fn connect(cluster: &str) -> Self {
        let action = json!({"route": {
            "cluster": cluster,
            "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}],
        }});
        Self {
            matching: json!({"connect_matcher": {}}),
            action,
            ..Self::any(cluster)
        }
    }

    /// An answer that Envoy gives itself, without an upstream.
    pub fn answer(status: u16, body: &str) -> Self {
        let action =
            json!({"direct_response": {"status": status, "body": {"inline_string": body}}});
        Self {
            action,
            ..Self::any("")
        }
    }

    /// Only paths with that prefix.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.matching = json!({"prefix": prefix});
        self
    }

    /// More of the route action or the route itself, such as `{"route": {"timeout": "1s"}}`.
    #[must_use]
    pub fn merge(mut self, extra: &Value) -> Self {
        super::merge::merge(&mut self.action, extra);
        self
    }
}

fn forward(cluster: &str) -> Value {
    json!({"route": {"cluster": cluster, "timeout": "30s"}})
}

/// The virtual hosts for `routes`: one for each list of domains, routes in their order.
pub fn virtual_hosts(routes: &[Route]) -> Value {
    let mut hosts: Vec<(&[String], Vec<Value>)> = Vec::new();
    for route in routes {
        let mut entry = json!({"match": route.matching});
        super::merge::merge(&mut entry, &route.action);
        match hosts
            .iter_mut()
            .find(|(domains, _)| *domains == route.domains)
        {
            Some((_, entries)) => entries.push(entry),
            None => hosts.push((&route.domains, vec![entry])),
        }
    }
    let host = |(domains, entries): (&[String], Vec<Value>)| json!({"name": domains.first(), "domains": domains, "routes": entries});
    hosts.into_iter().map(host).collect()
}
