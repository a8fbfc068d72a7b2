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

    /// Broken into lines of at most `width`, at spaces where there are some, further in from the second one on.
    pub fn wrapped(self, width: usize) -> Vec<Self> {
        if self.width() <= width {
            return vec![self];
        }
        let characters = |(paint, text): &(Paint, String)| {
            let (paint, characters): (Paint, Vec<_>) = (*paint, text.chars().collect());
            characters
                .into_iter()
                .map(move |character| (paint, character))
        };
        let mut rest: Vec<_> = self.0.iter().flat_map(characters).collect();
        let own = rest
            .iter()
            .take_while(|(_, character)| *character == ' ')
            .count();
        let indent = (own + 2).min(width / 2);
        let mut lines = vec![];
        loop {
            let room = match lines.len() {
                0 => width,
                _ => width - indent,
            }
            .max(1);
            let fits = rest.len() <= room;
            let is_gap = |at: &usize| *at > own && rest[*at].1 == ' ';
            let end = match fits {
                true => rest.len(),
                false => (0..=room).rev().find(is_gap).unwrap_or(room),
            };
            let mut line = Self::new();
            if !lines.is_empty() {
                line = line.plain(" ".repeat(indent));
            }
            for (paint, character) in rest.drain(..end) {
                line = line.add(paint, character);
            }
            lines.push(line);
            if fits {
                return lines;
            }
            let gap = rest
                .iter()
                .take_while(|(_, character)| *character == ' ')
                .count();
            rest.drain(..gap);
        }
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

/// The text, or what fits of it.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let start = text.chars().take(width.saturating_sub(1));
    start.chain(std::iter::once('…')).take(width).collect()
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
    use super::{Line, Paint, cut, wrap};

    #[test]
    fn colours_take_no_width_and_vanish_when_unwanted() {
        let line = Line::new().add(Paint::Bold, "a → b").plain("  ");
        assert_eq!(line.width(), 7);
        assert_eq!(line.to_text(false), "a → b");
        assert_eq!(line.padded(9).to_text(true), "\x1b[1ma → b\x1b[0m");
    }

    #[test]
    fn lines_wrap_further_in_and_keep_their_colours() {
        let line = Line::new()
            .plain("  one ")
            .add(Paint::Bold, "two three")
            .plain("45678901");
        let texts = |width| {
            let lines = line.clone().wrapped(width);
            assert!(lines.iter().all(|line| line.width() <= width), "{lines:?}");
            lines
                .iter()
                .map(|line| line.to_text(false))
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(40), ["  one two three45678901"]);
        assert_eq!(texts(20), ["  one two", "    three45678901"]);
        assert_eq!(
            texts(10),
            ["  one two", "    three4", "    567890", "    1"]
        );
        assert!(!texts(1).is_empty());
        let lines = Line::new().plain("a ").add(Paint::Bold, "b").wrapped(2);
        assert_eq!(lines[1].to_text(true), " \x1b[1mb\x1b[0m");
    }

    #[test]
    fn text_is_cut() {
        assert_eq!(
            (cut("abc", 3), cut("abcd", 3)),
            ("abc".to_owned(), "ab…".to_owned())
        );
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn words_wrap() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two", 2), ["one", "two"]);
    }
}
