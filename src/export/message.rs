//! Reads protobuf messages (protobuf, "Encoding"), as far as collectors' answers need it.

/// A field's value; fixed-width ones are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of `message` up to its end or its first fault.
pub fn fields(message: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    let mut rest = message;
    core::iter::from_fn(move || {
        let (number, field, tail) = next(rest)?;
        rest = tail;
        Some((number, field))
    })
}

/// Whether it can be read to its end.
pub fn is_whole(message: &[u8]) -> bool {
    let mut rest = message;
    while !rest.is_empty() {
        match next(rest) {
            Some((_, _, tail)) => rest = tail,
            None => return false,
        }
    }
    true
}

/// The last field of that number, if it is of that type, as protobuf wants it for a single field.
pub fn bytes(message: &[u8], number: u64) -> Option<&[u8]> {
    fields(message)
        .filter_map(|(found, field)| match field {
            Field::Bytes(bytes) if found == number => Some(bytes),
            _ => None,
        })
        .last()
}

pub fn varint(message: &[u8], number: u64) -> Option<u64> {
    fields(message)
        .filter_map(|(found, field)| match field {
            Field::Varint(value) if found == number => Some(value),
            _ => None,
        })
        .last()
}

fn next(message: &[u8]) -> Option<(u64, Field<'_>, &[u8])> {
    let (key, rest) = take_varint(message)?;
    let number = key >> 3;
    if number == 0 {
        return None;
    }
    Some(match key & 7 {
        0 => {
            let (value, rest) = take_varint(rest)?;
            (number, Field::Varint(value), rest)
        }
        1 => (number, Field::Fixed, rest.get(8..)?),
        2 => {
            let (length, rest) = take_varint(rest)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (number, Field::Bytes(bytes), rest)
        }
        5 => (number, Field::Fixed, rest.get(4..)?),
        _ => return None,
    })
}

fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let shift = u32::try_from(index).ok()?.saturating_mul(7);
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index.saturating_add(1)..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_or_found_faulty() {
        for (message, whole, why) in [
            (b"".as_slice(), true, "an empty message"),
            (b"\x08\x96\x01", true, "a varint"),
            (
                b"\x0a\x02hi\x11\0\0\0\0\0\0\0\0\x1d\0\0\0\0",
                true,
                "one of each",
            ),
            (b"\x0a\x03hi", false, "cut short"),
            (b"\x08\x80", false, "a varint without an end"),
            (b"\x00\x01", false, "field 0"),
            (b"\x0b", false, "a group"),
            (b"<html>", false, "text"),
            (
                b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                false,
                "a varint that is too long",
            ),
        ] {
            assert_eq!(is_whole(message), whole, "{why}");
        }
        assert_eq!(
            varint(b"\x08\x96\x01\x08\x05", 1),
            Some(5),
            "the last one counts"
        );
        assert_eq!(bytes(b"\x0a\x02hi", 1), Some(b"hi".as_slice()));
        assert_eq!(bytes(b"\x08\x01", 1), None, "another type");
    }
}
