//! What stands for a value that nobody can know before: `<trace id>`.

use std::collections::BTreeMap;

/// What the names stand for, from the first value that each was compared with. The same name stands for the same value
/// everywhere, and another name for another.
#[derive(Clone, Default, Debug)]
pub struct Variables(BTreeMap<String, String>);

/// A piece of a text that has variables in it.
enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

impl Variables {
    /// Whether `value` is what `pattern` says.
    pub fn fits(&mut self, pattern: &str, value: &str) -> bool {
        let mut learned = self.clone();
        let fits = learned.take(pattern, value);
        if fits {
            *self = learned;
        }
        fits
    }

    /// The text with what its names stand for; the first name that stands for nothing yet otherwise.
    pub fn fill(&self, pattern: &str) -> Result<String, String> {
        let filled = pieces(pattern).into_iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text),
            Piece::Variable(name) => match self.0.get(name) {
                Some(value) => Ok(value.as_str()),
                None => Err(format!("<{name}> stands for nothing yet")),
            },
        });
        filled.collect()
    }

    fn take(&mut self, pattern: &str, value: &str) -> bool {
        let mut rest = value;
        let mut pieces = pieces(pattern).into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let matched = match piece {
                Piece::Text(text) => text.len(),
                Piece::Variable(name) => match (self.0.get(name), pieces.peek()) {
                    (Some(known), _) => known.len(),
                    (None, _) if digits(name).is_some() => digits(name).unwrap_or_default(),
                    (None, Some(Piece::Text(next))) => rest.find(next).unwrap_or_default(),
                    (None, _) => rest.len(),
                },
            };
            let Some((part, left)) = rest.split_at_checked(matched) else {
                return false;
            };
            let fits = match piece {
                Piece::Text(text) => text == part,
                Piece::Variable(name) => self.learn(name, part),
            };
            if !fits {
                return false;
            }
            rest = left;
        }
        rest.is_empty()
    }

    fn learn(&mut self, name: &str, value: &str) -> bool {
        if let Some(known) = self.0.get(name) {
            return known == value;
        }
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let shaped = digits(name).is_none() || value.bytes().all(hex);
        let new = !self.0.values().any(|other| other == value);
        if !shaped || !new || value.is_empty() {
            return false;
        }
        self.0.insert(name.to_owned(), value.to_owned());
        true
    }
}

/// How many hexadecimal digits a name promises.
fn digits(name: &str) -> Option<usize> {
    match name {
        _ if name.ends_with("trace id") => Some(32),
        _ if name.ends_with("span id") => Some(16),
        _ => None,
    }
}

fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some((before, name, after)) = rest
        .split_once('<')
        .and_then(|(before, after)| Some((before, after.split_once('>')?)))
        .map(|(before, (name, after))| (before, name, after))
    {
        found.push(Piece::Text(before));
        found.push(Piece::Variable(name));
        rest = after;
    }
    found.push(Piece::Text(rest));
    found.retain(|piece| !matches!(piece, Piece::Text("")));
    found
}

#[cfg(test)]
mod tests {
    use super::Variables;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_name_stands_for_one_value_and_another_for_another() {
        let mut variables = Variables::default();
        assert!(variables.fits(
            "00-<trace id>-<span id>-01",
            &format!("00-{TRACE}-{SPAN}-01")
        ));
        assert!(variables.fits("<trace id>", TRACE));
        assert!(!variables.fits("<trace id>", &TRACE.replace('4', "5")));
        assert!(!variables.fits("<another span id>", SPAN));
        assert!(variables.fits("<another span id>", &SPAN.replace('0', "1")));
        assert_eq!(variables.fill("<trace id>-1"), Ok(format!("{TRACE}-1")));
        assert!(variables.fill("<parent span id>").is_err());
    }

    #[test]
    fn ids_have_their_digits() {
        for (pattern, value) in [
            ("<trace id>", SPAN),
            ("<span id>", TRACE),
            ("<span id>", "00F067AA0BA902B7"),
            ("<span id>-1", SPAN),
            ("a", "b"),
            ("<version>", ""),
        ] {
            assert!(!Variables::default().fits(pattern, value), "{pattern}");
        }
        assert!(Variables::default().fits("0.<minor>.<patch>", "0.1.20"));
    }

    /// A text that did not fit teaches nothing.
    #[test]
    fn a_misfit_is_forgotten() {
        let mut variables = Variables::default();
        assert!(!variables.fits("<trace id>-1", &format!("{TRACE}-0")));
        assert!(variables.fill("<trace id>").is_err());
    }
}
