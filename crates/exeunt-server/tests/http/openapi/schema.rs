//! Whether a value is what a schema says: the part of JSON Schema that our document uses, and no more.
//!
//! Owns the refusal of every other keyword, so that the document cannot say what nobody checks. `format` is only told.

use serde_json::{Map, Value};

const TOLD_ONLY: [&str; 3] = ["description", "format", "title"];

/// Where the reference leads, or the value itself.
pub(super) fn resolve<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("a reference within the document");
            root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
        None => value,
    }
}

/// `Err` says what does not fit, and where.
pub(super) fn fits(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = resolve(root, schema).as_object().ok_or_else(|| format!("{at}: a schema is an object"))?;
    for (keyword, says) in schema {
        let holds = match keyword.as_str() {
            "type" => is_type(says, value),
            "const" => says == value,
            // To JSON Schema they are examples. Of ours each is listed, for whoever writes a program by the document.
            "examples" => says.as_array().is_some_and(|listed| listed.contains(value)),
            "minLength" => length(value).is_none_or(|length| Some(length) >= says.as_u64()),
            "maxLength" => length(value).is_none_or(|length| Some(length) <= says.as_u64()),
            "minimum" => value.as_i64().is_none_or(|number| Some(number) >= says.as_i64()),
            "maximum" => value.as_i64().is_none_or(|number| Some(number) <= says.as_i64()),
            "required" => has_all(says, value),
            "additionalProperties" => has_no_other(schema, says, value),
            "properties" => all_properties(root, says, value, at)?,
            "items" => all_items(root, says, value, at)?,
            told if TOLD_ONLY.contains(&told) => true,
            unknown => return Err(format!("{at}: the keyword {unknown} is checked by nobody")),
        };
        if !holds {
            return Err(format!("{at}: {keyword} {says}, but {value}"));
        }
    }
    Ok(())
}

fn is_type(says: &Value, value: &Value) -> bool {
    match says.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn has_all(says: &Value, value: &Value) -> bool {
    let names = says.as_array().expect("a list of names");
    value.as_object().is_none_or(|object| names.iter().filter_map(Value::as_str).all(|name| object.contains_key(name)))
}

fn has_no_other(schema: &Map<String, Value>, says: &Value, value: &Value) -> bool {
    assert_eq!(says, &Value::Bool(false), "the only additionalProperties that is used");
    let known = schema["properties"].as_object().expect("properties");
    value.as_object().is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
}

fn all_properties(root: &Value, says: &Value, value: &Value, at: &str) -> Result<bool, String> {
    for (name, schema) in says.as_object().expect("properties") {
        if let Some(field) = value.get(name) {
            fits(root, schema, field, &format!("{at}.{name}"))?;
        }
    }
    Ok(true)
}

fn all_items(root: &Value, says: &Value, value: &Value, at: &str) -> Result<bool, String> {
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(root, says, item, &format!("{at}[{number}]"))?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_found() {
        let schema = json!({
            "type": "object",
            "required": ["a"],
            "additionalProperties": false,
            "properties": {
                "a": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 2}},
                "b": {"type": "integer", "minimum": 1, "maximum": 3},
                "c": {"const": "x"},
                "d": {"$ref": "#/properties/b"},
            },
        });
        let judge = |value: Value| fits(&schema, &schema, &value, "$");
        assert_eq!(judge(json!({"a": ["x", "éé"], "b": 3, "c": "x", "d": 1})), Ok(()));
        for wrong in [
            json!([]),
            json!({}),
            json!({"a": "x"}),
            json!({"a": [1]}),
            json!({"a": [""]}),
            json!({"a": ["xxx"]}),
            json!({"a": [], "b": "1"}),
            json!({"a": [], "b": 1.5}),
            json!({"a": [], "b": 0}),
            json!({"a": [], "b": 4}),
            json!({"a": [], "c": "y"}),
            json!({"a": [], "d": 4}),
            json!({"a": [], "e": 1}),
            json!(null),
        ] {
            assert!(judge(wrong.clone()).is_err(), "{wrong}");
        }
        let unknown = json!({"pattern": "x"});
        assert!(fits(&unknown, &unknown, &json!("x"), "$").is_err(), "what nobody checks may not be said");
    }
}
