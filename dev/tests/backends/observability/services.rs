//! Two services behind sidecars that export to a Collector.

use anyhow::{Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::backends::Endpoint;
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Node, Plugin, Proxy};

/// The spans of one request: productpage's two, and reviews' one.
pub const SPANS: usize = 3;

/// What reviews does with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reviews {
    Answers,
    Fails,
    /// For so long.
    Takes(Duration),
}

/// productpage calls reviews, and does without an answer: only the trace shows that reviews failed.
#[derive(Debug)]
pub struct Services {
    _reviews: Server,
    _productpage: App,
    _callee: Envoy,
    sidecar: Envoy,
}

impl Services {
    /// Starts them; the sidecars of productpage and of reviews export there.
    pub fn start(productpage_to: Export, reviews_to: Export) -> Result<Self> {
        let reviews = Server::start(review)?;
        let productpage = App::start()?;
        let binary = Release::NEWEST.binary()?;
        // It calls nobody: its outbound listener stays idle.
        let callee = sidecar("reviews", &reviews_to, reviews.address(), reviews.address())?;
        let callee = callee.start(&binary)?;
        let inbound = callee.listener("inbound")?;
        let sidecar = sidecar(
            "productpage",
            &productpage_to,
            productpage.address(),
            inbound,
        )?;
        let sidecar = sidecar.start(&binary)?;
        productpage.forward(Forward::Everything);
        let through = sidecar.listener("outbound")?;
        let call = Call::new(through, "reviews.bookinfo:9080", "/reviews/0");
        productpage.calls(vec![call.optional()]);
        Ok(Self {
            _reviews: reviews,
            _productpage: productpage,
            _callee: callee,
            sidecar,
        })
    }

    /// Sends a sampled request of that trace, and returns how long it took.
    pub fn send(&self, trace_id: &str, reviews: Reviews) -> Result<Duration> {
        let behaviour = match reviews {
            Reviews::Answers => String::new(),
            Reviews::Fails => "fail".to_owned(),
            Reviews::Takes(time) => time.as_millis().to_string(),
        };
        let request = Request::get("/productpage")
            .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
            .header("x-reviews", behaviour);
        let start = Instant::now();
        let answer = client::send(self.sidecar.listener("inbound")?, &request)?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(start.elapsed())
    }
}

fn review(request: Request) -> Response {
    let behaviour = request.headers.get("x-reviews").unwrap_or_default();
    let behaviour = String::from_utf8_lossy(behaviour);
    if behaviour == "fail" {
        return Response::new(503);
    }
    if let Ok(milliseconds) = behaviour.parse() {
        std::thread::sleep(Duration::from_millis(milliseconds));
    }
    Response::ok("ok\n")
}

/// Where a sidecar reports to.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    pub protocol: &'static str,
    pub to: Endpoint,
}

fn sidecar(
    app: &str,
    export: &Export,
    address: std::net::SocketAddr,
    callee: std::net::SocketAddr,
) -> Result<Proxy> {
    let config = json!({"export": {
        "protocol": export.protocol,
        "cluster": "collector",
        "batch": {"scheduleDelay": "50ms"},
    }});
    let cluster = Cluster::new("collector", export.to.0);
    let cluster = match export.protocol {
        "otlp-grpc" => cluster.http2(),
        _ => cluster,
    };
    let node = Node::sidecar(app, &format!("{app}-v1"), "bookinfo");
    let plugin = Plugin::new(&built::module()?, &config);
    Ok(Proxy::sidecar(node, address, callee, Some(&plugin)).cluster(cluster))
}

/// A trace id that is as random as those of life, and in every run the same.
pub fn trace_id(number: u64) -> String {
    // Odd multipliers permute the numbers; these are 2^64 over the golden ratio, and xxHash's second prime.
    let high = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let low = number.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    format!("{high:016x}{low:016x}")
}
