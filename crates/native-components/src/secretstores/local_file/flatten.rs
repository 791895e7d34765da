//! A tree of JSON as a flat list of names and texts, in the way of Dapr's file store, quirks included.

use building_blocks::secret::SecretValues;
use serde_json::{Number, Value};

/// Two values of the file have the same flat name. (Dapr keeps whichever it meets first, in no fixed order.)
#[derive(Debug, thiserror::Error)]
#[error("two values have the name {0:?}")]
pub(super) struct DuplicateKey(String);

/// The values of `tree` by their paths, joined by `separator`; the items of an array count from 0.
pub(super) fn flatten(tree: &Value, separator: &str) -> Result<SecretValues, DuplicateKey> {
    let mut values = SecretValues::new();
    // A stack of its own instead of recursion: depth is limited by the parser alone.
    let mut pending = vec![(String::new(), tree)];
    while let Some((path, value)) = pending.pop() {
        let child = |name: &str| match path.is_empty() {
            true => name.to_owned(),
            false => format!("{path}{separator}{name}"),
        };
        match value {
            Value::Object(object) => pending.extend(object.iter().map(|(name, value)| (child(name), value))),
            Value::Array(items) => {
                pending.extend(items.iter().enumerate().map(|(index, item)| (child(&index.to_string()), item)));
            }
            leaf => {
                if values.insert(path.clone(), text(leaf).into()).is_some() {
                    return Err(DuplicateKey(path));
                }
            }
        }
    }
    Ok(values)
}

/// What Go's `%s` makes of a value: a string as it is, and a complaint about anything else.
fn text(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => text.clone(),
        Value::Bool(value) => format!("%!s(bool={value})"),
        Value::Number(number) => format!("%!s(float64={})", go_float(number)),
        _ => "%!s(<nil>)".to_owned(),
    }
}

/// A number as Go's `%v` prints a `float64`: shortest, with an exponent below 1e-4 and from 1e21 on.
fn go_float(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    if value == 0.0 || (1e-4..1e21).contains(&value.abs()) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(tree: Value) -> Vec<(String, String)> {
        flatten(&tree, ":").unwrap().into_iter().map(|(key, value)| (key, value.expose().to_owned())).collect()
    }

    #[test]
    fn arrays_are_flattened_by_index() {
        let flat = check(json!({"a": ["x", {"b": "y"}], "empty": {}, "none": []}));
        assert_eq!(flat, [("a:0".into(), "x".into()), ("a:1:b".into(), "y".into())]);
    }

    #[test]
    fn what_is_no_string_comes_out_as_gos_complaint() {
        for (value, text) in [
            (json!(5), "%!s(float64=5)"),
            (json!(1.5), "%!s(float64=1.5)"),
            (json!(1e21), "%!s(float64=1e+21)"),
            (json!(0.00001), "%!s(float64=1e-05)"),
            (json!(true), "%!s(bool=true)"),
            (json!(null), "%!s(<nil>)"),
        ] {
            assert_eq!(check(json!({"k": value})), [("k".into(), text.into())]);
        }
    }

    #[test]
    fn two_values_of_one_name_are_refused() {
        let error = flatten(&json!({"a": {"b": "1"}, "a:b": "2"}), ":").unwrap_err();
        assert_eq!(error.to_string(), "two values have the name \"a:b\"");
    }
}
