//! Encoding: object keys sorted, every number a float64, `<`, `>` and `&` escaped (`encoding/json/encode.go`).

use std::fmt::Write as _;

use serde_json::Value;

/// Encodes `value` as Go's `json.Marshal` encodes an `any`.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    put(&mut out, value, None);
    out
}

/// Encodes `value`, in which a number is an index into `numbers`.
pub(crate) fn write_with(value: &Value, numbers: &[String]) -> String {
    let mut out = String::new();
    put(&mut out, value, Some(numbers));
    out
}

/// Rewrites valid JSON as Go's encoder writes a `json.RawMessage`.
///
/// Removes white space between tokens, escapes HTML, and adds the encoder's line ending.
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

fn put(out: &mut String, value: &Value, numbers: Option<&[String]>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match numbers {
            Some(numbers) => {
                let index = number.as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX);
                out.push_str(numbers.get(index).map_or("0", String::as_str));
            }
            None => put_number(out, number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => put_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put(out, item, numbers);
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
                put(out, member, numbers);
            }
            out.push('}');
        }
    }
}

/// Writes a number as `floatEncoder` in `encoding/json/encode.go`: as in ECMAScript, with exponents like `e-09`
/// shortened to `e-9`.
///
/// Of the shortest decimals for the number, Go takes the closest, and of two equally close ones the even one. So does
/// ryu; the standard library takes the larger one.
fn put_number(out: &mut String, number: f64) {
    if number.is_sign_negative() {
        out.push('-');
    }
    let size = number.abs();
    if size == 0.0 {
        out.push('0');
        return;
    }
    let (digits, point) = shortest(size);
    if (1e-6..1e21).contains(&size) {
        put_plain(out, &digits, point);
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        // Writing to a string cannot fail.
        let _ = write!(out, "{first}{dot}{rest}e{:+}", point - 1);
    }
}

/// Writes digits with the decimal point after `point` of them, which may be negative.
fn put_plain(out: &mut String, digits: &str, point: i32) {
    let zeros = |count: i32| (0..count).map(|_| '0');
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    match usize::try_from(point).ok().filter(|point| *point > 0) {
        None => {
            out.push_str("0.");
            out.extend(zeros(-point));
            out.push_str(digits);
        }
        Some(point) if point < digits.len() => {
            let (whole, rest) = digits.split_at(point);
            out.push_str(whole);
            out.push('.');
            out.push_str(rest);
        }
        Some(_) => {
            out.push_str(digits);
            out.extend(zeros(point - count));
        }
    }
}

/// Returns a positive number's shortest digits, and the position of the decimal point.
///
/// The digits have no surrounding zeros.
fn shortest(number: f64) -> (String, i32) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, rest].concat();
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let point = i32::try_from(whole.len()).unwrap_or(0) - i32::try_from(leading).unwrap_or(0);
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (digits.trim_matches('0').to_owned(), point + exponent)
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
    fn raw_values_lose_white_space_outside_strings() {
        assert_eq!(compact(r#"{ "a" : " \" x ", "b":[1, 2] }"#), "{\"a\":\" \\\" x \",\"b\":[1,2]}\n");
    }

    #[test]
    fn numbers_are_floats() {
        check("[1, 1.0, 0.1, -0.0, 100000000000000000000]", "[1,1,0.1,-0,100000000000000000000]");
        check(
            "[1e21, 1e-7, 12345678901234567890, 9007199254740993]",
            "[1e+21,1e-7,12345678901234567000,9007199254740992]",
        );
        check("[1.5e300, 1.25e-10, 0.000001, 123456.75, -0.5]", "[1.5e+300,1.25e-10,0.000001,123456.75,-0.5]");
    }

    #[test]
    fn number_between_two_decimals_becomes_the_even_one() {
        check("123456789012345.123456", "123456789012345.12");
    }
}
