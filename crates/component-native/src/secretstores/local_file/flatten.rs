//! Flattening of a JSON tree to names and texts as in Dapr's file store, quirks included.

use dapr_building_blocks::secret::SecretValues;
use serde_json::{Number, Value};

/// Error for two values with the same flat name. (Dapr keeps whichever it meets first, in no fixed order.)
#[derive(Debug, thiserror::Error)]
#[error("two values have the name {0:?}")]
pub(super) struct DuplicateKey(String);

/// Flattens `tree` to values by path, joined by `separator`; array items count from 0.
pub(super) fn flatten(tree: &Value, separator: &str) -> Result<SecretValues, DuplicateKey> {
    let mut values = SecretValues::new();
    // An explicit stack instead of recursion: only the parser limits the depth.
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

/// Formats a value as Go's `%s` does.
///
/// A string is unchanged, anything else becomes a formatting error.
fn text(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => text.clone(),
        Value::Bool(value) => format!("%!s(bool={value})"),
        Value::Number(number) => format!("%!s(float64={})", go_float(number)),
        _ => "%!s(<nil>)".to_owned(),
    }
}

/// Formats a number as Go's `%v` prints a `float64`.
///
/// The shortest form, with an exponent below 1e-4 and from 1e21 on.
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
    fn values_other_than_strings_become_go_format_errors() {
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
    fn duplicate_flat_names_are_rejected() {
        let error = flatten(&json!({"a": {"b": "1"}, "a:b": "2"}), ":").unwrap_err();
        assert_eq!(error.to_string(), "two values have the name \"a:b\"");
    }
}
