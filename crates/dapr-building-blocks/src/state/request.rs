//! Requests to a state store and their results. `components-contrib/state/{requests,responses}.go`.

use bytes::Bytes;
use component_values::{TTL_IN_SECONDS, TimeToLive, TtlError};

use crate::Metadata;

/// Concurrency control for two writers of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// The first writer wins: a write without an etag fails if the key exists.
    FirstWrite,
    /// The last writer wins, unless it carries an etag; some stores ignore even that.
    LastWrite,
    /// Unspecified: the last writer wins, unless it carries an etag.
    #[default]
    Unset,
}

/// Consistency required of a read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// Whatever is cheapest for the store.
    #[default]
    Eventual,
    /// Every later read sees the write.
    Strong,
}

/// Options of a write or delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateOptions {
    /// Concurrency control.
    pub concurrency: Concurrency,
    /// Consistency.
    pub consistency: Consistency,
}

/// One read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetRequest {
    /// Key as the store knows it, with the application's prefix.
    pub key: String,
    /// The caller's metadata.
    pub metadata: Metadata,
    /// Required consistency.
    pub consistency: Consistency,
}

/// One write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetRequest {
    /// Key as the store knows it.
    pub key: String,
    /// Value, any bytes.
    pub value: Bytes,
    /// Writes only if the key has this etag. Empty counts as none, as in Dapr.
    pub etag: Option<String>,
    /// The caller's metadata; stores use `ttlInSeconds`.
    pub metadata: Metadata,
    /// Concurrency and consistency.
    pub options: StateOptions,
    /// Media type of `value`, for stores that keep it.
    pub content_type: Option<String>,
}

/// One delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteRequest {
    /// Key as the store knows it.
    pub key: String,
    /// Deletes only if the key has this etag. Empty counts as none, as in Dapr.
    pub etag: Option<String>,
    /// The caller's metadata.
    pub metadata: Metadata,
    /// Concurrency and consistency.
    pub options: StateOptions,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writes a key.
    Upsert(SetRequest),
    /// Deletes a key.
    Delete(DeleteRequest),
}

/// A stored value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateItem {
    /// Value, as written.
    pub value: Bytes,
    /// Etag of the value, if the store has etags.
    pub etag: Option<String>,
    /// `ttlExpireTime` (RFC 3339), if the value expires.
    pub metadata: Metadata,
    /// Media type written with the value, if the store keeps it.
    pub content_type: Option<String>,
}

impl GetRequest {
    /// Creates a read of `key` with defaults.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }
}

impl SetRequest {
    /// Creates a write of `value` to `key` with defaults.
    pub fn new(key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self { key: key.into(), value: value.into(), ..Self::default() }
    }

    /// Returns the etag that the write depends on; an empty one counts as none.
    pub fn required_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.is_empty())
    }
}

impl DeleteRequest {
    /// Creates a delete of `key` with defaults.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }

    /// Returns the etag that the delete depends on; an empty one counts as none.
    pub fn required_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.is_empty())
    }
}

/// Parses the `ttlInSeconds` of a write's metadata.
///
/// # Errors
/// When it is not a number of seconds.
pub fn time_to_live(metadata: &Metadata) -> Result<TimeToLive, TtlError> {
    metadata.get(TTL_IN_SECONDS).map_or(Ok(TimeToLive::Unset), |text| text.parse())
}
