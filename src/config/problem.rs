//! What is wrong with a configuration, where, and what to write instead.

use core::fmt;

/// One mistake. Reads `sampling.arg: expected a number from 0 to 1, got 10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, as `export.batch.maxQueueSize`, or the environment variable.
    pub path: String,
    pub message: String,
}

impl Problem {
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl core::error::Error for Problem {}

/// The candidate that `word` was probably meant to be: the same but for case, `_` and `-`, or at most two edits away.
pub fn near_miss<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // No field is that long, and the distance takes the product of both lengths.
    const MOST: usize = 100;
    if word.len() > MOST {
        return None;
    }
    let plain = |text: &str| {
        text.chars()
            .filter(|char| !matches!(char, '_' | '-'))
            .map(|char| char.to_ascii_lowercase())
            .collect::<Vec<char>>()
    };
    let word = plain(word);
    candidates
        .iter()
        .map(|candidate| (distance(&word, &plain(candidate)), *candidate))
        .min_by_key(|(distance, _)| *distance)
        // Half of a short word is another word.
        .filter(|(distance, candidate)| {
            *distance <= 2 && distance.saturating_mul(2) < candidate.len()
        })
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's edit distance, one row at a time.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let substitute = diagonal.saturating_add(usize::from(from != to));
            diagonal = *cell;
            *cell = substitute
                .min(left.saturating_add(1))
                .min(diagonal.saturating_add(1));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_found_and_a_stranger_is_not() {
        let fields = ["propagation", "sampling", "log", "tags", "customTags"];
        for (word, expected) in [
            ("samplng", Some("sampling")),
            ("Sampling", Some("sampling")),
            ("custom_tag", Some("customTags")),
            ("propogation", Some("propagation")),
            ("lag", Some("log")),
            ("xyz", None),
            ("", None),
            (
                "samplng samplng samplng samplng samplng samplng samplng samplng samplng samplng samplng samplng samplng",
                None,
            ),
        ] {
            assert_eq!(near_miss(word, &fields), expected, "{word:?}");
        }
    }
}
