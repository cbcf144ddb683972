//! What a model's metadata calls its classes.
//!
//! ONNX has no field for it; people write `classes`, `labels` or `names` beside the graph, as JSON, as Python prints
//! lists and dictionaries (`{0: 'cat', 1: 'dog'}`), or with commas or lines between.

use serde_json::Value;

use super::Labels;

/// Keys under which labels are found, the first one that holds some.
const KEYS: [&str; 5] = ["labels", "classes", "class_names", "class_labels", "names"];

/// The labels that metadata give to `classes` classes; a note where there are some that do not fit.
pub(super) fn labels(metadata: &[(String, String)], classes: usize) -> (Labels, Option<String>) {
    let entry = |key: &&str| metadata.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
    let Some((key, text)) = KEYS.iter().find_map(entry).filter(|_| classes > 0) else { return (Labels::Indices, None) };
    let labels = parse(text);
    if labels.len() == classes {
        return (Labels::Strings(labels), None);
    }
    let count = labels.len();
    (
        Labels::Indices,
        Some(format!("the metadata's `{key}` hold {count} labels for {classes} classes: they are not used")),
    )
}

fn parse(text: &str) -> Vec<String> {
    let value = serde_json::from_str(text).or_else(|_| serde_json::from_str(&as_json(text)));
    match value {
        Ok(Value::Array(items)) => items.iter().map(word).collect(),
        Ok(Value::Object(entries)) => {
            let by_index = |index: usize| entries.get(&index.to_string()).map(word);
            (0..entries.len()).map_while(by_index).collect()
        }
        _ => text.split([',', '\n']).map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect(),
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Python's print of a list or a dictionary as JSON: other quotes, and numbers for keys.
fn as_json(text: &str) -> String {
    let quoted = text.replace('\'', "\"");
    let mut json = String::new();
    for piece in quoted.split_inclusive([',', '{']) {
        match piece.trim_start().split_once(':') {
            Some((key, rest)) if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) => {
                json += &format!("\"{key}\":{rest}");
            }
            _ => json += piece,
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_however_they_are_written() {
        for text in [
            "[\"cat\", \"dog\"]",
            "['cat', 'dog']",
            "{0: 'cat', 1: 'dog'}",
            "{\"1\":\"dog\",\"0\":\"cat\"}",
            "cat,dog",
            "cat\n dog\n",
        ] {
            let metadata = [("author".to_owned(), "me".to_owned()), ("Names".to_owned(), text.to_owned())];
            let expected = Labels::Strings(vec!["cat".into(), "dog".into()]);
            assert_eq!(labels(&metadata, 2), (expected, None), "{text}");
        }
        let numbers = [("classes".to_owned(), "[3, 7]".to_owned())];
        assert_eq!(labels(&numbers, 2).0, Labels::Strings(vec!["3".into(), "7".into()]));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let metadata = [("classes".to_owned(), "{0: 'cat', 2: 'dog'}".to_owned())];
        let (found, note) = labels(&metadata, 3);
        assert_eq!(found, Labels::Indices);
        assert!(note.unwrap().contains("hold 1 labels for 3 classes"));
        assert_eq!(labels(&metadata, 0), (Labels::Indices, None));
        assert_eq!(labels(&[], 3), (Labels::Indices, None));
    }
}
