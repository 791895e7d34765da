//! Parameters of a statement: a JSON array in the request's metadata.

use dapr_building_blocks::binding::BindingError;
use serde_json::Value;

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Param {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

/// Parameters, in the order of the statement's question marks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Params(pub(super) Vec<Param>);

impl Params {
    /// Parses `params`; empty if absent.
    pub(super) fn parse(json: Option<&String>) -> Result<Self, BindingError> {
        let Some(json) = json.filter(|json| !json.is_empty()) else {
            return Ok(Self::default());
        };
        let invalid = |what: String| {
            BindingError::InvalidRequest(format!(
                "invalid metadata property params: failed to unserialize into an array: {what}"
            ))
        };
        let values: Vec<Value> =
            match go_compat::unmarshal(json.as_bytes()).map_err(|error| invalid(error.to_string()))? {
                Value::Array(values) => values,
                Value::Null => Vec::new(),
                other => return Err(invalid(go_compat::mismatch(&other, "[]interface {}").to_string())),
            };
        let param =
            |(index, value)| Param::from_json(value).ok_or_else(|| invalid(format!("item {index} is no plain value")));
        values.into_iter().enumerate().map(param).collect::<Result<_, _>>().map(Self)
    }
}

impl Param {
    /// Converts a plain JSON value.
    ///
    /// Integers stay exact (in Go every number becomes a double, which loses digits of large ones).
    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(value) => Some(Self::Bool(value)),
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => {
                let int = number.as_i64().map(Self::Int).or_else(|| number.as_u64().map(Self::Unsigned));
                int.or_else(|| number.as_f64().map(Self::Float))
            }
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Params, String> {
        Params::parse(Some(&json.to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn plain_json_values_become_parameters() {
        let params = check(r#"[null, true, -1, 18446744073709551615, 1.5, "x"]"#).unwrap();
        let expected = [
            Param::Null,
            Param::Bool(true),
            Param::Int(-1),
            Param::Unsigned(u64::MAX),
            Param::Float(1.5),
            Param::Text("x".into()),
        ];
        assert_eq!(params.0, expected);
    }

    #[test]
    fn absent_or_empty_params_are_empty() {
        assert_eq!(Params::parse(None).unwrap(), Params::default());
        assert_eq!(check("").unwrap(), Params::default());
        assert_eq!(check("[]").unwrap(), Params::default());
    }

    #[test]
    fn params_other_than_plain_array_are_rejected() {
        for wrong in ["{}", "1", "[", "[[1]]", r#"[{"a":1}]"#] {
            let error = check(wrong).unwrap_err();
            assert!(error.starts_with("invalid metadata property params"), "{error}");
        }
    }
}
