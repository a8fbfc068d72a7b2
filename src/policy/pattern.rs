//! Patterns for what a request says: text in which `*` stands for anything, also for nothing.

/// The most patterns of one list, and the longest of them, in bytes.
pub const MAX_PATTERNS: usize = 64;
pub const MAX_PATTERN: usize = 256;
/// As much of a text is compared; what is longer matches only by a `*` at the end.
const MAX_TEXT: usize = 1024;

/// Text between stars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    first: Vec<u8>,
    /// What follows each star, in order. Without any the whole text has to be `first`.
    others: Vec<Vec<u8>>,
}

impl Pattern {
    pub fn new(pattern: &str) -> Self {
        let mut parts = pattern.split('*').map(|part| part.as_bytes().to_vec());
        Self {
            first: parts.next().unwrap_or_default(),
            others: parts.collect(),
        }
    }

    /// Whether it describes all of `text`, of which no more than the beginning is compared: anybody may have sent it.
    pub fn matches(&self, text: &[u8]) -> bool {
        if text.len() <= MAX_TEXT {
            return self.describes(text);
        }
        match self.others.last() {
            None => text == self.first,
            Some(last) => last.is_empty() && self.describes(text.get(..MAX_TEXT).unwrap_or(text)),
        }
    }

    /// Whether it describes all of `text`, which is bounded already.
    pub fn describes(&self, text: &[u8]) -> bool {
        let Some((last, middle)) = self.others.split_last() else {
            return text == self.first;
        };
        let Some(mut rest) = text.strip_prefix(self.first.as_slice()) else {
            return false;
        };
        // The earliest place of each leaves most for those after it.
        for part in middle {
            let Some(after) = after(rest, part) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }
}

/// What follows the first `part` in `text`.
fn after<'a>(text: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    (0..=text.len()).find_map(|start| text.get(start..)?.strip_prefix(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_anything() {
        for (pattern, text, expected) in [
            ("/healthz", "/healthz", true),
            ("/healthz", "/healthz/", false),
            ("/healthz", "", false),
            ("*", "", true),
            ("*", "/a", true),
            ("/checkout/*", "/checkout/", true),
            ("/checkout/*", "/checkout", false),
            ("*.googleapis.com", "storage.googleapis.com", true),
            ("*.googleapis.com", "googleapis.com", false),
            ("*.googleapis.com", "storage.googleapis.com.evil", false),
            ("/a*/b*/c", "/a1/b2/c", true),
            ("/a*/b*/c", "/a/b/c", true),
            ("/a*/b*/c", "/a/c", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "ab", false),
            ("*ab*ab*", "xababx", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_long_text_matches_by_its_beginning_alone() {
        let long = "a".repeat(MAX_TEXT + 1);
        assert!(Pattern::new("a*").matches(long.as_bytes()));
        assert!(!Pattern::new("a*a").matches(long.as_bytes()));
        assert!(Pattern::new(&long).matches(long.as_bytes()));
    }
}
