//! The load generator against servers that misbehave: it must lose no request, and hide no wait.

use anyhow::Result;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use throughline_dev::http::{Headers, Request, Response, Server};
use throughline_dev::http2;
use throughline_dev::load::{Bound, Load, Protocol};

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2 { streams: 4 }];

/// Either server, as only its address and its life matter here.
fn serve(
    protocol: Protocol,
    handler: impl Fn(Request) -> Response + Send + Sync + 'static,
) -> Result<(std::net::SocketAddr, Box<dyn std::any::Any>)> {
    Ok(match protocol {
        Protocol::Http1 => {
            let server = Server::start(handler)?;
            (server.address(), Box::new(server))
        }
        Protocol::Http2 { .. } => {
            let server = http2::Server::start(handler)?;
            (server.address(), Box::new(server))
        }
    })
}

#[test]
fn as_many_requests_as_asked_for_arrive_as_described() -> Result<()> {
    for protocol in BOTH {
        for pace in [None, Some(2_000)] {
            let (seen, requests) = mpsc::channel();
            let seen = Mutex::new(seen);
            let (address, _server) = serve(protocol, move |request| {
                let _ = seen.lock().expect("no panic").send(request);
                Response::ok("body")
            })?;
            let headers = Headers::new().with("x-a", "1").with("x-b", "2");
            let mut load = Load::new(Bound::Requests(101))
                .over(protocol, 3)
                .headers(&headers);
            if let Some(per_second) = pace {
                load = load.per_second(per_second);
            }
            let report = load.run(address)?;
            assert!(report.all_ok(), "{report}");
            assert_eq!((report.requests(), report.answers()), (101, 101));
            let requests: Vec<Request> = requests.try_iter().collect();
            assert_eq!(requests.len(), 101);
            for request in requests {
                assert_eq!((&*request.method, &*request.target), ("GET", "/"));
                let sent = request.headers.filtered(|name| name.starts_with("x-"));
                assert_eq!(sent, headers);
            }
        }
    }
    Ok(())
}

#[test]
fn statuses_are_told_apart() -> Result<()> {
    for protocol in BOTH {
        let count = AtomicU64::new(0);
        let (address, _server) = serve(protocol, move |_| {
            match count.fetch_add(1, Ordering::Relaxed) % 4 {
                0 => Response::new(503),
                _ => Response::ok("fine"),
            }
        })?;
        let report = Load::new(Bound::Requests(40))
            .over(protocol, 2)
            .run(address)?;
        assert_eq!(report.statuses, [(200, 30), (503, 10)].into());
        assert!(!report.all_ok() && report.errors.is_empty(), "{report}");
    }
    Ok(())
}

#[test]
fn a_broken_connection_costs_its_requests_and_no_others() -> Result<()> {
    // Closes after each tenth answer, and announces that to nobody.
    let count = AtomicU64::new(0);
    let server = Server::start(move |_| {
        let mut response = Response::ok("fine");
        if count.fetch_add(1, Ordering::Relaxed) % 10 == 9 {
            response = Response::new(101).then(drop);
        }
        response
    })?;
    let report = Load::new(Bound::Requests(100))
        .over(Protocol::Http1, 1)
        .run(server.address())?;
    assert_eq!(report.statuses, [(200, 90)].into());
    assert_eq!(report.errors.values().sum::<u64>(), 10, "{report}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for protocol in BOTH {
        let report = Load::new(Bound::Requests(20))
            .over(protocol, 2)
            .run(nobody)?;
        assert_eq!((report.requests(), report.answers()), (20, 0));
        assert!(!report.all_ok());
    }
    Ok(())
}

#[test]
fn a_wait_is_charged_to_every_request_that_was_due_in_it() -> Result<()> {
    const STALL: Duration = Duration::from_millis(300);
    let stalled = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&stalled);
    let server = Server::start(move |_| {
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            std::thread::sleep(STALL);
        }
        Response::ok("")
    })?;
    // All due within 50 ms, one at a time: the first holds up all others.
    let load = Load::new(Bound::Requests(50)).over(Protocol::Http1, 1);
    let report = load.per_second(1_000).run(server.address())?;
    assert!(report.all_ok() && report.answers() == 50, "{report}");
    assert!(
        report.latency(1.0) >= STALL - Duration::from_millis(50),
        "{report}"
    );
    Ok(())
}

#[test]
fn a_time_bounds_it_too() -> Result<()> {
    let server = Server::start(|_| Response::ok(""))?;
    let time = Duration::from_millis(200);
    let load = Load::new(Bound::Time(time)).over(Protocol::Http1, 2);
    let closed = load.run(server.address())?;
    assert!(
        closed.all_ok() && closed.answers() > 0 && closed.elapsed >= time,
        "{closed}"
    );
    let open = load.per_second(500).run(server.address())?;
    assert_eq!(open.answers(), 100, "{open}");
    Ok(())
}

#[test]
fn a_server_that_falls_silent_is_an_error() -> Result<()> {
    for protocol in BOTH {
        let (_keep, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let (address, _server) = serve(protocol, move |_| {
            let _ = wait.lock().map(|wait| wait.recv());
            Response::ok("")
        })?;
        let load = Load::new(Bound::Requests(1)).over(protocol, 1);
        let silent = load.patience(Duration::from_millis(100)).run(address);
        let error = format!("{:#}", silent.expect_err("nothing was answered"));
        assert!(error.contains("answered nothing"), "{error}");
    }
    Ok(())
}
