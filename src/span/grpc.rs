//! gRPC's method and status, from the path and from the number in `grpc-status`.

use super::{Attributes, Kind, Semconv};
use crate::text::shown;

/// Code names by number (gRPC, doc/statuscodes.md), as `rpc.response.status_code` spells them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// `/package.Service/Method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method<'a> {
    full: &'a [u8],
    service: &'a [u8],
    method: &'a [u8],
}

impl<'a> Method<'a> {
    pub fn of(path: &'a [u8]) -> Option<Self> {
        let full = path.strip_prefix(b"/")?;
        let slash = full.iter().position(|byte| *byte == b'/')?;
        let (service, rest) = full.split_at_checked(slash)?;
        let method = rest.strip_prefix(b"/")?;
        let is_plain = |part: &[u8]| {
            !part.is_empty()
                && part
                    .iter()
                    .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#'))
        };
        (is_plain(service) && is_plain(method)).then_some(Self {
            full,
            service,
            method,
        })
    }

    /// `package.Service/Method`.
    pub const fn full(&self) -> &'a [u8] {
        self.full
    }

    /// Stable and older names differ in what `rpc.method` holds; where both are wanted, the stable one counts
    /// (semantic conventions, rpc-spans.md, `rpc/dup`).
    pub fn describe(&self, semconv: Semconv, to: &mut impl Attributes) {
        const MOST: usize = 256;
        if semconv.stable {
            to.text("rpc.system.name", "grpc");
            to.text("rpc.method", &shown(self.full, MOST));
        } else {
            to.text("rpc.method", &shown(self.method, MOST));
        }
        if semconv.legacy {
            to.text("rpc.system", "grpc");
            to.text("rpc.service", &shown(self.service, MOST));
        }
    }
}

/// A gRPC call's status: a number that gRPC defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(u8);

const UNKNOWN: u8 = 2;

impl Status {
    /// Clients take a number that gRPC does not define for UNKNOWN (gRPC, doc/statuscodes.md).
    pub fn of(number: u64) -> Self {
        let defined = u8::try_from(number).ok();
        Self(
            defined
                .filter(|number| usize::from(*number) < CODES.len())
                .unwrap_or(UNKNOWN),
        )
    }

    pub fn name(self) -> &'static str {
        CODES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// What counts as an error differs by side (semantic conventions, grpc.md).
    pub const fn is_error(self, kind: Kind) -> bool {
        match kind {
            Kind::Client => self.0 != 0,
            Kind::Server => matches!(self.0, 2 | 4 | 12 | 13 | 14 | 15),
        }
    }

    pub fn describe(self, semconv: Semconv, to: &mut impl Attributes) {
        if semconv.stable {
            to.text("rpc.response.status_code", self.name());
        }
        if semconv.legacy {
            to.int("rpc.grpc.status_code", self.0.into());
            to.text("grpc.status_code", &self.0.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_method_or_is_not() {
        for (path, expected) in [
            ("/pkg.Svc/Do", Some(("pkg.Svc", "Do"))),
            ("/Svc/Do", Some(("Svc", "Do"))),
            ("/Svc/Do/more", None),
            ("/Svc/Do?q", None),
            ("/Svc/", None),
            ("//Do", None),
            ("Svc/Do", None),
            ("/Svc", None),
            ("", None),
        ] {
            let found = Method::of(path.as_bytes());
            let found = found.map(|method| (method.service, method.method));
            let expected = expected
                .map(|(service, method): (&str, &str)| (service.as_bytes(), method.as_bytes()));
            assert_eq!(found, expected, "{path:?}");
        }
    }
}
