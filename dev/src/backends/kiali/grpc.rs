//! A gRPC call that answers with a stream of messages.

use super::super::Endpoint;
use crate::http2;
use anyhow::{Context, Result, bail};
use prost::Message;

/// Calls `/service/method` and gathers the whole stream.
pub fn call<Answer: Message + Default>(
    to: Endpoint,
    path: &str,
    request: &impl Message,
) -> Result<Vec<Answer>> {
    let response = http2::send(to.0, &http2::grpc_call(path, &request.encode_to_vec()))
        .with_context(|| path.to_owned())?;
    let status = |headers: &crate::http::Headers| headers.get("grpc-status").map(<[u8]>::to_vec);
    if status(&response.trailers)
        .or_else(|| status(&response.headers))
        .as_deref()
        != Some(b"0")
    {
        bail!("{path}: {response:?}, trailers {:?}", response.trailers);
    }
    let mut rest = response.body.as_slice();
    let mut messages = Vec::new();
    while let Some((&[_compressed, a, b, c, d], behind)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d]))?;
        let (message, behind) = behind.split_at_checked(length).context("half a message")?;
        messages.push(Answer::decode(message)?);
        rest = behind;
    }
    Ok(messages)
}
