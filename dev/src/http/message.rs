//! Requests and responses.

use super::Headers;
use std::net::TcpStream;

/// A request. `host` and the framing headers are added when it is sent, unless they are there.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target: a path, or `host:port` for CONNECT.
    pub target: String,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body goes (or came) chunked; trailers need that.
    pub chunked: bool,
    /// The trailer fields.
    pub trailers: Headers,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Headers::new(),
            body: Vec::new(),
            chunked: false,
            trailers: Headers::new(),
        }
    }

    /// GET `target`.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// POST `body` to `target`.
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::new("POST", target)
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Adds header fields.
    #[must_use]
    pub fn headers(mut self, headers: &Headers) -> Self {
        self.headers.extend(headers.iter());
        self
    }

    /// Sends the body chunked, followed by `trailers`.
    #[must_use]
    pub fn chunked(mut self, trailers: Headers) -> Self {
        self.chunked = true;
        self.trailers = trailers;
        self
    }
}

/// What takes over a connection after a 101 or the 2xx of a CONNECT, or instead of any answer.
pub type Takeover = Box<dyn FnOnce(TcpStream) + Send>;

/// A response.
#[derive(Default)]
pub struct Response {
    /// The status code. Server side only: 0 answers nothing, see [`Self::instead`].
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body goes (or came) chunked.
    pub chunked: bool,
    /// The trailer fields.
    pub trailers: Headers,
    /// Server side only: who gets the connection once this is written.
    pub takeover: Option<Takeover>,
}

impl Response {
    /// A response without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::new(200)
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Hands the connection over once the head is written (101, or 200 to a CONNECT).
    #[must_use]
    pub fn then(mut self, takeover: impl FnOnce(TcpStream) + Send + 'static) -> Self {
        self.takeover = Some(Box::new(takeover));
        self
    }

    /// Writes nothing and hands the connection over, for answers that no [`Response`] can express: none, half of one,
    /// nonsense. HTTP/2 resets the stream.
    pub fn instead(takeover: impl FnOnce(TcpStream) + Send + 'static) -> Self {
        Self::default().then(takeover)
    }

    /// The body as text, for messages and JSON.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{:?}\n{}", self.status, self.headers, self.text())
    }
}
