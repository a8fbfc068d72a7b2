//! Which values of a path count as tokens.

use throughline::join::{
    key::Secret,
    token::{MOST_TOKENS, Tokens},
};

use crate::shared::Shared;

#[test]
fn tokens_are_long_and_mixed() {
    let secret = Secret::agree(&mut Shared::default()).unwrap();
    for (value, expected, reason) in [
        ("d4b2a7a4-5f0e-4b6c-9d0e-1f2a3b4c5d6e", true, "a UUID"),
        ("d4b2a7a45f0e4b6c", true, "64 bits in hexadecimal"),
        ("D4B2A7A45F0E4B6C", true, "in upper case"),
        ("d4b2a7a45f0e4b6", false, "60 bits"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", true, "a ULID"),
        ("aZ3kd91mQx7Lp2Rt", true, "base62"),
        ("18446744073709551557", true, "20 digits"),
        ("1844674407370955", false, "53 bits in digits"),
        (
            "00000000000000000000000000000001",
            false,
            "two characters that differ",
        ),
        ("recommendations2023", false, "a word and a number"),
        ("getUserAccountDetails2", false, "a name in camel case"),
        (
            "order-2024-item-17-of-the-day",
            true,
            "digits in several places: a limit of the rule",
        ),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, "no digit"),
        ("d4b2a7a45f0e4b6c%20", false, "escaped"),
        ("d4b2a7a45f0e4b6c.json", false, "a name with a suffix"),
    ] {
        for path in [
            format!("/stock/{value}"),
            format!("/stock/{value}/items?x=1"),
            format!("/stock?order={value}&x=1"),
        ] {
            let tokens = Tokens::of(&secret, path.as_bytes());
            let expected: &[u64] = if expected {
                &[secret.hash("", value.as_bytes())]
            } else {
                &[]
            };
            assert_eq!(tokens.hashes(), expected, "{path}: {reason}");
        }
    }
}

#[test]
fn of_many_tokens_it_is_said_that_there_are_more() {
    let secret = Secret::agree(&mut Shared::default()).unwrap();
    for count in 0..=MOST_TOKENS + 2 {
        let path: String = (0..count)
            .map(|number| format!("/d4b2a7a45f0e4b6{number}"))
            .collect();
        // Each counts once.
        let tokens = Tokens::of(&secret, format!("{path}{path}").as_bytes());
        assert_eq!(tokens.hashes().len(), count.min(MOST_TOKENS));
        assert_eq!(tokens.has_more, count > MOST_TOKENS);
    }
}
