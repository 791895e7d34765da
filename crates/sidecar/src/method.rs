//! The method of an invocation: `dapr/pkg/messaging/method`.

use std::borrow::Cow;

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use crate::InvokeError;

/// What Go's `URL.EscapedPath` escapes where it encodes.
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

/// What a path may have besides letters and digits and is taken as it is.
const PLAIN: &[u8] = b"-_.~$&+,/:;=@!'()*[]";

/// A request's method that is no UTF-8, which does not get to another application: between sidecars it is text.
#[derive(Clone, Copy, Debug)]
pub struct NotUtf8;

/// The path and query of a method, whose path is decoded already: without dots, free of what could mean something else further
/// on, and as Go's client sends it. Escapes that are in it stay: whoever wants `%2F` to arrive sends `%252F`.
///
/// # Errors
/// When it is not free of that.
pub fn method_path(method: &[u8], query: Option<&str>) -> Result<PathAndQuery, InvokeError> {
    let illegal = |why| InvokeError::Channel(format!("rpc error: code = InvalidArgument desc = {why}").into());
    path_and_query(method, query).map_err(illegal)
}

/// The path of an application's own route, such as that of an input binding, which may have a query.
///
/// # Errors
/// When nothing can be asked for it.
pub fn app_path(route: &str) -> Result<PathAndQuery, String> {
    let (path, query) = route.split_once('?').map_or((route, None), |(path, query)| (path, Some(query)));
    path_and_query(path.as_bytes(), query)
}

fn path_and_query(method: &[u8], query: Option<&str>) -> Result<PathAndQuery, String> {
    // Dapr cleans the path before it looks at it.
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

/// A path as Go's client sends it (`net/url`: `URL.setPath`, then `EscapedPath`): as it is, if it is a valid encoding; otherwise
/// decoded and encoded anew. A percent sign that begins no escape, which Go refuses, is encoded.
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

/// Go's `path.Clean` of an absolute path: no empty segments, no dots, no slash at the end.
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

/// The same for a path that may be no text.
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
    fn method_is_sent_as_gos_client_sends_it() {
        for (method, sent) in [
            ("a%2Fb", "/a%2Fb"),
            ("file%23.json", "/file%23.json"),
            ("a!b[c]", "/a!b[c]"),
            ("a b!", "/a%20b%21"),
            // What is no valid encoding is decoded before it is encoded.
            ("a%2Fb c", "/a/b%20c"),
            ("100%", "/100%25"),
            ("a%zz", "/a%25zz"),
        ] {
            assert_eq!(path(method, None).unwrap(), sent, "{method}");
        }
        assert_eq!(path(b"a\xFFb", None).unwrap(), "/a%FFb");
    }

    #[test]
    fn route_of_an_application_may_have_a_query() {
        assert_eq!(app_path("custom/path?x=1").unwrap(), "/custom/path?x=1");
        assert_eq!(app_path("/custom").unwrap(), "/custom");
    }
}
