//! Values that an application copies from the request it serves to the calls it makes, such as `x-request-id`.
//!
//! They are compared, never kept: what is listed is a keyed hash. It is the standard library's SipHash-1-3 with the secret as its
//! first input, as it takes no key itself: the secret fills the state before a value does, so that neither can hashes be made to
//! collide nor values be found by trying. A crate that takes a key would hash as well and weigh more.

use std::hash::{DefaultHasher, Hasher as _};

use super::store::{Place, Store, When};
use crate::{
    engine::{NoRandomness, Randomness},
    propagation::Headers,
};

/// What the VMs of a process hash with. Nobody else knows it, and it ends with the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 16]);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret of the process: the first that a worker wrote down.
    pub fn agree<S: Store + Randomness>(store: &mut S) -> Result<Self, NoRandomness> {
        if let Some(secret) = Self::written(store) {
            return Ok(secret);
        }
        let mut bytes = [0; 16];
        store.fill(&mut bytes)?;
        if store.set(Place::Secret, &bytes, When::Absent) {
            return Ok(Self(bytes));
        }
        Self::written(store).ok_or(NoRandomness)
    }

    fn written(store: &mut impl Store) -> Option<Self> {
        let (bytes, _) = store.get(Place::Secret)?;
        bytes.try_into().ok().map(Self)
    }

    /// The hash of that key's value; never 0.
    pub fn hash(&self, name: &str, value: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.0);
        hasher.write(name.as_bytes());
        // No name has a zero, so that no two pairs run into one.
        hasher.write_u8(0);
        if name == "x-request-id" && is_uuid(value) {
            let (before, rest) = value.split_at_checked(14).unwrap_or_default();
            hasher.write(before);
            hasher.write(rest.get(1..).unwrap_or_default());
        } else {
            hasher.write(value);
        }
        hasher.finish().max(1)
    }
}

/// Envoy packs the reason for a trace into character 14 of such an id, on each hop anew (its `UUIDRequestIDExtension`).
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Where a key's value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// As it is configured, lower case but for a cookie's name.
    name: String,
    /// Where the name of a cookie begins in it.
    cookie: Option<usize>,
}

/// What a cookie's name is written after.
const COOKIE: &str = "cookie:";

impl Key {
    /// A header's name, or `cookie:` and a cookie's. `None` where that is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let header = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        match text.strip_prefix(COOKIE) {
            Some(cookie) => header(cookie).then(|| Self {
                name: text.to_owned(),
                cookie: Some(COOKIE.len()),
            }),
            None => header(text).then(|| Self {
                name: text.to_ascii_lowercase(),
                cookie: None,
            }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the request's value; `None` where it has none, or more than one.
    pub fn hash(&self, secret: &Secret, headers: &Headers) -> Option<u64> {
        let value = match self.cookie.and_then(|start| self.name.get(start..)) {
            Some(name) => only(cookies(headers, name.as_bytes())),
            None => only(headers.all(&self.name)),
        }?;
        Some(secret.hash(&self.name, value))
    }
}

/// The values of that cookie (RFC 6265, 4.2.1).
fn cookies<'a>(headers: &'a Headers, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let lists = headers.all("cookie");
    let pairs = lists.flat_map(|list| list.split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| pair.trim_ascii().strip_prefix(name)?.strip_prefix(b"="))
}

fn only<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then_some(value)
}
