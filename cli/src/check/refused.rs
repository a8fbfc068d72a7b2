//! What an API server with Istio's definitions refuses of a manifest: whoever applies it has the one before it, or none.

use super::plugin::Manifest;
use super::warnings::Warning;
use crate::yaml::{Field, Node, Place, Value};
use throughline::config::Problem;

const API_VERSION: &str = "extensions.istio.io/v1alpha1";

/// Of a field: the words to be written, and those that mean what its absence does.
struct Words {
    name: &'static str,
    written: &'static [&'static str],
    unset: &'static [&'static str],
}

const PHASE: Words = Words {
    name: "phase",
    written: &["AUTHN", "AUTHZ", "STATS"],
    unset: &["UNSPECIFIED_PHASE", "UNSPECIFIED"],
};
const MODE: Words = Words {
    name: "mode",
    written: &["CLIENT", "SERVER", "CLIENT_AND_SERVER"],
    unset: &["UNDEFINED"],
};
const OF_WASM: [Words; 3] = [
    Words {
        name: "imagePullPolicy",
        written: &["IfNotPresent", "Always"],
        unset: &["UNSPECIFIED_POLICY"],
    },
    Words {
        name: "failStrategy",
        written: &["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"],
        unset: &[],
    },
    Words {
        name: "type",
        written: &["HTTP", "NETWORK"],
        unset: &["UNSPECIFIED_PLUGIN_TYPE"],
    },
];

const SCHEMES: [&str; 4] = ["oci", "http", "https", "file"];

/// About the fields of a manifest of Istio's; those of vmConfig, and which proxies it is for, apart.
pub fn warnings(manifest: &Manifest<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let version = manifest.document.field("apiVersion");
    if let Some(version) = version.filter(|version| version.node.text() != Some(API_VERSION)) {
        let said = format!("expected {API_VERSION}");
        warnings.push(refused(version.place, "apiVersion", &said));
    }
    let spec = manifest.spec;
    warnings.extend(PHASE.warning(spec, ""));
    warnings.extend(spec.field("priority").and_then(priority));
    if let Some(criteria) = spec.field("match") {
        if !matches!(criteria.node.value, Value::List(_)) {
            warnings.push(refused(criteria.place, "match", "expected a list"));
        }
        for (index, item) in criteria.node.items().iter().enumerate() {
            warnings.extend(MODE.warning(item, &format!("match[{index}].")));
            warnings.extend(ports(item, index));
        }
    }
    let of_wasm = OF_WASM.iter();
    warnings.extend(of_wasm.filter_map(|words| words.warning(manifest.wasm, "")));
    warnings.extend(manifest.wasm.field("url").and_then(url));
    warnings.extend(manifest.wasm.field("sha256").and_then(sha256));
    warnings
}

/// Go takes what stands before the first colon for a scheme, of `localhost:5000/throughline` too.
fn url(field: &Field) -> Option<Warning> {
    let text = field.node.text().unwrap_or_default();
    let is_scheme = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let scheme = scheme.filter(|scheme| is_scheme(scheme));
    let has_port = |text: &str| {
        text.split('/')
            .next()
            .is_some_and(|host| host.contains(':'))
    };
    if scheme.is_none() && has_port(text) {
        // The webhook reads it as http's, and takes it.
        let said = "istiod cannot read this, and drops the plugin: write oci:// before it";
        return Some((field.place, Problem::new("url", said)));
    }
    let scheme = scheme.unwrap_or("oci");
    if text.is_empty()
        || !SCHEMES
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        let said = "expected oci://…, or one with http, https or file before ://";
        return Some(refused(field.place, "url", said));
    }
    let (_, digest) = text
        .split_once('@')
        .filter(|_| scheme.eq_ignore_ascii_case("oci"))?;
    let is_digest = digest.strip_prefix("sha256:").is_some_and(is_sha256);
    let said = "after @ stand sha256: and 64 digits of 0-9a-f: no proxy can pull this";
    (!is_digest).then(|| (field.place, Problem::new("url", said)))
}

fn sha256(field: &Field) -> Option<Warning> {
    let text = field.node.text();
    // Empty is as good as absent.
    let is_good = text.is_some_and(|text| text.is_empty() || is_sha256(text));
    let said = "expected 64 digits of 0-9a-f, without sha256: before them";
    (!is_good).then(|| refused(field.place, "sha256", said))
}

fn is_sha256(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() == 64 && bytes.all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn ports(criteria: &Node, index: usize) -> Option<Warning> {
    let ports = criteria.field("ports")?;
    let is_port = |port: &Node| match port.get("number").map(|number| &number.value) {
        Some(Value::Number(number)) => number
            .as_f64()
            .is_some_and(|number| number.fract() == 0.0 && (1.0..=65_535.0).contains(&number)),
        _ => false,
    };
    let is_list = matches!(ports.node.value, Value::List(_));
    let is_good = is_list && ports.node.items().iter().all(|port| is_port(port));
    let path = format!("match[{index}].ports");
    let said = "expected a list of {number: 1 to 65535}";
    (!is_good).then(|| refused(ports.place, &path, said))
}

impl Words {
    fn warning(&self, of: &Node, path: &str) -> Option<Warning> {
        let field = of.field(self.name)?;
        let is_known = field
            .node
            .text()
            .is_some_and(|word| self.written.contains(&word) || self.unset.contains(&word));
        let said = format!("expected one of {}", self.written.join(", "));
        let path = format!("{path}{}", self.name);
        (!is_known).then(|| refused(field.place, &path, &said))
    }
}

fn priority(field: &Field) -> Option<Warning> {
    let number = match &field.node.value {
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    // 1.0 is one, too.
    let is_one = number.trim_end_matches(".0").parse::<i32>().is_ok();
    (!is_one).then(|| refused(field.place, "priority", "expected an integer of 32 bits"))
}

/// That something is what an API server refuses, and what it takes.
pub fn refused(place: Place, path: &str, said: &str) -> Warning {
    let message = format!("{said}; an API server refuses this");
    (place, Problem::new(path, message))
}
