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

/// About the fields of a manifest of Istio's; those of vmConfig apart.
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
        }
    }
    let of_wasm = OF_WASM.iter();
    warnings.extend(of_wasm.filter_map(|words| words.warning(manifest.wasm, "")));
    warnings
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
