//! The `OTEL_*` variables that fill what pluginConfig leaves out (OpenTelemetry, configuration/sdk-environment-variables.md).

use super::{Problem, reader::quoted};
use crate::trace::lower_hex;

/// The variables of the VM (`vmConfig.env` in Istio).
pub trait Environment {
    /// The variable's value; `None` where it is absent.
    fn get(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// "The SDK MUST interpret an empty value of an environment variable the same way as when the variable is unset."
pub fn non_empty(environment: &impl Environment, name: &str) -> Option<String> {
    environment
        .get(name)
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// `service.name` among `OTEL_RESOURCE_ATTRIBUTES`.
pub fn resource_service_name(environment: &impl Environment) -> Result<Option<String>, Problem> {
    let attributes = resource_attributes(environment)?;
    let found = attributes
        .into_iter()
        .find(|(name, _)| name == "service.name");
    Ok(found
        .map(|(_, value)| value)
        .filter(|name| !name.is_empty()))
}

/// `OTEL_RESOURCE_ATTRIBUTES`. Of a name that is there twice the last one counts, as in a map.
pub fn resource_attributes(
    environment: &impl Environment,
) -> Result<Vec<(String, String)>, Problem> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs(environment, "OTEL_RESOURCE_ATTRIBUTES")? {
        attributes.retain(|(known, _)| *known != name);
        attributes.push((name, value));
    }
    Ok(attributes)
}

/// A variable of `key=value` pairs, comma separated, percent-encoded.
pub fn pairs(
    environment: &impl Environment,
    variable: &str,
) -> Result<Vec<(String, String)>, Problem> {
    let list = non_empty(environment, variable).unwrap_or_default();
    list.split(',')
        .filter(|pair| !pair.trim().is_empty())
        .enumerate()
        .map(|(index, pair)| {
            // Neither part is shown: it may be a secret.
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| Problem::new(variable, format!("entry {index} is no key=value")))?;
            if key.trim().is_empty() {
                return Err(Problem::new(variable, format!("entry {index} has no name")));
            }
            let value = percent_decoded(value.trim()).ok_or_else(|| {
                Problem::new(
                    variable,
                    format!(
                        "the value of {} is not percent-encoded UTF-8",
                        quoted(key.trim())
                    ),
                )
            })?;
            Ok((key.trim().to_owned(), value))
        })
        .collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        if *byte == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            let digits = lower_hex(&digits.to_ascii_lowercase())?;
            bytes.push(u8::try_from(digits).ok()?);
            rest = tail;
        } else {
            bytes.push(*byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(list: &str) -> Result<Option<String>, Problem> {
        resource_service_name(&|name: &str| {
            (name == "OTEL_RESOURCE_ATTRIBUTES").then(|| list.to_owned())
        })
    }

    #[test]
    fn the_service_name_is_found_among_resource_attributes() {
        for (list, expected) in [
            ("", None),
            ("a=b", None),
            ("service.name=cart", Some("cart")),
            ("a=b, service.name = cart ,c=d", Some("cart")),
            ("service.name=my%20cart", Some("my cart")),
            ("service.name=", None),
            ("a=b,", None),
            ("service.name=a,service.name=b", Some("b")),
            ("service.name=a%C3%A9", Some("aé")),
        ] {
            assert_eq!(name(list).unwrap().as_deref(), expected, "{list:?}");
        }
        for bad in [
            "cart",
            "service.name=%",
            "service.name=%g0",
            "service.name=%ff",
            "service.name=%+f",
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
