//! What may reach Envoy's log.

/// Enough for the longest start-up line; what users write can be a megabyte.
const MOST: usize = 1024;

/// `text` on one line of bounded length. Parts of it are the user's: a line break in them would forge a log line.
pub fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MOST));
    for char in text.chars() {
        if line.len() >= MOST {
            line.push('…');
            break;
        }
        line.push(if char.is_control() { '\u{fffd}' } else { char });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(line("a\nb\u{7}c\u{85}é"), "a\u{fffd}b\u{fffd}c\u{fffd}é");
        assert!(line(&"é".repeat(1_000_000)).len() < MOST + 8);
        assert_eq!(line("plain"), "plain");
    }
}
