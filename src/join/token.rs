//! Values in a path that travel by themselves, such as an order's id: whoever serves `/orders/<id>` calls `/stock?order=<id>`.
//!
//! A value counts where it is long and mixed enough that two requests hardly carry the same by chance, so that words, versions and
//! dates do not. The rule, for each segment of the path and each value of the query:
//!
//! - 16 to 128 characters of `A-Z`, `a-z`, `0-9`, `-` and `_`, and
//! - at least 64 bits by its alphabet, dashes left out: 4 for each character where all are hexadecimal in one case, 3.3 where all are
//!   digits, else 5, and
//! - at least 8 characters that differ, and
//! - where it is not hexadecimal, at least 3 changes between letter and digit: `recommendations2023` has one.

use super::key::Secret;

/// So many of a request are listed.
pub const MOST_TOKENS: usize = 4;

/// The hashes of a path's tokens, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    hashes: [u64; MOST_TOKENS],
    count: usize,
    /// There are more than that.
    pub has_more: bool,
}

impl Tokens {
    /// Of a path with its query.
    pub fn of(secret: &Secret, path: &[u8]) -> Self {
        let mut tokens = Self::default();
        let (path, query) = match path.iter().position(|byte| *byte == b'?') {
            Some(at) => path.split_at_checked(at).unwrap_or_default(),
            None => (path, &[][..]),
        };
        let segments = path.split(|byte| *byte == b'/');
        let values = query
            .split(|byte| matches!(byte, b'?' | b'&'))
            .filter_map(|pair| pair.splitn(2, |byte| *byte == b'=').nth(1));
        for value in segments.chain(values).filter(|value| is_token(value)) {
            tokens.add(secret.hash("", value));
        }
        tokens
    }

    pub fn hashes(&self) -> &[u64] {
        self.hashes.get(..self.count).unwrap_or_default()
    }

    fn add(&mut self, hash: u64) {
        if self.hashes().contains(&hash) {
            return;
        }
        match self.hashes.get_mut(self.count) {
            Some(place) => {
                *place = hash;
                self.count = self.count.saturating_add(1);
            }
            None => self.has_more = true,
        }
    }
}

fn is_token(value: &[u8]) -> bool {
    if !(16..=128).contains(&value.len()) {
        return false;
    }
    let mut letters = 0_usize;
    let mut digits = 0_usize;
    let mut changes = 0_usize;
    let mut distinct = 0_u128;
    let mut is_lower_hex = true;
    let mut is_upper_hex = true;
    let mut was_digit = None;
    for byte in value {
        match byte {
            b'-' | b'_' => continue,
            b'0'..=b'9' => digits = digits.saturating_add(1),
            b'a'..=b'z' | b'A'..=b'Z' => letters = letters.saturating_add(1),
            _ => return false,
        }
        distinct |= 1_u128.checked_shl((*byte).into()).unwrap_or(0);
        is_lower_hex &= matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        is_upper_hex &= matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        let is_digit = byte.is_ascii_digit();
        if was_digit.is_some_and(|was| was != is_digit) {
            changes = changes.saturating_add(1);
        }
        was_digit = Some(is_digit);
    }
    let tenths = if letters == 0 {
        33
    } else if is_lower_hex || is_upper_hex {
        40
    } else if changes >= 3 {
        50
    } else {
        return false;
    };
    let bits = letters.saturating_add(digits).saturating_mul(tenths);
    digits > 0 && bits >= 640 && distinct.count_ones() >= 8
}
