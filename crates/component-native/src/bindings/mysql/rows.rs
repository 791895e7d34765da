//! Result rows in Dapr's format: a JSON array of objects keyed by column, encoded as in Go.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dapr_building_blocks::binding::BindingError;
use serde_json::{Number, Value};

use crate::sqlite::TooLarge;

/// Values of a row, by column. NULL columns are absent.
pub(super) type Row = BTreeMap<String, Value>;
pub(super) type Rows = Vec<Row>;

/// Limit on the rows of one response.
const MAX_ROWS: usize = 100_000;
/// Limit on the bytes of values and column names in one response.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Bytes counted for each value in addition to its column's name and its text.
const VALUE_OVERHEAD: usize = 32;

/// Collector of a response's rows, with limits.
#[derive(Debug, Default)]
pub(super) struct RowCollector {
    rows: Rows,
    bytes: usize,
}

impl RowCollector {
    /// Adds a row, or returns the limit that it would exceed.
    pub(super) fn push(&mut self, row: Row) -> Result<(), TooLarge> {
        if self.rows.len() >= MAX_ROWS {
            return Err(TooLarge { max: MAX_ROWS, unit: "rows" });
        }
        for (column, value) in &row {
            let text = if let Value::String(text) = value { text.len() } else { 0 };
            self.bytes = self.bytes.saturating_add(column.len() + text + VALUE_OVERHEAD);
        }
        if self.bytes > MAX_BYTES {
            return Err(TooLarge { max: MAX_BYTES, unit: "bytes" });
        }
        self.rows.push(row);
        Ok(())
    }

    pub(super) fn into_rows(self) -> Rows {
        self.rows
    }
}

/// Whole floats below this print without fraction or exponent in Go, and fit a 64-bit integer.
const LARGEST_WHOLE: f64 = 9e18;

/// Encodes rows as JSON. No rows are `null`, as for a nil slice in Go.
pub(super) fn to_json(rows: &Rows) -> Result<Bytes, BindingError> {
    if rows.is_empty() {
        return Ok(Bytes::from_static(b"null"));
    }
    let json = serde_json::to_string(rows).map_err(|error| BindingError::Other(error.into()))?;
    Ok(escape_html(json).into())
}

/// Escapes the characters that Go escapes so that JSON can be embedded in HTML.
///
/// They occur only within JSON strings.
fn escape_html(json: String) -> String {
    if !json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Encodes binary data as base64.
pub(super) fn binary(bytes: &[u8]) -> Value {
    Value::String(STANDARD.encode(bytes))
}

/// Encodes a float; values that JSON cannot represent are `null`.
pub(super) fn float(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < LARGEST_WHOLE {
        // Exact: the value is whole and in range.
        #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value) -> String {
        let rows = vec![Row::from([("k".to_owned(), value)])];
        String::from_utf8(to_json(&rows).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn no_rows_are_null() {
        assert_eq!(to_json(&Rows::new()).unwrap(), "null");
    }

    #[test]
    fn text_is_escaped_as_in_go() {
        assert_eq!(check(Value::from("<a&b>\u{2028}\"")), r#"[{"k":"\u003ca\u0026b\u003e\u2028\""}]"#);
    }

    #[test]
    fn bytes_are_base64_and_whole_floats_are_integers() {
        assert_eq!(check(binary(&[0xff, 0])), r#"[{"k":"/wA="}]"#);
        assert_eq!(check(float(3.0)), r#"[{"k":3}]"#);
        assert_eq!(check(float(0.5)), r#"[{"k":0.5}]"#);
        assert_eq!(check(float(f64::NAN)), r#"[{"k":null}]"#);
    }
}
