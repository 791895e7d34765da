//! The method of an invocation: `dapr/pkg/messaging/method`.

use std::borrow::Cow;

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::InvokeError;

/// What Go's `URL.EscapedPath` escapes.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path and query of a method, which may be percent-encoded: decoded, without dots, and free of what could mean
/// something else further on.
///
/// # Errors
/// When it is not free of that.
pub fn method_path(method: &str, query: Option<&str>) -> Result<PathAndQuery, InvokeError> {
    let illegal = |why| InvokeError::Channel(format!("rpc error: code = InvalidArgument desc = {why}").into());
    path_and_query(method, query).map_err(illegal)
}

fn path_and_query(method: &str, query: Option<&str>) -> Result<PathAndQuery, String> {
    let decoded = percent_decode_str(method).decode_utf8_lossy();
    // Dapr cleans the path before it looks at it.
    let cleaned = clean(&format!("/{decoded}")).into_owned();
    let shown = cleaned.trim_start_matches('/');
    if shown.contains(['#', '?', '\0']) {
        return Err(format!("invalid method: method contains forbidden character: {shown:?}"));
    }
    if let Some(position) = shown.bytes().position(|byte| byte < b' ' || byte == 0x7f) {
        return Err(format!("invalid method: method contains control character at position {position}: {shown:?}"));
    }
    let mut text = utf8_percent_encode(&cleaned, PATH).to_string();
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        text.push('?');
        text.push_str(query);
    }
    PathAndQuery::try_from(text).map_err(|error| error.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_decoded_cleaned_and_encoded_again() {
        let path = |method, query| path_and_query(method, query).map(|path| path.to_string());
        assert_eq!(path("a%20b/../c", Some("q=%2F")).unwrap(), "/c?q=%2F");
        assert_eq!(path("", None).unwrap(), "/");
        assert_eq!(path("../../x/", Some("")).unwrap(), "/x");
        assert_eq!(path("caf%C3%A9", None).unwrap(), "/caf%C3%A9");
        assert!(path("a%00b", None).is_err() && path("a%3Fb", None).is_err() && path("a%23b", None).is_err());
    }
}
