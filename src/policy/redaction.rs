//! What nobody may read: values of tags and span attributes, by their names or by themselves.

use std::borrow::Cow;

use super::pattern::Pattern;
use crate::span::Attributes;

/// What stands in place of what is hidden, as the OpenTelemetry Collector's redaction processor writes it.
const MASK: &str = "****";

/// `redaction`, compiled. With no pattern nothing is hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Names whose values are hidden.
    pub keys: Vec<Pattern>,
    /// Values that are hidden under any name.
    pub values: Vec<Pattern>,
}

impl Redaction {
    /// `value`, or the mask.
    pub fn of<'a>(&self, key: &str, value: Cow<'a, str>) -> Cow<'a, str> {
        if self.hides(key, &value) {
            Cow::Borrowed(MASK)
        } else {
            value
        }
    }

    /// Attributes that go to `to`, as far as anybody may read them.
    pub const fn before<'a, A>(&'a self, to: &'a mut A) -> Redacted<'a, A> {
        Redacted {
            redaction: self,
            to,
        }
    }

    fn hides(&self, key: &str, value: &str) -> bool {
        self.hides_key(key) || any(&self.values, value)
    }

    fn hides_key(&self, key: &str) -> bool {
        any(&self.keys, key)
    }
}

fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern.describes(text.as_bytes()))
}

/// Attributes behind a [`Redaction`].
#[derive(Debug)]
pub struct Redacted<'a, A> {
    redaction: &'a Redaction,
    to: &'a mut A,
}

impl<A: Attributes> Attributes for Redacted<'_, A> {
    fn text(&mut self, key: &str, value: &str) {
        let value = self.redaction.of(key, Cow::Borrowed(value));
        self.to.text(key, &value);
    }

    fn int(&mut self, key: &str, value: i64) {
        if self.redaction.hides_key(key) {
            self.to.text(key, MASK);
        } else {
            self.to.int(key, value);
        }
    }

    fn bool(&mut self, key: &str, value: bool) {
        if self.redaction.hides_key(key) {
            self.to.text(key, MASK);
        } else {
            self.to.bool(key, value);
        }
    }
}
