//! Decoding (`encoding/json/{scanner,decode,stream}.go`).
//!
//! Lone surrogates and invalid UTF-8 bytes are accepted; each becomes U+FFFD.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Limit on nesting, since values are read, written and dropped recursively. Go's own limit is 10,000.
const MAX_DEPTH: usize = 500;

/// Decoding error, with Go's error text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(pub String);

type Result<T> = std::result::Result<T, JsonError>;

/// Decodes the first value in `text`, like `json.NewDecoder(text).Decode(&value)`; the rest is ignored.
///
/// `any` is the field of Go's struct with an arbitrary value: a number too large for a float64 is reported as an error
/// of this field.
///
/// # Errors
/// When there is no well-formed value.
pub fn decode(text: &[u8], any: &str) -> Result<Value> {
    let mut decoder = Decoder::new(text, any, "unexpected EOF");
    decoder.skip_space();
    if decoder.peek().is_none() {
        return Err(JsonError("EOF".to_owned()));
    }
    let value = decoder.value(0)?;
    decoder.finish(value)
}

/// Decodes `text` as one value, like `json.Unmarshal(text, &value)`.
///
/// # Errors
/// When the text is not exactly one well-formed value.
pub fn unmarshal(text: &[u8]) -> Result<Value> {
    let mut decoder = Decoder::new(text, "", "unexpected end of JSON input");
    let value = decoder.value(0)?;
    decoder.skip_space();
    match decoder.peek() {
        None => decoder.finish(value),
        Some(other) => Err(invalid(other, "after top-level value")),
    }
}

/// Decodes the first value in `text`, like a `json.Decoder` with `UseNumber`: numbers keep their text.
///
/// # Errors
/// When there is no well-formed value.
pub fn decode_precise(text: &[u8]) -> Result<Precise> {
    let mut decoder = Decoder::new(text, "", "unexpected EOF");
    decoder.numbers = Some(Vec::new());
    decoder.skip_space();
    if decoder.peek().is_none() {
        return Err(JsonError("EOF".to_owned()));
    }
    let value = decoder.value(0)?;
    Ok(Precise { value, numbers: decoder.numbers.unwrap_or_default() })
}

/// A value whose numbers keep their text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precise {
    /// The value. A number in it is an index into `numbers`.
    value: Value,
    numbers: Vec<String>,
}

impl Precise {
    /// Creates a value that is text.
    #[must_use]
    pub fn text(text: String) -> Self {
        Self { value: Value::String(text), numbers: Vec::new() }
    }

    /// Returns the kind of the value in Go's errors.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        kind(&self.value)
    }

    /// Returns the members of an object, whose numbers have no meaning by themselves.
    pub fn members(&mut self) -> Option<&mut Map<String, Value>> {
        self.value.as_object_mut()
    }

    /// Puts the value into `members`, which have no numbers, and returns them.
    #[must_use]
    pub fn into_member(self, name: &str, mut members: Map<String, Value>) -> Self {
        members.insert(name.to_owned(), self.value);
        Self { value: Value::Object(members), numbers: self.numbers }
    }

    /// Encodes the value as Go's `json.Marshal` does.
    #[must_use]
    pub fn write(&self) -> String {
        crate::encode::write_with(&self.value, &self.numbers)
    }
}

/// Returns the error for a value whose kind does not match its Go type.
#[must_use]
pub fn mismatch(value: &Value, expected: &str) -> JsonError {
    JsonError(format!("json: cannot unmarshal {} into Go value of type {expected}", kind(value)))
}

/// Returns the name of a value's kind in Go's errors.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

struct Decoder<'a> {
    text: &'a [u8],
    at: usize,
    any: &'a str,
    /// Error text for an unexpected end of the text.
    eof_message: &'static str,
    too_large: Option<JsonError>,
    /// Texts of the numbers so far, where they are kept.
    numbers: Option<Vec<String>>,
}

impl<'a> Decoder<'a> {
    fn new(text: &'a [u8], any: &'a str, eof_message: &'static str) -> Self {
        Self { text, at: 0, any, eof_message, too_large: None, numbers: None }
    }

