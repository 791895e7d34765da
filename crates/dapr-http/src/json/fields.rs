//! Reading objects as Go does: field names match in any case, `null` counts as absent, a wrong type is an error.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::ApiError;

/// The fields of one object, to be read by name.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    kind: &'static str,
}

/// `value`, which must be an object; `kind` is what Go calls it in its errors.
pub(crate) fn fields<'a>(value: &'a Value, kind: &'static str) -> Result<Fields<'a>, ApiError> {
    match value {
        Value::Object(object) => Ok(Fields { object, kind }),
        other => Err(ApiError::malformed(format_args!(
            "json: cannot unmarshal {} into Go value of type {kind}",
            kind_of(other)
        ))),
    }
}

impl<'a> Fields<'a> {
    /// The value of `name`, unless it is absent or `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        let exact = self.object.get(name);
        exact
            .or_else(|| self.object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
            .filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong(name, other, "string")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.wrong(name, value, "int")),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, ApiError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, item, "string")))
                .collect(),
            Some(other) => Err(self.wrong(name, other, "[]string")),
        }
    }

    pub(crate) fn map(&self, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
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

    fn wrong(&self, name: &str, value: &Value, expected: &str) -> ApiError {
        ApiError::malformed(format_args!(
            "json: cannot unmarshal {} into Go struct field {}.{name} of type {expected}",
            kind_of(value),
            self.kind.rsplit('.').next().unwrap_or(self.kind),
        ))
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
