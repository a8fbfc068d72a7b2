//! What the configurations of `mesh` promise, on the oldest and the newest Envoy, without any plugin.

use anyhow::{Context, Result};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Headers, Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Proxy, Route, Tracing};
use throughline_dev::{http2, poll};

const RELEASES: [Release; 2] = [Release::OLDEST, Release::NEWEST];

fn node() -> Node {
    Node::sidecar("reviews", "reviews-v1", "bookinfo")
}

/// No field that Envoy is about to drop, nothing that it does not understand.
fn assert_quiet(envoy: &Envoy) {
    // Every Envoy without an overload manager says this.
    const USUAL: &str =
        "no configured limit to the number of allowed active downstream connections";
    let log = envoy.log();
    let complaint = |line: &&str| {
        ["[warning]", "[error]", "[critical]"]
            .iter()
            .any(|level| line.contains(level))
    };
    let complaints: Vec<_> = log
        .lines()
        .filter(complaint)
        .filter(|line| !line.contains(USUAL))
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_request_passes_app_and_callee_and_leaves_its_log() -> Result<()> {
    for release in RELEASES {
        let (app, callee) = (App::start()?, App::start()?);
        let envoy = Proxy::sidecar(node(), app.address(), callee.address(), None)
            .each_listener(|listener| {
                listener
                    .log("node", "%ENVIRONMENT(NONE)%")
                    .log("agent", "%REQ(user-agent)%")
            })
            .stats_tag("origin")
            .concurrency(2)
            .start(&release.binary()?)?;
        app.forward(Forward::W3C);
        app.calls(vec![Call::new(
            envoy.listener("outbound")?,
            "ratings",
            "/ratings/0",
        )]);
        let request = Request::get("/reviews/0")
            .header("traceparent", "a")
            .header("x-other", "b");
        let answer = client::send(envoy.listener("inbound")?, &request)?;
        assert_eq!(answer.status, 200, "{answer:?}");

        let (app, callee) = (app.take_seen(), callee.take_seen());
        assert_eq!((app.len(), callee.len()), (1, 1));
        assert_eq!(callee[0].target, "/ratings/0");
        assert_eq!(callee[0].headers.get("traceparent"), Some(&b"a"[..]));
        assert!(app[0].headers.contains("x-other") && !callee[0].headers.contains("x-other"));

        let entry = poll::until("the access log", || Ok(envoy.access_log("outbound")?.pop()))?;
        assert_eq!(
            (entry["path"].as_str(), entry["status"].as_u64()),
            (Some("/ratings/0"), Some(200))
        );
        assert_eq!(envoy.stat("cluster.callee.upstream_rq_200")?, 1);
        assert!(envoy.prometheus()?.contains("envoy_cluster_upstream_rq"));
        assert_quiet(&envoy);
        envoy.check_alive()?;
    }
    Ok(())
}

#[test]
fn what_an_app_cannot_call_is_an_error_that_says_why() -> Result<()> {
    let app = App::start()?;
    let gone = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    app.calls(vec![Call::new(gone, "ratings", "/")]);
    let answer = client::send(app.address(), &Request::get("/"))?;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("cannot connect"), "{answer:?}");
    Ok(())
}

#[test]
fn a_gateway_and_a_waypoint_route_by_host_and_path() -> Result<()> {
    for release in RELEASES {
        for (node, listener) in [
            (
                Node::gateway("istio-ingressgateway", "istio-system"),
                Listener::outbound("main"),
            ),
            (
                Node::waypoint("waypoint", "bookinfo").label("team", "books"),
                Listener::inbound("main"),
            ),
        ] {
            let (one, two) = (App::start()?, App::start()?);
            let listener = listener
                .route(Route::host("reviews.bookinfo", "one"))
                .route(Route::any("two").prefix("/two"))
                .route(Route::answer(418, "nobody"));
            let envoy = Proxy::new(node)
                .listener(listener)
                .cluster(Cluster::new("one", one.address()))
                .cluster(Cluster::new("two", two.address()))
                .start(&release.binary()?)?;
            let mut client = Client::connect(envoy.listener("main")?)?;
            for host in ["reviews.bookinfo", "reviews.bookinfo:9080"] {
                assert_eq!(
                    client
                        .send(&Request::get("/two").header("host", host))?
                        .status,
                    200
                );
            }
            assert_eq!(client.send(&Request::get("/two"))?.status, 200);
            let nobody = client.send(&Request::get("/three"))?;
            assert_eq!((nobody.status, nobody.text()), (418, "nobody".to_owned()));
            assert_eq!((one.take_seen().len(), two.take_seen().len()), (2, 1));
            assert_quiet(&envoy);
        }
    }
    Ok(())
}

#[test]
fn http2_both_ways() -> Result<()> {
    for release in RELEASES {
        let service = http2::Server::start(|_| http2::grpc_answer(b"answer"))?;
        let envoy = Proxy::new(node())
            .listener(Listener::inbound("inbound").route(Route::any("app")))
            .cluster(Cluster::new("app", service.address()).http2())
            .start(&release.binary()?)?;
        let answer = http2::send(
            envoy.listener("inbound")?,
            &http2::grpc_call("/a.B/C", b"call"),
        )?;
        assert_eq!(answer.body, http2::grpc_message(b"answer"));
        assert_eq!(answer.trailers, Headers::new().with("grpc-status", "0"));
        assert_quiet(&envoy);
    }
    Ok(())
}

