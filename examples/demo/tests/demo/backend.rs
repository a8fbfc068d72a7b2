//! The demo with a real backend: what that gives back is what went there, and its links lead there.

use crate::stage::{Demo, Stage};
use anyhow::{Context, Result};
use serde_json::Value;
use std::net::SocketAddr;
use throughline_dev::http::{Request, client};

#[test]
fn a_backend_has_the_traces_until_it_is_interrupted() -> Result<()> {
    for (backend, protocol) in [("zipkin", "zipkin"), ("jaeger", "otlp-grpc")] {
        let stage = Stage::new()?;
        let (output, input) = std::io::pipe()?;
        let mut demo = stage.demo(&["--json", "--backend", backend]);
        demo.stdout(input);
        let mut demo = Demo::start(demo)?;
        // It goes on when it has printed this.
        let found = serde_json::Deserializer::from_reader(output).into_iter();
        let found: Value = found.take(1).next().context("it printed nothing")??;
        assert_eq!(found["oneTrace"], true);
        assert_eq!(found["filterConfig"]["export"]["protocol"], protocol);
        let spans = |request: &Value| request["traces"][0]["spans"].as_array().map_or(0, Vec::len);
        let requests = found["requests"].as_array().context("no requests")?;
        assert_eq!(requests.iter().map(spans).collect::<Vec<_>>(), [9, 9, 3]);

        let links = found["links"].as_array().context("no links")?;
        assert_eq!(links.len(), requests.len());
        for (link, request) in links.iter().zip(requests) {
            let link = link.as_str().context("no text")?;
            let id = request["traces"][0]["traceId"]
                .as_str()
                .context("no trace id")?;
            assert!(link.contains(id), "{link} does not lead to {id}");
            let (address, path) = link
                .strip_prefix("http://")
                .and_then(|link| link.split_once('/'))
                .context("not a link")?;
            let address: SocketAddr = address.parse()?;
            let answer = client::send(address, &Request::get(&format!("/{path}")))?;
            assert_eq!(answer.status, 200, "{link}");
        }

        demo.signal("INT", false)?;
        assert_eq!(demo.code()?, Some(0));
        stage.assert_nothing_left();
    }
    Ok(())
}
