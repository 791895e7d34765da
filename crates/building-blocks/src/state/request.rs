//! Requests to a state store and what it answers. `components-contrib/state/{requests,responses}.go`.

use bytes::Bytes;

use crate::Metadata;

/// What to do when two writers meet on one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// The first writer wins: a write without an etag fails if the key exists.
    FirstWrite,
    /// The last writer wins, unless it carries an etag; some stores then do not even look at that.
    LastWrite,
    /// Not said: the last writer wins, unless it carries an etag.
    #[default]
    Unset,
}

/// How fresh a read must be, or how widely a write must be known, before it is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// Whatever the store does cheapest.
    #[default]
    Eventual,
    /// Every later read sees the write.
    Strong,
}

/// The two options of a write or delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateOptions {
    /// Who wins.
    pub concurrency: Concurrency,
    /// How consistent.
    pub consistency: Consistency,
}

/// One read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetRequest {
    /// The key as the store knows it (a face has added its prefix).
    pub key: String,
    /// The caller's metadata.
    pub metadata: Metadata,
    /// How fresh the answer must be.
    pub consistency: Consistency,
}

/// One write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetRequest {
    /// The key as the store knows it.
    pub key: String,
    /// The bytes to keep, whatever they are.
    pub value: Bytes,
    /// Write only if the key has this etag. Empty counts as none, as in Dapr.
    pub etag: Option<String>,
    /// The caller's metadata; `ttlInSeconds` is the one that stores know.
    pub metadata: Metadata,
    /// Concurrency and consistency.
    pub options: StateOptions,
    /// The media type of `value`, for stores that keep it.
    pub content_type: Option<String>,
}

/// One delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteRequest {
    /// The key as the store knows it.
    pub key: String,
    /// Delete only if the key has this etag. Empty counts as none, as in Dapr.
    pub etag: Option<String>,
    /// The caller's metadata.
    pub metadata: Metadata,
    /// Concurrency and consistency.
    pub options: StateOptions,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Write a key.
    Upsert(SetRequest),
    /// Delete a key.
    Delete(DeleteRequest),
}

/// A value that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateItem {
    /// The bytes as they were written.
    pub value: Bytes,
    /// The value's etag, where the store has etags.
    pub etag: Option<String>,
    /// `ttlExpireTime` (RFC 3339), where the value will expire.
    pub metadata: Metadata,
    /// The media type that was written with the value, where the store keeps it.
    pub content_type: Option<String>,
}

impl GetRequest {
    /// A read of `key` with nothing else asked.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }
}

impl SetRequest {
    /// A write of `value` to `key` with nothing else asked.
    pub fn new(key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self { key: key.into(), value: value.into(), ..Self::default() }
    }

    /// The etag that the write depends on; an empty one is none.
    pub fn required_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.is_empty())
    }
}

impl DeleteRequest {
    /// A delete of `key` with nothing else asked.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }

    /// The etag that the delete depends on; an empty one is none.
    pub fn required_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.is_empty())
    }
}