#[test]
fn websocket_and_connect_hand_the_stream_over() -> Result<()> {
    for release in RELEASES {
        let echo = |mut stream: std::net::TcpStream| {
            let mut bytes = [0; 5];
            let _ = stream
                .read_exact(&mut bytes)
                .and_then(|()| stream.write_all(&bytes));
        };
        let websocket = Server::start(move |_| {
            Response::new(101)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .then(echo)
        })?;
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        let tcp_address = tcp.local_addr()?;
        std::thread::spawn(move || tcp.accept().map(|(stream, _)| echo(stream)));

        let listener = Listener::outbound("outbound")
            .upgrade("websocket")
            .route(Route::any("websocket").prefix("/"))
            .route(Route::connect("tcp"));
        let connect = Listener::outbound("connect")
            .upgrade("CONNECT")
            .route(Route::connect("tcp"));
        let envoy = Proxy::new(node())
            .listener(listener)
            .listener(connect)
            .cluster(Cluster::new("websocket", websocket.address()))
            .cluster(Cluster::new("tcp", tcp_address))
            .start(&release.binary()?)?;
        let upgrade = Request::get("/")
            .header("connection", "upgrade")
            .header("upgrade", "websocket");
        for (listener, request, status) in [
            ("outbound", upgrade, 101),
            ("connect", Request::new("CONNECT", "reviews:9080"), 200),
        ] {
            let mut client = Client::connect(envoy.listener(listener)?)?;
            let answer = client.send(&request)?;
            assert_eq!(answer.status, status, "{listener}: {answer:?}");
            client.send_raw(b"hello")?;
            let mut echoed = [0; 5];
            client
                .into_stream()
                .read_exact(&mut echoed)
                .context(listener)?;
            assert_eq!(&echoed, b"hello");
        }
        assert_quiet(&envoy);
    }
    Ok(())
}

#[test]
fn a_filter_before_the_plugins_can_answer_by_itself() -> Result<()> {
    for release in RELEASES {
        let app = App::start()?;
        let deny = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "DENY", "policies": {"all": {
                "permissions": [{"any": true}],
                "principals": [{"any": true}],
            }}},
        });
        let envoy = Proxy::sidecar(node(), app.address(), app.address(), None)
            .each_listener(|listener| listener.filter("envoy.filters.http.rbac", &deny))
            .start(&release.binary()?)?;
        assert_eq!(
            client::send(envoy.listener("inbound")?, &Request::get("/"))?.status,
            403
        );
        assert!(app.take_seen().is_empty());
        assert_quiet(&envoy);
    }
    Ok(())
}

#[test]
fn native_tracers_write_their_headers_and_report() -> Result<()> {
    for release in RELEASES {
        // With what a collector of each answers: another answer is an error to Envoy.
        for (tracing, header, path, accepted) in [
            (
                Tracing::zipkin("collector", 100.0),
                "x-b3-traceid",
                "/api/v2/spans",
                202,
            ),
            (
                Tracing::opentelemetry("collector", "reviews", 100.0),
                "traceparent",
                "/v1/traces",
                200,
            ),
        ] {
            let app = App::start()?;
            let (seen, reports) = mpsc::channel();
            let collector = Server::start(move |request| {
                let _ = seen.send(request.target);
                Response::new(accepted)
            })?;
            let envoy = Proxy::sidecar(node(), app.address(), app.address(), None)
                .each_listener(|listener| listener.tracing(tracing.clone()))
                .cluster(Cluster::new("collector", collector.address()))
                .start(&release.binary()?)?;
            client::send(envoy.listener("inbound")?, &Request::get("/"))?;
            let request = app.take_seen().pop().context("no request")?;
            assert!(request.headers.contains(header), "{:?}", request.headers);
            assert_eq!(reports.recv_timeout(poll::PATIENCE)?, path);
            assert_quiet(&envoy);
        }
    }
    Ok(())
}

#[test]
fn an_envoy_that_cannot_start_says_why() -> Result<()> {
    let bad = Proxy::new(node())
        .listener(Listener::inbound("inbound").merge(&json!({"no_such_field": 1})));
    let error = format!("{:#}", bad.start(&Release::NEWEST.binary()?).unwrap_err());
    assert!(
        error.contains("did not start") && error.contains("no_such_field"),
        "{error}"
    );
    Ok(())
}

#[test]
fn an_envoy_lives_as_long_as_its_owner() -> Result<()> {
    let app = App::start()?;
    let proxy = Proxy::sidecar(node(), app.address(), app.address(), None);
    let start = move || proxy.start(&Release::NEWEST.binary()?);
    // The thread that asked for it ends at once, as those of tests do: that must not end the Envoy.
    let envoy = std::thread::spawn(start)
        .join()
        .expect("it returns its errors")?;
    let (inbound, directory) = (envoy.listener("inbound")?, envoy.directory().to_owned());
    assert_eq!(client::send(inbound, &Request::get("/"))?.status, 200);
    drop(envoy);
    assert!(Client::connect(inbound).is_err() && !directory.exists());
    Ok(())
}
