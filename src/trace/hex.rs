//! Lower-case hexadecimal, the only spelling that W3C and B3 allow, and short texts without allocation.

/// Reads `digits` as one number. `None` for an empty text, for more than 32 digits, and for anything that is
/// not a lower-case hexadecimal digit.
pub fn lower_hex(digits: &[u8]) -> Option<u128> {
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    digits.iter().try_fold(0_u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit.wrapping_sub(b'0'),
            b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// Reads `digits` as one decimal number. `None` for an empty text, for anything that is not a digit, and for what 64 bits do
/// not hold.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        number.checked_mul(10)?.checked_add(value.into())
    })
}

/// The longest value that the filter writes: X-Ray's, `Root=1-8-24;Parent=16;Sampled=1`.
const CAPACITY: usize = 74;

/// A header value built in place: the hot path allocates nothing for what it writes.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Text {
    pub const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            len: 0,
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends `bytes`; what does not fit is left out, which no caller's fixed-width parts ever reach.
    pub fn push(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len = self.len.saturating_add(1);
            }
        }
        self
    }

    /// Appends the last `digits` hexadecimal digits of `number`, lower case, padded with zeros.
    pub fn push_hex(mut self, number: u128, digits: u32) -> Self {
        for place in (0..digits).rev() {
            let shift = place.saturating_mul(4);
            let nibble = number.checked_shr(shift).unwrap_or(0) & 0xf;
            let digit = b"0123456789abcdef"
                .get(usize::try_from(nibble).unwrap_or(0))
                .copied()
                .unwrap_or(b'0');
            self = self.push(&[digit]);
        }
        self
    }
}

impl Text {
    /// Appends `number` in decimal.
    pub fn push_decimal(self, number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let (mut rest, mut len) = (number, 0_usize);
        for digit in digits.iter_mut().rev() {
            let tenth = rest.checked_div(10).unwrap_or(0);
            let last = rest.saturating_sub(tenth.saturating_mul(10));
            *digit = b'0'.saturating_add(u8::try_from(last).unwrap_or(0));
            len = len.saturating_add(1);
            rest = tenth;
            if rest == 0 {
                break;
            }
        }
        let start = digits.len().saturating_sub(len);
        self.push(digits.get(start..).unwrap_or_default())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_digits_are_read() {
        for (text, expected) in [
            ("0", Some(0)),
            ("00ff", Some(255)),
            ("ffffffffffffffffffffffffffffffff", Some(u128::MAX)),
            ("0ffffffffffffffffffffffffffffffff", None),
            ("", None),
            ("FF", None),
            ("+1", None),
            ("-1", None),
            ("0x1", None),
            (" 1", None),
            ("g", None),
        ] {
            assert_eq!(lower_hex(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn decimals_are_what_64_bits_hold() {
        for (text, expected) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("-1", None),
            ("1a", None),
            (" 1", None),
        ] {
            assert_eq!(decimal(text.as_bytes()), expected, "{text:?}");
        }
        for number in [0, 7, 10, 1_000_000_007, u64::MAX] {
            let text = Text::new().push_decimal(number);
            assert_eq!(text.as_bytes(), number.to_string().as_bytes());
        }
    }

    #[test]
    fn digits_are_padded_and_cut_to_the_low_end() {
        assert_eq!(Text::new().push_hex(0xabc, 4).as_bytes(), b"0abc");
        assert_eq!(Text::new().push_hex(0x12345, 4).as_bytes(), b"2345");
        assert_eq!(
            Text::new().push_hex(u128::MAX, 32).as_bytes(),
            [b'f'; 32].as_slice()
        );
    }

    #[test]
    fn a_text_never_grows_past_its_capacity() {
        assert_eq!(
            Text::new().push(&[b'x'; 100]).as_bytes(),
            [b'x'; CAPACITY].as_slice()
        );
    }
}
