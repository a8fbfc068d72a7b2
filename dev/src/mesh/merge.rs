//! The way out for what has no option: JSON merged into a generated configuration.

use serde_json::Value;

/// Merges `extra` into `into`: objects by key, all the way down; anything else replaces.
pub fn merge(into: &mut Value, extra: &Value) {
    match (into, extra) {
        (Value::Object(into), Value::Object(extra)) => {
            for (key, value) in extra {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, extra) => *into = extra.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    #[test]
    fn objects_merge_and_the_rest_replaces() {
        let mut have = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        merge(&mut have, &json!({"a": {"c": [3], "e": {}}, "f": null}));
        assert_eq!(
            have,
            json!({"a": {"b": 1, "c": [3], "e": {}}, "d": 1, "f": null})
        );
    }
}
