//! The applications of the mesh: a part of Istio's Bookinfo, and one of another namespace.

use anyhow::Result;
use serde_json::{Value, json};
use std::net::SocketAddr;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::istio::{Cluster, Pod};

/// Where each listens.
pub const PORT: u16 = 9080;

/// A service: its pod, its application and its address.
#[derive(Debug)]
pub struct Service {
    pub pod: Pod,
    pub app: App,
    pub address: SocketAddr,
}

impl Service {
    fn start(cluster: &Cluster, namespace: &str, name: &str) -> Result<Self> {
        Self::start_with(cluster, namespace, name, &json!({}))
    }

    /// Starts one whose pod has these labels too; its proxy is not ready yet.
    pub fn start_with(
        cluster: &Cluster,
        namespace: &str,
        name: &str,
        more: &Value,
    ) -> Result<Self> {
        let mut labels = json!({"app": name, "version": "v1"});
        for (label, value) in more.as_object().into_iter().flatten() {
            labels[label] = value.clone();
        }
        let metadata = json!({"labels": labels});
        let pod = cluster.pod(namespace, &format!("{name}-v1"), &metadata)?;
        let app = pod.app(PORT)?;
        let address = cluster.service(namespace, name, "http", PORT, &[pod.at(PORT)])?;
        Ok(Self { pod, app, address })
    }
}

/// The services, each of which calls the next and forwards what Istio's documentation lists.
#[derive(Debug)]
pub struct Bookinfo {
    pub productpage: Service,
    pub reviews: Service,
    pub ratings: Service,
}

impl Bookinfo {
    /// Starts them; none of their proxies is ready yet.
    pub fn start(cluster: &Cluster) -> Result<Self> {
        let start = |name| Service::start(cluster, "bookinfo", name);
        let bookinfo = Self {
            productpage: start("productpage")?,
            reviews: start("reviews")?,
            ratings: start("ratings")?,
        };
        bookinfo.reset();
        Ok(bookinfo)
    }

    /// As they were when they were started.
    pub fn reset(&self) {
        let Self {
            productpage,
            reviews,
            ratings,
        } = self;
        let call = |to: &Service, name: &str| {
            vec![Call::new(
                to.address,
                &format!("{name}:{PORT}"),
                &format!("/{name}/0"),
            )]
        };
        productpage.app.calls(call(reviews, "reviews"));
        reviews.app.calls(call(ratings, "ratings"));
        for service in self.all() {
            service.app.forward(Forward::ISTIO);
            service.app.answers(200);
            service.app.take_seen();
        }
    }

    pub fn all(&self) -> [&Service; 3] {
        [&self.productpage, &self.reviews, &self.ratings]
    }
}
