//! Lines of coloured text that know their width.

use std::fmt::Write as _;

/// How a piece of text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    /// The colour of the trace of that number.
    Trace(usize),
}

impl Paint {
    fn code(self) -> &'static str {
        const OF_TRACES: [&str; 6] = ["33", "35", "36", "34", "32", "93"];
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Trace(number) => OF_TRACES[number % OF_TRACES.len()],
        }
    }
}

/// A line of text. No character of it is wider than one column.
#[derive(Clone, Default, Debug)]
pub struct Line(Vec<(Paint, String)>);

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text.
    #[must_use]
    pub fn add(mut self, paint: Paint, text: impl Into<String>) -> Self {
        self.0.push((paint, text.into()));
        self
    }

    /// Adds plain text.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.add(Paint::Plain, text)
    }

    /// Adds another line's text.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Fills it up with spaces to that width.
    #[must_use]
    pub fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.plain(" ".repeat(missing))
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The text for a terminal, without spaces at the end.
    pub fn to_text(&self, colour: bool) -> String {
        let mut text = String::new();
        for (paint, part) in &self.0 {
            let code = paint.code();
            if colour && !code.is_empty() && !part.is_empty() {
                // Writing into a String cannot fail.
                let _ = write!(text, "\x1b[{code}m{part}\x1b[0m");
            } else {
                text.push_str(part);
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Breaks text into lines of at most `width`, or of one longer word.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Line, Paint, wrap};

    #[test]
    fn colours_take_no_width_and_vanish_when_unwanted() {
        let line = Line::new().add(Paint::Bold, "a → b").plain("  ");
        assert_eq!(line.width(), 7);
        assert_eq!(line.to_text(false), "a → b");
        assert_eq!(line.padded(9).to_text(true), "\x1b[1ma → b\x1b[0m");
    }

    #[test]
    fn words_wrap() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two", 2), ["one", "two"]);
    }
}
