//! `resource`, and OTEL_RESOURCE_ATTRIBUTES.

use super::{
    Environment, Problem, environment::resource_attributes, reader::Node, tags::load_source,
};
use crate::policy::{
    resource::ResourceAttribute,
    tags::{MAX_NAME, MAX_TAGS, Source},
};

/// Where an attribute that is the same for every request can come from.
const SOURCES: [&str; 3] = ["literal", "environment", "node"];

pub fn load(
    section: Option<&Node<'_>>,
    environment: &impl Environment,
) -> Result<Vec<ResourceAttribute>, Problem> {
    let mut attributes = Vec::new();
    if let Some(section) = section {
        for (name, node) in section.map()?.fields() {
            attributes.push(load_attribute(name, &node, environment)?);
        }
        if attributes.len() > MAX_TAGS {
            return Err(section.problem(format!(
                "expected at most {MAX_TAGS} attributes, got {}",
                attributes.len()
            )));
        }
    }
    for (name, value) in resource_attributes(environment)? {
        let is_known = attributes.iter().any(|attribute| attribute.name == name);
        // The service's name has rules of its own.
        if !is_known && name != "service.name" && attributes.len() < MAX_TAGS {
            attributes.push(ResourceAttribute {
                name,
                source: Source::Fixed(Some(value)),
                default: None,
            });
        }
    }
    Ok(attributes)
}

fn load_attribute(
    name: &str,
    node: &Node<'_>,
    environment: &impl Environment,
) -> Result<ResourceAttribute, Problem> {
    if name == "service.name" {
        return Err(
            node.problem("is the service's name; write it as service.name: service: {name: …}")
        );
    }
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(node.problem(format!(
            "an attribute's name has 1 to {MAX_NAME} characters"
        )));
    }
    let (kind, value) = node.only_field(&SOURCES)?;
    let (source, default) = load_source(kind, &value, environment)?;
    Ok(ResourceAttribute {
        name: name.to_owned(),
        source,
        default,
    })
}
