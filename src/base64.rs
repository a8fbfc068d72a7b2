//! Base64 (RFC 4648 §4), padded or not, as gRPC's binary metadata is.

/// The digits of `bytes`, without padding.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(2));
    let mut rest = bytes;
    while !rest.is_empty() {
        let (three, tail) = rest.split_at_checked(3).unwrap_or((rest, &[]));
        rest = tail;
        let byte = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for shift in [18, 12, 6, 0]
            .into_iter()
            .take(three.len().saturating_add(1))
        {
            let index = usize::try_from(bits >> shift & 0x3f).unwrap_or(0);
            text.push(DIGITS.get(index).copied().unwrap_or(b'A'));
        }
    }
    text
}

/// The bytes; `None` where `text` is none.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let end = text
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |last| last.saturating_add(1));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.get(..end)?;
    while !rest.is_empty() {
        let (four, tail) = rest.split_at_checked(4).unwrap_or((rest, &[]));
        rest = tail;
        if four.len() == 1 {
            return None;
        }
        let mut bits = 0_u32;
        for place in 0..4 {
            let value = four.get(place).map_or(Some(0), |digit| value(*digit))?;
            bits = bits << 6 | u32::from(value);
        }
        let [_, three @ ..] = bits.to_be_bytes();
        bytes.extend_from_slice(three.get(..four.len().saturating_sub(1))?);
    }
    Some(bytes)
}

const fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit.wrapping_sub(b'A'),
        b'a'..=b'z' => digit.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => digit.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(encode(b"foob"), b"Zm9vYg");
    }

    #[test]
    fn text_is_decoded_with_and_without_padding() {
        // RFC 4648 §10.
        for (text, expected) in [
            ("", Some("")),
            ("Zg==", Some("f")),
            ("Zg", Some("f")),
            ("Zm8=", Some("fo")),
            ("Zm9v", Some("foo")),
            ("Zm9vYmFy", Some("foobar")),
            ("Z", None),
            ("Zm9v!", None),
            ("Zm 9v", None),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(decode(text.as_bytes()), expected, "{text:?}");
        }
    }
}