    /// Returns `value`, or the error of a number too large. Go checks types only after the whole value is well formed.
    fn finish(self, value: Value) -> Result<Value> {
        match self.too_large {
            Some(error) => Err(error),
            None => Ok(value),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Returns the next byte, or an error at the end.
    fn next(&mut self) -> Result<u8> {
        let byte = self.peek().ok_or_else(|| JsonError(self.eof_message.to_owned()))?;
        self.at += 1;
        Ok(byte)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn next_token(&mut self) -> Result<u8> {
        self.skip_space();
        self.next()
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(JsonError("exceeded max depth".to_owned()));
        }
        match self.next_token()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::String),
            b't' => self.literal("true").map(|()| Value::Bool(true)),
            b'f' => self.literal("false").map(|()| Value::Bool(false)),
            b'n' => self.literal("null").map(|()| Value::Null),
            first @ (b'-' | b'0'..=b'9') => self.number(first),
            other => Err(invalid(other, "looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        let mut members = Map::new();
        let mut first = true;
        loop {
            match self.next_token()? {
                b'}' if first => break,
                b'"' => {}
                other => return Err(invalid(other, "looking for beginning of object key string")),
            }
            first = false;
            let name = self.string()?;
            match self.next_token()? {
                b':' => {}
                other => return Err(invalid(other, "after object key")),
            }
            let value = self.value(depth + 1)?;
            members.insert(name, value);
            match self.next_token()? {
                b',' => {}
                b'}' => break,
                other => return Err(invalid(other, "after object key:value pair")),
            }
        }
        Ok(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.next_token()? {
                b',' => {}
                b']' => return Ok(Value::Array(items)),
                other => return Err(invalid(other, "after array element")),
            }
        }
    }

    /// Reads the rest of `word`, whose first letter has been read.
    fn literal(&mut self, word: &str) -> Result<()> {
        for expected in word.bytes().skip(1) {
            let found = self.next()?;
            if found != expected {
                return Err(invalid(found, &format!("in literal {word} (expecting {})", quote(expected))));
            }
        }
        Ok(())
    }

    fn number(&mut self, first: u8) -> Result<Value> {
        let start = self.at - 1;
        let lead = if first == b'-' { self.next()? } else { first };
        match lead {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            other => return Err(invalid(other, "in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.at_least_one_digit("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.at_least_one_digit("in exponent of numeric literal")?;
        }
        let text = self.text.get(start..self.at).and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default();
        if let Some(numbers) = &mut self.numbers {
            numbers.push(text.to_owned());
            return Ok(Value::from(numbers.len() - 1));
        }
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() && self.too_large.is_none() {
            let any = self.any;
            let message = format!("json: cannot unmarshal number {text} into Go struct field {any} of type float64");
            self.too_large = Some(JsonError(message));
        }
        // Integers stay exact for integer fields; arbitrary values become a float64 later, as in Go.
        let exact = text.parse::<i64>().ok().filter(|_| text != "-0").map(Number::from);
        let exact = exact.or_else(|| text.parse::<u64>().ok().map(Number::from));
        let number = exact.or_else(|| Number::from_f64(number.unwrap_or_default()));
        Ok(number.map_or(Value::Null, Value::Number))
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn at_least_one_digit(&mut self, place: &str) -> Result<()> {
        match self.next()? {
            b'0'..=b'9' => {
                self.digits();
                Ok(())
            }
            other => Err(invalid(other, place)),
        }
    }

    /// Reads a string whose opening quote has been read.
    fn string(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.escape(&mut bytes)?,
                control @ ..b' ' => return Err(invalid(control, "in string literal")),
                other => bytes.push(other),
            }
        }
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| replace_invalid(error.as_bytes())))
    }

    fn escape(&mut self, into: &mut Vec<u8>) -> Result<()> {
        into.push(match self.next()? {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            same @ (b'"' | b'\\' | b'/') => same,
            b'u' => {
                let unit = self.hex()?;
                let character = self.character(unit)?;
                into.extend(character.encode_utf8(&mut [0; 4]).bytes());
                return Ok(());
            }
            other => return Err(invalid(other, "in string escape code")),
        });
        Ok(())
    }

    /// Decodes the character that begins with `unit`. A lone surrogate is U+FFFD, and the following text is read
    /// separately.
    fn character(&mut self, unit: u32) -> Result<char> {
        let is_high = (0xd800..0xdc00).contains(&unit);
        if is_high && self.text.get(self.at..self.at + 2) == Some(b"\\u".as_slice()) {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.next()?;
            let digit = char::from(byte).to_digit(16);
            unit = unit * 16 + digit.ok_or_else(|| invalid(byte, "in \\u hexadecimal character escape"))?;
        }
        Ok(unit)
    }
}

fn invalid(byte: u8, place: &str) -> JsonError {
    JsonError(format!("invalid character {} {place}", quote(byte)))
}

/// Formats a byte as Go's scanner does: a Latin-1 character in single quotes.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        7 => r"'\a'".to_owned(),
        8 => r"'\b'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        11 => r"'\v'".to_owned(),
        12 => r"'\f'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        0..=31 | 127 => format!(r"'\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!(r"'\u{byte:04x}'"),
        other => format!("'{}'", char::from(other)),
    }
}

