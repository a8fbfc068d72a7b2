//! The bytes of HTTP/1.1 messages, shared by client and server.

use super::Headers;
use anyhow::{Context, Result, anyhow, bail};
use std::io::{BufRead, Read, Write};

/// A bound on any one line or length, so that a broken peer cannot make us read for ever.
const LIMIT: u64 = 64 << 20;

/// The first line and the header fields; `None` when the peer closed before it began a message.
pub fn read_head(from: &mut impl BufRead) -> Result<Option<(String, Headers)>> {
    let Some(first) = read_line(from)? else {
        return Ok(None);
    };
    let first = String::from_utf8(first)
        .map_err(|_| anyhow!("the first line of the message is not text"))?;
    Ok(Some((first, read_fields(from)?)))
}

/// How a body is delimited.
pub enum Framing {
    /// There is none.
    Empty,
    /// Exactly so many bytes.
    Length(u64),
    /// Chunks, then trailers.
    Chunked,
    /// All until the connection closes (responses only).
    UntilClose,
}

/// The framing that the header fields announce; `otherwise` when they announce none.
pub fn framing(headers: &Headers, otherwise: Framing) -> Result<Framing> {
    if headers
        .get("transfer-encoding")
        .is_some_and(|v| v.eq_ignore_ascii_case(b"chunked"))
    {
        return Ok(Framing::Chunked);
    }
    match headers.get("content-length") {
        None => Ok(otherwise),
        Some(length) => {
            let length = std::str::from_utf8(length)?.trim();
            Ok(Framing::Length(
                length
                    .parse()
                    .with_context(|| format!("content-length {length:?}"))?,
            ))
        }
    }
}

/// The body and the trailers.
pub fn read_body(from: &mut impl BufRead, framing: &Framing) -> Result<(Vec<u8>, Headers)> {
    let mut body = Vec::new();
    match *framing {
        Framing::Empty => {}
        Framing::Length(length) => read_exactly(from, length, &mut body)?,
        Framing::UntilClose => {
            from.take(LIMIT).read_to_end(&mut body)?;
        }
        Framing::Chunked => loop {
            let line = read_line(from)?.context("the peer closed within a chunked body")?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let size = line.split(';').next().unwrap_or_default().trim();
            let size =
                u64::from_str_radix(size, 16).with_context(|| format!("chunk size {line:?}"))?;
            if size == 0 {
                return Ok((body, read_fields(from)?));
            }
            read_exactly(from, size, &mut body)?;
            read_line(from)?;
        },
    }
    Ok((body, Headers::new()))
}

/// Writes a message; adds its framing unless the header fields have one. `bodiless` says that an empty body needs
/// no `content-length: 0`.
pub fn write_message(
    to: &mut impl Write,
    first_line: &str,
    headers: &Headers,
    body: &[u8],
    trailers: Option<&Headers>,
    bodiless: bool,
) -> Result<()> {
    let mut bytes = Vec::with_capacity(1024 + body.len());
    line(&mut bytes, first_line.as_bytes());
    fields(&mut bytes, headers);
    let framed = headers.contains("content-length") || headers.contains("transfer-encoding");
    if let Some(trailers) = trailers {
        if !framed {
            line(&mut bytes, b"transfer-encoding: chunked");
        }
        line(&mut bytes, b"");
        if !body.is_empty() {
            line(&mut bytes, format!("{:x}", body.len()).as_bytes());
            line(&mut bytes, body);
        }
        line(&mut bytes, b"0");
        fields(&mut bytes, trailers);
        line(&mut bytes, b"");
    } else {
        let needs_length = !bodiless || !body.is_empty();
        if !framed && needs_length {
            line(
                &mut bytes,
                format!("content-length: {}", body.len()).as_bytes(),
            );
        }
        line(&mut bytes, b"");
        bytes.extend_from_slice(body);
    }
    to.write_all(&bytes)?;
    Ok(to.flush()?)
}

fn fields(bytes: &mut Vec<u8>, headers: &Headers) {
    for (name, value) in headers.iter() {
        line(bytes, &[name, b": ", value].concat());
    }
}

fn line(bytes: &mut Vec<u8>, content: &[u8]) {
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(b"\r\n");
}

fn read_fields(from: &mut impl BufRead) -> Result<Headers> {
    let mut headers = Headers::new();
    loop {
        let line = read_line(from)?.context("the peer closed within the header fields")?;
        if line.is_empty() {
            return Ok(headers);
        }
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            bail!("a header field without a colon: {}", line.escape_ascii());
        };
        headers.push(name, trim(value));
    }
}

/// Optional white space is space and tab only; other control bytes belong to the value.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn read_line(from: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if from.take(LIMIT).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        bail!("the peer closed within a line");
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

fn read_exactly(from: &mut impl BufRead, length: u64, into: &mut Vec<u8>) -> Result<()> {
    if length > LIMIT {
        bail!("a body of {length} bytes");
    }
    let got = from.take(length).read_to_end(into)?;
    if got as u64 != length {
        bail!("the peer closed after {got} of {length} bytes of body");
    }
    Ok(())
}
