//! The JSON schema of artifacts, as validators and generators of types read it best.

use serde_json::{Value, json};

use super::{Artifact, VERSION};

/// The JSON schema of artifacts.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Artifact).to_value();
    simplify(&mut schema);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$id".into(), json!(format!("onnx2script:contract-{VERSION}")));
    }
    schema
}

/// Takes out Rust's names of integers, which are no formats to a validator, and nulls: what an artifact has not is left
/// out of it.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                fields.remove("format");
            }
            if let Some(kind) = fields.get("type").and_then(without_null) {
                fields.insert("type".into(), kind);
            }
            if let Some(Value::Object(only)) = fields.get("anyOf").and_then(without_null) {
                fields.remove("anyOf");
                fields.extend(only);
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// The one alternative of two that is not null.
fn without_null(alternatives: &Value) -> Option<Value> {
    let null = [json!("null"), json!({ "type": "null" })];
    let others: Vec<&Value> = alternatives.as_array()?.iter().filter(|one| !null.contains(one)).collect();
    match (others.as_slice(), alternatives.as_array()?.len()) {
        ([only], 2) => Some((*only).clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_repository_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/contract-1.schema.json");
        let kept = std::fs::read_to_string(path).unwrap();
        let made = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        assert!(kept == made, "make it again: onnx2script schema > schemas/contract-1.schema.json");
    }

    #[test]
    fn nothing_may_be_null_and_no_format_is_rust_s() {
        let text = schema().to_string();
        assert!(!text.contains("null") && !text.contains("uint"), "{text}");
    }
}