/// Replaces each invalid byte, as Go does; Rust would replace each invalid sequence.
fn replace_invalid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = text.write_char(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: &Value) {
        assert_eq!(decode(text.as_bytes(), "T.value").as_ref(), Ok(expected), "{text}");
    }

    fn fails(text: &[u8], expected: &str) {
        assert_eq!(decode(text, "T.value").unwrap_err().to_string(), expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn all_kinds_are_decoded_and_the_rest_ignored() {
        check(
            r#" {"a": [1, -2.5, 1e3, "x\n\u00e4\ud83d\ude00"], "b": {}, "c": [ ]} rest"#,
            &json!({
                "a": [1, -2.5, 1000.0, "x\nä😀"], "b": {}, "c": [],
            }),
        );
        check("true", &json!(true));
        check("null x", &Value::Null);
        assert_eq!(decode(b"-0", "").unwrap().as_f64().map(f64::is_sign_negative), Some(true));
    }

    #[test]
    fn lone_surrogates_and_invalid_bytes_are_replaced() {
        check(r#""\ud83d""#, &json!("\u{fffd}"));
        check(r#""\ud83d\u0041""#, &json!("\u{fffd}A"));
        assert_eq!(decode(b"\"\xff\xfe\"", "").unwrap(), json!("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn errors_have_go_texts() {
        fails(b"  ", "EOF");
        fails(b"[1", "unexpected EOF");
        fails(b"[1,]", "invalid character ']' looking for beginning of value");
        fails(b"['a']", r"invalid character '\'' looking for beginning of value");
        fails(b"{a:1}", "invalid character 'a' looking for beginning of object key string");
        fails(br#"{"a" 1}"#, "invalid character '1' after object key");
        fails(br#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair");
        fails(b"[1 2]", "invalid character '2' after array element");
        fails(b"tru!", "invalid character '!' in literal true (expecting 'e')");
        fails(b"-x", "invalid character 'x' in numeric literal");
        fails(b"1.x", "invalid character 'x' after decimal point in numeric literal");
        fails(b"1e+x", "invalid character 'x' in exponent of numeric literal");
        fails(b"\"a\nb\"", r"invalid character '\n' in string literal");
        fails(br#""\x""#, "invalid character 'x' in string escape code");
        fails(br#""\u12g4""#, r"invalid character 'g' in \u hexadecimal character escape");
        fails("ä".as_bytes(), "invalid character 'Ã' looking for beginning of value");
        fails(b"[1e999]", "json: cannot unmarshal number 1e999 into Go struct field T.value of type float64");
    }

    #[test]
    fn unmarshal_requires_exactly_one_value() {
        assert_eq!(unmarshal(b" [1] "), Ok(json!([1])));
        let said = |text: &[u8]| unmarshal(text).unwrap_err().to_string();
        assert_eq!(said(b""), "unexpected end of JSON input");
        assert_eq!(said(b"[1"), "unexpected end of JSON input");
        assert_eq!(said(b"[1] x"), "invalid character 'x' after top-level value");
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(decode(nested(MAX_DEPTH).as_bytes(), "").is_ok());
        fails(nested(100_000).as_bytes(), "exceeded max depth");
    }
}
