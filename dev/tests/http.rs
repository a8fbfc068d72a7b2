//! Our client and servers against each other: whatever bytes go in come out.

use anyhow::Result;
use std::sync::mpsc;
use throughline_dev::http::{Client, Headers, Request, Response, Server, client};
use throughline_dev::http2;

fn awkward() -> Headers {
    Headers::new()
        .with("x-raw", b"\xff\xfe \x80")
        .with("x-twice", "one")
        .with("x-twice", "two")
        .with("x-long", "a".repeat(60 << 10))
        .with("x-empty", "")
}

#[test]
fn http1_carries_bytes_order_bodies_and_trailers() -> Result<()> {
    let (seen, requests) = mpsc::channel();
    let server = Server::start(move |request| {
        let _ = seen.send(request.clone());
        let mut response = Response::ok(request.body);
        response.headers.extend(awkward().iter());
        (response.chunked, response.trailers) = (request.chunked, request.trailers);
        response
    })?;
    let mut client = Client::connect(server.address())?;
    for request in [
        Request::get("/a").headers(&awkward()),
        Request::post("/b", vec![7; 100_000]).headers(&awkward()),
        Request::post("/c", "chunked")
            .headers(&awkward())
            .chunked(Headers::new().with("x-end", b"\xf0")),
        Request::get("/d")
            .headers(&awkward())
            .chunked(Headers::new()),
    ] {
        let response = client.send(&request)?;
        let seen = requests.recv()?;
        assert_eq!(
            (seen.target, seen.body),
            (request.target, request.body.clone())
        );
        assert_eq!(
            seen.headers.filtered(|name| name.starts_with("x-")),
            awkward()
        );
        assert_eq!(seen.trailers, request.trailers);
        assert_eq!((response.status, response.body), (200, request.body));
        assert_eq!(
            response.headers.filtered(|name| name.starts_with("x-")),
            awkward()
        );
        assert_eq!(response.trailers, request.trailers);
    }
    Ok(())
}

#[test]
fn http1_connections_can_be_taken_over() -> Result<()> {
    use std::io::{BufRead, Write};
    let server = Server::start(|_| {
        Response::new(101)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .then(|mut stream| {
                let _ = stream.write_all(b"taken over\n");
            })
    })?;
    let mut client = Client::connect(server.address())?;
    let request = Request::get("/")
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    assert_eq!(client.send(&request)?.status, 101);
    let mut line = String::new();
    client.into_stream().read_line(&mut line)?;
    assert_eq!(line, "taken over\n");
    Ok(())
}

#[test]
fn a_server_that_is_gone_is_an_error_that_says_so() -> Result<()> {
    let address = Server::start(|_| Response::new(200))?.address();
    // The port closes a moment later, when the accepting thread has seen that it should stop.
    let error = throughline_dev::poll::until("the port to close", || {
        Ok(client::send(address, &Request::get("/"))
            .err()
            .map(|error| format!("{error:#}")))
    })?;
    // Which of them it is, is a matter of when it closes.
    let expected = [
        "cannot connect",
        "cannot send the request",
        "no response",
        "closed",
    ];
    assert!(expected.iter().any(|why| error.contains(why)), "{error}");
    Ok(())
}

#[test]
fn http2_carries_bytes_bodies_and_trailers() -> Result<()> {
    let (seen, requests) = mpsc::channel();
    let server = http2::Server::start(move |request| {
        let _ = seen.send(request);
        http2::grpc_answer(b"answer")
    })?;
    let awkward = awkward().filtered(|name| name != "x-long");
    let call = http2::grpc_call("/reviews.Reviews/Get", b"call")
        .headers(&awkward)
        .header("host", "reviews:9080");
    let response = http2::send(server.address(), &call)?;
    let seen = requests.recv()?;
    assert_eq!(seen.target, "/reviews.Reviews/Get");
    assert_eq!(seen.headers.get("host"), Some(&b"reviews:9080"[..]));
    for (name, _) in awkward.iter() {
        let name = std::str::from_utf8(name)?;
        assert!(seen.headers.all(name).eq(awkward.all(name)), "{name}");
    }
    assert_eq!(seen.body, http2::grpc_message(b"call"));
    assert_eq!(response.body, http2::grpc_message(b"answer"));
    assert_eq!(response.trailers, Headers::new().with("grpc-status", "0"));
    Ok(())
}
