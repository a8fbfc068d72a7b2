//! The request that is to be explained, as curl is told of one.

use crate::Failure;
use crate::source::Source;
use clap::Args;

/// More than Envoy takes (max_request_headers_kb, max_headers_count).
const MOST_BYTES: usize = 1024 * 1024;
const MOST_HEADERS: usize = 1024;

/// What the command line says of it.
#[derive(Args, Debug)]
pub struct Described {
    /// A header of the request, as often as needed; @FILE or @- reads them from there, a line each
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Its method
    #[arg(
        long = "request",
        short = 'X',
        value_name = "METHOD",
        default_value = "GET"
    )]
    method: String,
    /// Where it goes
    #[arg(long, value_name = "URL", default_value = "http://localhost/")]
    url: String,
}

/// Headers as Envoy holds them: names in lower case, Host as :authority.
#[derive(Clone, Debug)]
pub struct Request {
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Described {
    pub fn read(&self) -> Result<Request, Failure> {
        // A host stands before the port, the path and the query.
        let (scheme, rest) = self
            .url
            .split_once("://")
            .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
            .filter(|(_, rest)| !rest.is_empty() && !rest.starts_with([':', '/', '?']))
            .ok_or_else(|| Failure::new("--url: expected http://HOST/PATH"))?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        let mut request = Request {
            headers: Vec::new(),
        };
        for (name, value) in [
            (":method", &*self.method),
            (":scheme", scheme),
            (":authority", authority),
            (":path", &path),
        ] {
            request.set(name, value.as_bytes());
        }
        for header in &self.headers {
            match header.strip_prefix('@') {
                None => request.add(header.as_bytes())?,
                Some(file) => {
                    // Whatever a file is called, an address is none.
                    let source = match file {
                        "-" => Source::StandardInput,
                        file => Source::File(file.into()),
                    };
                    request.take(&source.read_manifest()?.bytes)?;
                }
            }
        }
        let is_method = |(name, value): &(String, Vec<u8>)| {
            name != ":method" || (!value.is_empty() && value.iter().all(is_of_token))
        };
        if !request.headers.iter().all(is_method) {
            return Err(Failure::new(
                "the request's method is none: expected a word such as GET",
            ));
        }
        let bytes = request.headers.iter();
        let bytes = bytes.fold(0, |sum: usize, (name, value)| {
            sum.saturating_add(name.len()).saturating_add(value.len())
        });
        let count = request.headers.len();
        if bytes > MOST_BYTES || count > MOST_HEADERS {
            return Err(Failure::new(format!(
                "{count} headers of {bytes} bytes; Envoy takes 100 of 60 KiB unless it is told otherwise"
            )));
        }
        Ok(request)
    }
}

/// RFC 9110, §5.6.2.
fn is_of_token(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte)
}

impl Request {
    /// A head as it goes over the wire, with or without the request's line.
    fn take(&mut self, head: &[u8]) -> Result<(), Failure> {
        for (number, line) in head.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
            match words.as_slice() {
                [method, path, version] if number == 0 && version.starts_with(b"HTTP/") => {
                    self.set(":method", method);
                    self.set(":path", path);
                }
                // What follows an empty line is the body.
                [b""] => return Ok(()),
                _ => self.add(line)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, line: &[u8]) -> Result<(), Failure> {
        let refused = |why: &str| {
            let shown = String::from_utf8_lossy(line);
            Failure::new(format!("the header {shown:.60} {why}"))
        };
        // Pseudo-headers begin with a colon.
        let colon = line.iter().skip(1).position(|byte| *byte == b':');
        let (name, value) = colon
            .and_then(|at| line.split_at_checked(at.saturating_add(1)))
            .ok_or_else(|| refused("is none: expected NAME: VALUE"))?;
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        if name.is_empty() || !name.iter().all(|byte| *byte == b':' || is_of_token(byte)) {
            return Err(refused("has a name that is none"));
        }
        if value
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t')
        {
            return Err(refused("has control characters, which Envoy refuses"));
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match &*name {
            "host" => self.set(":authority", value),
            name if name.starts_with(':') => self.set(name, value),
            _ => self.headers.push((name, value.to_vec())),
        }
        Ok(())
    }

    /// With that header alone under its name.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut request = self.clone();
        request.headers.retain(|(known, _)| known != name);
        request.set(name, value.as_bytes());
        request
    }

    fn set(&mut self, name: &str, value: &[u8]) {
        match self.headers.iter_mut().find(|(known, _)| known == name) {
            Some((_, there)) => value.clone_into(there),
            None => self.headers.push((name.to_owned(), value.to_vec())),
        }
    }

    /// Every value of that header, in order.
    pub fn all<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Vec<&'a [u8]> {
        let same = headers.iter().filter(|(known, _)| known == name);
        same.map(|(_, value)| value.as_slice()).collect()
    }
}
