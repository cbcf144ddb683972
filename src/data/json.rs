//! JSON arrays: of numbers, one sample; of arrays, a sample each, whose own nesting does not count.

use anyhow::{bail, ensure};
use serde_json::Value;

use super::format::without_mark;
use super::{Elements, Samples, shorten};

pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Samples> {
    let value = serde_json::from_slice(without_mark(bytes)).map_err(|error| anyhow::anyhow!("{error}"))?;
    let Value::Array(items) = value else { bail!("it holds {}, not an array", describe(&value)) };
    let mut floats = Vec::new();
    if !items.first().is_some_and(Value::is_array) {
        for (index, item) in items.iter().enumerate() {
            floats.push(number(item, &[index])?);
        }
        return Samples::new(&[1, items.len()], Elements::Floats(floats));
    }
    let mut sample_len = 0;
    for (index, item) in items.iter().enumerate() {
        let before = floats.len();
        ensure!(item.is_array(), "element [{index}] is {}, but [0] is an array", describe(item));
        flatten(item, &mut vec![index], &mut floats)?;
        let held = floats.len() - before;
        sample_len = if index == 0 { held } else { sample_len };
        ensure!(held == sample_len, "row {index} holds {held} numbers, but row 0 {sample_len}");
    }
    Samples::new(&[items.len(), sample_len], Elements::Floats(floats))
}

/// The numbers of a value, however deep; the JSON reader bounds the depth.
fn flatten(value: &Value, path: &mut Vec<usize>, floats: &mut Vec<f64>) -> anyhow::Result<()> {
    let Value::Array(items) = value else {
        floats.push(number(value, path)?);
        return Ok(());
    };
    for (index, item) in items.iter().enumerate() {
        path.push(index);
        flatten(item, path, floats)?;
        path.pop();
    }
    Ok(())
}

/// A number; the reader refuses those that are not finite.
fn number(value: &Value, path: &[usize]) -> anyhow::Result<f64> {
    let place = || path.iter().map(|index| format!("[{index}]")).collect::<String>();
    match value.as_f64() {
        Some(number) => Ok(number),
        None => bail!("element {} is {}, not a number", place(), describe(value)),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the string \"{}\"", shorten(text)),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_samples() {
        for (text, sample_len, expected) in [
            ("[1, -2.5, 3e-3]", 3, vec![1.0, -2.5, 3e-3]),
            (" [[1, 2], [3, 4]]\n", 2, vec![1.0, 2.0, 3.0, 4.0]),
            ("\u{feff}[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]", 4, (1..=8).map(f64::from).collect()),
            ("[[0.1]]", 1, vec![0.1]),
            ("[9007199254740993, 5e-324]", 2, vec![9_007_199_254_740_992.0, 5e-324]),
        ] {
            let samples = read(text.as_bytes()).unwrap();
            assert_eq!(samples, Samples { sample_len, elements: Elements::Floats(expected) }, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let refusal = |text: &str| format!("{:#}", read(text.as_bytes()).unwrap_err());
        assert_eq!(refusal("[[1, 2], [3]]"), "row 1 holds 1 numbers, but row 0 2");
        assert_eq!(refusal("[[1, 2], 3]"), "element [1] is 3, but [0] is an array");
        assert_eq!(refusal("[1, [2]]"), "element [1] is an array, not a number");
        assert_eq!(refusal("[[[1, null]]]"), "element [0][0][1] is null, not a number");
        assert_eq!(refusal("[\"a\"]"), "element [0] is the string \"a\", not a number");
        assert_eq!(refusal("{\"a\": 1}"), "it holds an object, not an array");
        assert!(refusal("[1, NaN]").contains("line 1 column 5"));
        assert!(refusal("[1e999]").contains("out of range"));
        assert!(refusal("[1, 2").contains("line 1"));
        assert!(refusal("[]").contains("no samples") && refusal("[[], []]").contains("no samples"));
        assert!(refusal(&"[".repeat(1_000_000)).contains("recursion"));
    }
}
