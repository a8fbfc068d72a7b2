//! Who a proxy is: node id, cluster and metadata in the form that Istio's agent gives them.

use serde_json::{Map, Value, json};

/// What stands before the first `~` of the node id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Beside an application.
    Sidecar,
    /// An ingress or egress gateway.
    Gateway,
    /// An ambient waypoint.
    Waypoint,
    /// One that Istio does not run.
    Plain,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "router",
            Self::Waypoint => "waypoint",
            Self::Plain => "",
        }
    }
}

/// The identity of a proxy.
#[derive(Clone, Debug)]
pub struct Node {
    kind: Kind,
    workload: String,
    namespace: String,
    labels: Map<String, Value>,
    metadata: Map<String, Value>,
}

impl Node {
    /// The sidecar of a workload such as `reviews-v1`; `app` is its `app` label.
    pub fn sidecar(app: &str, workload: &str, namespace: &str) -> Self {
        Self::new(Kind::Sidecar, app, workload, namespace)
    }

    /// A gateway.
    pub fn gateway(name: &str, namespace: &str) -> Self {
        Self::new(Kind::Gateway, name, name, namespace)
    }

    /// A waypoint.
    pub fn waypoint(name: &str, namespace: &str) -> Self {
        Self::new(Kind::Waypoint, name, name, namespace)
    }

    /// An Envoy that Istio does not run: its id and its cluster are all there is.
    pub fn plain(id: &str) -> Self {
        Self {
            kind: Kind::Plain,
            workload: id.to_owned(),
            namespace: String::new(),
            labels: Map::new(),
            metadata: Map::new(),
        }
    }

    fn new(kind: Kind, app: &str, workload: &str, namespace: &str) -> Self {
        let node = Self {
            kind,
            workload: workload.to_owned(),
            namespace: namespace.to_owned(),
            labels: Map::new(),
            metadata: Map::new(),
        };
        node.label("app", app)
            .label("version", "v1")
            .label("service.istio.io/canonical-name", app)
            .label("service.istio.io/canonical-revision", "v1")
    }

    /// Sets a label of the pod.
    #[must_use]
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), json!(value));
        self
    }

    /// Sets a key of the node metadata, over what is generated.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: Value) -> Self {
        self.metadata.insert(key.to_owned(), value);
        self
    }

    /// Sidecar, gateway or waypoint.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The node of a bootstrap.
    pub fn to_json(&self) -> Value {
        let (workload, namespace) = (&self.workload, &self.namespace);
        if self.kind == Kind::Plain {
            return json!({"id": workload, "cluster": workload, "metadata": self.metadata});
        }
        let pod = format!("{workload}-7d4f8c9b5-x2x7k");
        let app = self
            .labels
            .get("app")
            .and_then(Value::as_str)
            .unwrap_or(workload);
        let mut metadata = json!({
            "NAME": pod,
            "NAMESPACE": namespace,
            "WORKLOAD_NAME": workload,
            "OWNER": format!("kubernetes://apis/apps/v1/namespaces/{namespace}/deployments/{workload}"),
            "LABELS": self.labels,
            "SERVICE_ACCOUNT": app,
            "MESH_ID": "cluster.local",
            "CLUSTER_ID": "Kubernetes",
            "INSTANCE_IPS": "127.0.0.1",
        });
        super::merge::merge(&mut metadata, &Value::Object(self.metadata.clone()));
        json!({
            "id": format!("{}~127.0.0.1~{pod}.{namespace}~{namespace}.svc.cluster.local", self.kind.prefix()),
            "cluster": format!("{app}.{namespace}"),
            "metadata": metadata,
        })
    }
}
