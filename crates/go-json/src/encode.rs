//! Writing: object keys sorted, every number a float64, `<`, `>` and `&` escaped (`encoding/json/encode.go`).

use std::fmt::Write as _;

use serde_json::Value;

/// Writes `value` as Go's `json.Marshal` writes an `any`.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    put(&mut out, value);
    out
}

/// Rewrites valid JSON as Go's encoder passes a `json.RawMessage` on: no white space between tokens, HTML escaped, and
/// the line end that the encoder adds.
#[must_use]
pub fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            ' ' | '\n' | '\r' | '\t' if !quoted => continue,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = character == '\\' && quoted && !escaped;
    }
    out.push('\n');
    out
}

fn put(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => put_number(out, number.as_f64().unwrap_or_default()),
        Value::String(text) => put_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put_string(out, name);
                out.push(':');
                put(out, member);
            }
            out.push('}');
        }
    }
}

/// `encoding/json/encode.go`, `floatEncoder`: as ECMAScript does, but with at least two digits of exponent cut to one.
fn put_number(out: &mut String, number: f64) {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        let text = match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
        out.push_str(&text);
    } else if number == 0.0 && number.is_sign_negative() {
        out.push_str("-0");
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "{number}");
    }
}

fn put_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, expected: &str) {
        assert_eq!(write(&serde_json::from_str(given).unwrap()), expected);
    }

    #[test]
    fn keys_are_sorted_and_html_is_escaped() {
        check(r#"{"b": 1, "a": "<x> & \u2028 é"}"#, r#"{"a":"\u003cx\u003e \u0026 \u2028 é","b":1}"#);
        check(r#""\b\f\n\r\t\u0001\"\\""#, r#""\b\f\n\r\t\u0001\"\\""#);
    }

    #[test]
    fn raw_values_lose_white_space_outside_strings_only() {
        assert_eq!(compact(r#"{ "a" : " \" x ", "b":[1, 2] }"#), "{\"a\":\" \\\" x \",\"b\":[1,2]}\n");
    }

    #[test]
    fn numbers_are_floats() {
        check("[1, 1.0, 0.1, -0.0, 100000000000000000000]", "[1,1,0.1,-0,100000000000000000000]");
        check(
            "[1e21, 1e-7, 12345678901234567890, 9007199254740993]",
            "[1e+21,1e-7,12345678901234567000,9007199254740992]",
        );
    }
}
