//! Conditions and expiry of writes and deletes.

use super::{Concurrency, DeleteRequest, SetRequest, TTL_IN_SECONDS, TimeToLive, TtlError};

impl SetRequest {
    /// Returns the etag that the key must have; an empty one counts as none.
    pub fn required_etag(&self) -> Option<&str> {
        required(self.etag.as_deref())
    }

    /// Returns true if the first write wins: without an etag, the key must not exist.
    pub fn is_first_write(&self) -> bool {
        self.options.concurrency == Concurrency::FirstWrite
    }

    /// Parses the `ttlInSeconds` of the metadata.
    ///
    /// # Errors
    /// When it is not a number of seconds. The text is that of Go's `strconv` after the function's name; Dapr's stores
    /// begin with that name, and each has a prefix of its own.
    pub fn time_to_live(&self) -> Result<TimeToLive, TtlError> {
        let found = self.metadata.iter().find(|(name, _)| name == TTL_IN_SECONDS);
        found.map_or(Ok(TimeToLive::Unset), |(_, text)| text.parse())
    }
}

impl DeleteRequest {
    /// Returns the etag that the key must have; an empty one counts as none.
    pub fn required_etag(&self) -> Option<&str> {
        required(self.etag.as_deref())
    }

    /// Returns true if the first write wins: without an etag, the key must not exist.
    pub fn is_first_write(&self) -> bool {
        self.options.concurrency == Concurrency::FirstWrite
    }
}

fn required(etag: Option<&str>) -> Option<&str> {
    etag.filter(|etag| !etag.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::state::{Consistency, Options};

    fn set(etag: &str, metadata: &[(&str, &str)]) -> SetRequest {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        SetRequest {
            key: "k".to_owned(),
            value: Vec::new(),
            etag: Some(etag.to_owned()),
            metadata: metadata.iter().map(own).collect(),
            options: Options { concurrency: Concurrency::FirstWrite, consistency: Consistency::Unspecified },
            content_type: None,
        }
    }

    #[test]
    fn empty_etag_counts_as_none() {
        assert_eq!(set("", &[]).required_etag(), None);
        assert_eq!(set("1", &[]).required_etag(), Some("1"));
        assert!(set("", &[]).is_first_write());
    }

    #[test]
    fn ttl_comes_from_its_metadata() {
        let ttl = |metadata: &[(&str, &str)]| set("", metadata).time_to_live();
        assert_eq!(ttl(&[("a", "b"), ("ttlInSeconds", "5")]), Ok(TimeToLive::For(Duration::from_secs(5))));
        assert_eq!(ttl(&[("a", "b")]), Ok(TimeToLive::Unset));
        assert_eq!(ttl(&[("ttlInSeconds", "soon")]), Err(TtlError::Syntax("soon".to_owned())));
    }
}
