//! Text in HTML.

/// Fit for content and for quoted attributes. Characters that no page may hold are shown as such.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character if character.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(
            super::escape("<a href='x' class=\"y\">\0&amp;é</a>"),
            "&lt;a href=&#39;x&#39; class=&quot;y&quot;&gt;\u{fffd}&amp;amp;é&lt;/a&gt;"
        );
    }
}
