//! URL paths with percent-encoded segments.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986's unreserved characters stay readable. All else is encoded: `/` would end the segment, and Dapr reads a
/// bare `+` as a space.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below the endpoint, with its query.
#[derive(Debug, Clone)]
pub(crate) struct ApiPath {
    text: String,
    has_query: bool,
}

impl ApiPath {
    /// Starts with a literal prefix, such as `/v1.0/state`.
    pub(crate) fn new(prefix: &str) -> Self {
        Self { text: prefix.to_owned(), has_query: false }
    }

    /// Appends one segment.
    pub(crate) fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        // Path normalisation would remove a segment of dots, encoded or not.
        if segment == "." || segment == ".." {
            self.text.push_str(&segment.replace('.', "%2E"));
        } else {
            self.text.extend(utf8_percent_encode(segment, SEGMENT));
        }
        self
    }

    /// Appends one query parameter.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.extend(utf8_percent_encode(name, SEGMENT));
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, SEGMENT));
        self
    }

    /// Appends a path and query that are already encoded, such as a method of another service.
    pub(crate) fn append_encoded(mut self, path_and_query: &str) -> Self {
        self.text.push('/');
        self.text.push_str(path_and_query.trim_start_matches('/'));
        self.has_query = path_and_query.contains('?');
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_percent_encoded() {
        let path = ApiPath::new("/v1.0/state").segment("st").segment("a/b c+d:ü");
        assert_eq!(path.as_str(), "/v1.0/state/st/a%2Fb%20c%2Bd%3A%C3%BC");
    }

    #[test]
    fn queries_are_joined_and_encoded() {
        let path = ApiPath::new("/x").query("metadata.a", "1&2").query("b", "=");
        assert_eq!(path.as_str(), "/x?metadata.a=1%262&b=%3D");
    }

    #[test]
    fn dot_segments_are_encoded() {
        assert_eq!(ApiPath::new("/v1.0/state").segment("..").as_str(), "/v1.0/state/%2E%2E");
    }
}
