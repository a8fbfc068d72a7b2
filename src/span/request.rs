//! What a span tells of the request, from its headers.

use std::borrow::Cow;

use super::{
    Attributes, Kind, Semconv, SpanSettings,
    grpc::Method,
    target::{Target, host_and_port},
};
use crate::{propagation::Headers, text::shown};

/// Values from outside are cut to this many bytes; the path has a limit of its own.
const MAX_VALUE: usize = 256;

/// HTTP methods that are names of spans (semantic conventions, `http.request.method`).
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// The headers that a span tells of, as they came in.
#[derive(Clone, Debug, Default)]
pub struct RequestView<'a> {
    method: Cow<'a, str>,
    scheme: Cow<'a, str>,
    authority: Cow<'a, str>,
    path: &'a [u8],
    user_agent: Option<Cow<'a, str>>,
    request_id: Option<Cow<'a, str>>,
    is_grpc: bool,
}

impl<'a> RequestView<'a> {
    pub fn of(headers: &'a Headers) -> Self {
        let mut view = Self::default();
        for (name, value) in headers.iter() {
            match name {
                b":method" => view.method = shown(value, MAX_VALUE),
                b":scheme" => view.scheme = shown(value, MAX_VALUE),
                b":authority" => view.authority = shown(without_userinfo(value), MAX_VALUE),
                b":path" => view.path = value,
                b"user-agent" => view.user_agent = Some(shown(value, MAX_VALUE)),
                b"x-request-id" => view.request_id = Some(shown(value, MAX_VALUE)),
                b"content-type" => view.is_grpc = is_grpc(value),
                _ => {}
            }
        }
        view
    }

    pub const fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    /// `{method}` for HTTP, `{package.Service}/{Method}` for gRPC. Never the path, which has no bounds (semantic
    /// conventions, http-spans.md and rpc-spans.md, "Name").
    pub fn name(&self) -> Cow<'_, str> {
        if self.is_grpc
            && let Some(method) = Method::of(self.path)
        {
            return shown(method.full(), MAX_VALUE);
        }
        Cow::Borrowed(self.known_method().unwrap_or("HTTP"))
    }

    fn known_method(&self) -> Option<&'static str> {
        METHODS.into_iter().find(|known| *known == self.method)
    }

    /// Everything that the headers tell.
    pub fn describe(&self, kind: Kind, settings: SpanSettings, to: &mut impl Attributes) {
        let target = Target::of(self.path, settings.max_path, settings.redact_query);
        let url = self.url(&target);
        let Semconv { stable, legacy } = settings.semconv;
        if stable {
            self.describe_stable(kind, &target, &url, to);
        }
        if legacy {
            to.text("http.method", &self.method);
            to.text("http.url", &url);
            if let Some(user_agent) = &self.user_agent {
                to.text("user_agent", user_agent);
            }
        }
        if self.is_grpc
            && let Some(method) = Method::of(self.path)
        {
            method.describe(settings.semconv, to);
        }
        if let Some(request_id) = &self.request_id {
            to.text("guid:x-request-id", request_id);
        }
    }

    /// As far as Envoy knew it: what it refuses by itself may lack the scheme and more.
    fn url(&self, target: &Target<'_>) -> String {
        let Target { path, query } = target;
        let authority = &self.authority;
        match &*self.scheme {
            "" => format!("{authority}{path}{query}"),
            scheme => format!("{scheme}://{authority}{path}{query}"),
        }
    }

    fn describe_stable(
        &self,
        kind: Kind,
        target: &Target<'_>,
        url: &str,
        to: &mut impl Attributes,
    ) {
        match self.known_method() {
            Some(method) => to.text("http.request.method", method),
            None => {
                to.text("http.request.method", "_OTHER");
                to.text("http.request.method_original", &self.method);
            }
        }
        match kind {
            Kind::Server => {
                // CONNECT has none.
                if !target.path.is_empty() {
                    to.text("url.path", &target.path);
                }
                if let Some(query) = target
                    .query
                    .strip_prefix('?')
                    .filter(|query| !query.is_empty())
                {
                    to.text("url.query", query);
                }
                if !self.scheme.is_empty() {
                    to.text("url.scheme", &self.scheme);
                }
            }
            Kind::Client => to.text("url.full", url),
        }
        let (host, port) = host_and_port(&self.authority);
        if !host.is_empty() {
            to.text("server.address", host);
        }
        if let Some(port) = port.or_else(|| default_port(&self.scheme)) {
            to.int("server.port", port.into());
        }
        if let Some(user_agent) = &self.user_agent {
            to.text("user_agent.original", user_agent);
        }
    }
}

/// `application/grpc`, alone or with `+proto` and the like; not gRPC-Web, whose status is in the body.
fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// `user:password@host` without what nobody may read.
fn without_userinfo(authority: &[u8]) -> &[u8] {
    authority
        .rsplit(|byte| *byte == b'@')
        .next()
        .unwrap_or_default()
}
