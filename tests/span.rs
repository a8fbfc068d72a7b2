//! What a span tells: of the request, of how it ended, of the proxy and the service. The tables of docs/spans.md, row by
//! row.

#[path = "span/callee.rs"]
mod callee;
#[path = "span/error.rs"]
mod error;
#[path = "span/identity.rs"]
mod identity;
#[path = "span/node.rs"]
mod node;
#[path = "span/outcome.rs"]
mod outcome;
#[path = "span/redaction.rs"]
mod redaction;
#[path = "span/request.rs"]
mod request;
#[path = "span/resource.rs"]
mod resource;

use throughline::span::{Attributes, Semconv, is_own};

const STABLE: Semconv = Semconv {
    stable: true,
    legacy: false,
};
const LEGACY: Semconv = Semconv {
    stable: false,
    legacy: true,
};
const BOTH: Semconv = Semconv {
    stable: true,
    legacy: true,
};

/// Attributes in the order of writing, as `key=value`; an integer has a `#` before it.
#[derive(Debug, Default)]
struct Written(Vec<String>);

impl Written {
    fn by(describe: impl FnOnce(&mut Self)) -> Vec<String> {
        let mut written = Self::default();
        describe(&mut written);
        written.0
    }

    fn add(&mut self, key: &str, value: String) {
        let is_twice = self
            .0
            .iter()
            .any(|known| known.split('=').next() == Some(key));
        assert!(!is_twice, "{key} is there twice: {:?}", self.0);
        assert!(is_own(key), "a tag of the name {key} would not be refused");
        self.0.push(format!("{key}={value}"));
    }
}

impl Attributes for Written {
    fn text(&mut self, key: &str, value: &str) {
        self.add(key, value.to_owned());
    }

    fn int(&mut self, key: &str, value: i64) {
        self.add(key, format!("#{value}"));
    }

    fn bool(&mut self, key: &str, value: bool) {
        self.add(key, format!("#{value}"));
    }
}
