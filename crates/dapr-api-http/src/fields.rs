//! Reads JSON objects as Go does: field names match in any case, `null` counts as absent.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use go_compat::JsonError;

type Result<T> = std::result::Result<T, JsonError>;

/// Go library whose JSON-to-struct errors are reproduced.
#[derive(Clone, Copy)]
enum Dialect {
    /// `encoding/json`.
    Json,
    /// `mapstructure`, which reads maps decoded from JSON.
    MapStructure,
}

/// Fields of one object, read by name.
pub(crate) struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    /// Path of the object: Go's name of the outermost struct, and the fields below it.
    path: String,
    dialect: Dialect,
}

/// Reads `value`, which must be an object; `null` is an object without fields.
///
/// `kind` is its type in Go's errors.
pub(crate) fn fields<'a>(value: &'a Value, kind: &str) -> Result<Fields<'a>> {
    let path = kind.rsplit('.').next().unwrap_or(kind).to_owned();
    match value {
        Value::Object(object) => Ok(Fields { object: Some(object), path, dialect: Dialect::Json }),
        Value::Null => Ok(Fields { object: None, path, dialect: Dialect::Json }),
        other => Err(go_compat::mismatch(other, kind)),
    }
}

/// Reads a value that Dapr passes to `mapstructure`.
pub(crate) fn mapped(value: Option<&Value>) -> Result<Fields<'_>> {
    let found = |object| Ok(Fields { object, path: String::new(), dialect: Dialect::MapStructure });
    match value {
        Some(Value::Object(object)) => found(Some(object)),
        None | Some(Value::Null) => found(None),
        Some(other) => Err(decoding(&format!("'' expected a map, got '{}'", go_kind(other)))),
    }
}

/// Reads the items of `value`, which must be an array or `null`.
pub(crate) fn items<'a>(value: &'a Value, kind: &str) -> Result<&'a [Value]> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(&[]),
        other => Err(go_compat::mismatch(other, kind)),
    }
}

impl<'a> Fields<'a> {
    /// Returns the value of `name`, unless it is absent or `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        let object = self.object?;
        let in_any_case = || object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        object.get(name).or_else(in_any_case).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong(name, other, "string")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.wrong(name, value, "int")),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, item, "string")))
                .collect(),
            Some(other) => Err(self.wrong(name, other, "[]string")),
        }
    }

    pub(crate) fn map(&self, name: &str) -> Result<BTreeMap<String, String>> {
        match self.get(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) => Ok((key.clone(), text.clone())),
                    Value::Null => Ok((key.clone(), String::new())),
                    other => Err(self.wrong(name, other, "string")),
                })
                .collect(),
            Some(other) => Err(self.wrong(name, other, "map[string]string")),
        }
    }

    /// Reads a nested object; `kind` is its type in Go's errors.
    pub(crate) fn object(&self, name: &str, kind: &str) -> Result<Self> {
        let object = match self.get(name) {
            None => None,
            Some(Value::Object(object)) => Some(object),
            Some(other) => return Err(self.wrong(name, other, kind)),
        };
        Ok(Self { object, path: self.below(name), dialect: self.dialect })
    }

    /// Reads a nested array; `kind` is its type in Go's errors.
    pub(crate) fn list(&self, name: &str, kind: &str) -> Result<&'a [Value]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(name, other, kind)),
        }
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { field_name(name) } else { format!("{}.{name}", self.path) }
    }

    fn wrong(&self, name: &str, value: &Value, expected: &str) -> JsonError {
        match self.dialect {
            Dialect::Json => JsonError(format!(
                "json: cannot unmarshal {} into Go struct field {} of type {expected}",
                go_compat::kind(value),
                self.below(name),
            )),
            Dialect::MapStructure => decoding(&format!(
                "'{}' expected type '{expected}', got unconvertible type '{}', value: '{}'",
                self.below(name),
                go_kind(value),
                shown(value),
            )),
        }
    }
}

fn decoding(what: &str) -> JsonError {
    JsonError(format!("1 error(s) decoding:\n\n* {what}"))
}

/// Converts a JSON name to the field name of Go's struct.
fn field_name(name: &str) -> String {
    if name == "etag" {
        return "ETag".to_owned();
    }
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Formats a value like Go's `%v`, approximately, for an error.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
            format!("map[{}]", members.join(" "))
        }
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}
