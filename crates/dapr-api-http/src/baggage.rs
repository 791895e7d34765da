//! Parses W3C Baggage as OpenTelemetry's Go library does (`baggage.go`, `Parse`), with its error texts.

use http::HeaderMap;
use http::header::HeaderName;

pub(crate) const NAME: HeaderName = HeaderName::from_static("baggage");

/// Joins the baggage of a request into one text, or lists all errors in it.
pub(crate) fn parse(headers: &HeaderMap) -> Result<Option<String>, String> {
    let values: Vec<_> = headers.get_all(NAME).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let text = values.join(",");
    if text.is_empty() {
        return Ok(None);
    }
    let wrong: Vec<String> = text.split(',').filter_map(|member| check(member).err()).collect();
    if wrong.is_empty() { Ok(Some(text)) } else { Err(wrong.join("\n")) }
}

fn check(member: &str) -> Result<(), String> {
    let (pair, properties) = member.split_once(';').unwrap_or((member, ""));
    for property in properties.split(';').filter(|property| !property.is_empty()) {
        if !is_property(property) {
            return Err(format!("invalid baggage list-member property: {property:?}"));
        }
    }
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("invalid baggage list-member: {member:?}"))?;
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(is_key_byte) {
        return Err(format!("invalid key: {key:?}"));
    }
    if !value.trim().bytes().all(is_value_byte) {
        return Err(format!("invalid value: {value:?}"));
    }
    match bad_escape(value.trim()) {
        Some(escape) => Err(format!("invalid value: invalid URL escape {escape:?}")),
        None => Ok(()),
    }
}

/// Returns whether the text is `key`, or `key=value` with a possibly empty value.
fn is_property(property: &str) -> bool {
    let blank = [' ', '\t'];
    let (key, value) = property.split_once('=').unwrap_or((property, ""));
    let (key, value) = (key.trim_matches(blank), value.trim_matches(blank));
    !key.is_empty() && key.bytes().all(is_key_byte) && value.bytes().all(is_value_byte) && bad_escape(value).is_none()
}

/// Finds the first percent sign that starts no escape; returns the text from there.
fn bad_escape(text: &str) -> Option<&str> {
    text.match_indices('%').map(|(at, _)| text.get(at..).unwrap_or_default()).find_map(|rest| {
        let escape = rest.get(..3).unwrap_or(rest);
        let is_good = escape.len() == 3 && escape.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit());
        (!is_good).then_some(escape)
    })
}

/// RFC 9110, `token`.
fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// W3C Baggage, `baggage-octet`.
fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(values: &[&'static str]) -> Result<Option<String>, String> {
        parse(&values.iter().map(|value| (NAME, http::HeaderValue::from_static(value))).collect())
    }

    #[test]
    fn baggage_of_several_headers_is_one() {
        assert_eq!(parsed(&["a=1;p;q = 2 ", "b=%20"]), Ok(Some("a=1;p;q = 2 ,b=%20".to_owned())));
        assert_eq!((parsed(&[]), parsed(&[""])), (Ok(None), Ok(None)));
    }

    #[test]
    fn all_baggage_errors_are_reported() {
        let wrong = parsed(&["novalue,a b=1,c=x y,d=%zz,e=1;="]).unwrap_err();
        let expected = "invalid baggage list-member: \"novalue\"\ninvalid key: \"a b\"\ninvalid value: \"x y\"\n\
                        invalid value: invalid URL escape \"%zz\"\ninvalid baggage list-member property: \"=\"";
        assert_eq!(wrong, expected);
    }
}
