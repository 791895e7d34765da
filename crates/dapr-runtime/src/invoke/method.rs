//! The method of an invocation: `dapr/pkg/messaging/method`.

use std::borrow::Cow;

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use crate::InvokeError;

/// Characters that Go's `URL.EscapedPath` escapes when it encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// Unescaped characters of a valid path, besides letters and digits.
const PLAIN: &[u8] = b"-_.~$&+,/:;=@!'()*[]";

/// Marks a request whose method is not UTF-8.
///
/// It cannot be sent to another application, since between sidecars a method is text.
#[derive(Clone, Copy, Debug)]
pub struct NotUtf8;

/// Builds the path and query of a method, as Go's client sends them.
///
/// The path is already decoded; it is cleaned of dots and checked for characters with a special meaning. Escapes in it
/// stay: to have `%2F` arrive, send `%252F`.
///
/// # Errors
/// When it contains such a character.
pub fn method_path(method: &[u8], query: Option<&str>) -> Result<PathAndQuery, InvokeError> {
    let illegal = |why| InvokeError::Channel(format!("rpc error: code = InvalidArgument desc = {why}").into());
    path_and_query(method, query).map_err(illegal)
}

/// Builds the path of an application's own route, such as that of an input binding. The route may have a query.
///
/// # Errors
/// When the route is not a valid path.
pub fn app_path(route: &str) -> Result<PathAndQuery, String> {
    let (path, query) = route.split_once('?').map_or((route, None), |(path, query)| (path, Some(query)));
    path_and_query(path.as_bytes(), query)
}

fn path_and_query(method: &[u8], query: Option<&str>) -> Result<PathAndQuery, String> {
    // Dapr cleans the path before it checks it.
    let cleaned = clean_bytes(&[b"/", method].concat());
    let shown = || String::from_utf8_lossy(&cleaned).trim_start_matches('/').to_owned();
    if cleaned.iter().any(|byte| matches!(byte, b'#' | b'?' | b'\0')) {
        return Err(format!("invalid method: method contains forbidden character: {:?}", shown()));
    }
    if let Some(position) = cleaned.iter().position(|byte| *byte < b' ' || *byte == 0x7f) {
        let (position, shown) = (position.saturating_sub(1), shown());
        return Err(format!("invalid method: method contains control character at position {position}: {shown:?}"));
    }
    let mut text = escaped(&cleaned);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        text.push('?');
        text.push_str(query);
    }
    PathAndQuery::try_from(text).map_err(|error| error.to_string())
}

/// Escapes a path as Go's client does (`net/url`: `URL.setPath`, then `EscapedPath`).
///
/// A valid encoding stays unchanged; any other path is decoded and encoded anew. A percent sign that starts no escape,
/// which Go rejects, is encoded.
fn escaped(path: &[u8]) -> String {
    let is_escape = |at: usize| path.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let is_valid = |(at, byte): (usize, &u8)| match byte {
        b'%' => is_escape(at),
        byte => byte.is_ascii_alphanumeric() || PLAIN.contains(byte),
    };
    if path.iter().enumerate().all(is_valid) {
        return path.iter().copied().map(char::from).collect();
    }
    let decoded: Vec<u8> = percent_decode(path).collect();
    percent_encode(&decoded, ENCODED).to_string()
}

/// Cleans an absolute path like Go's `path.Clean`: no empty segments, no dots, no trailing slash.
#[must_use]
pub fn clean(path: &str) -> Cow<'_, str> {
    let plain = !path.contains("//") && !path.contains("/.") && !path.ends_with('/') && path.starts_with('/');
    if plain {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    Cow::Owned(format!("/{}", kept.join("/")))
}

/// Cleans a path that may not be UTF-8.
fn clean_bytes(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    [b"/", kept.join(&b'/').as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(method: impl AsRef<[u8]>, query: Option<&str>) -> Result<String, String> {
        path_and_query(method.as_ref(), query).map(|path| path.to_string())
    }

    #[test]
    fn method_is_cleaned_and_encoded() {
        assert_eq!(path("a b/../c", Some("q=%2F")).unwrap(), "/c?q=%2F");
        assert_eq!(path("", None).unwrap(), "/");
        assert_eq!(path("../../x/", Some("")).unwrap(), "/x");
        assert_eq!(path("caf\u{e9}", None).unwrap(), "/caf%C3%A9");
        assert!(path("a\0b", None).is_err() && path("a?b", None).is_err() && path("a#b", None).is_err());
        assert!(path("a\tb", None).unwrap_err().contains("at position 1"));
    }

    #[test]
    fn method_is_escaped_as_by_gos_client() {
        for (method, sent) in [
            ("a%2Fb", "/a%2Fb"),
            ("file%23.json", "/file%23.json"),
            ("a!b[c]", "/a!b[c]"),
            ("a b!", "/a%20b%21"),
            // An invalid encoding is decoded before it is encoded.
            ("a%2Fb c", "/a/b%20c"),
            ("100%", "/100%25"),
            ("a%zz", "/a%25zz"),
        ] {
            assert_eq!(path(method, None).unwrap(), sent, "{method}");
        }
        assert_eq!(path(b"a\xFFb", None).unwrap(), "/a%FFb");
    }

    #[test]
    fn route_may_have_a_query() {
        assert_eq!(app_path("custom/path?x=1").unwrap(), "/custom/path?x=1");
        assert_eq!(app_path("/custom").unwrap(), "/custom");
    }
}
