//! Options of calls to a state store.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// Version of a record, opaque to its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// Wraps an etag from a store.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the etag as the store wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Concurrency control of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// First write wins: a write needs the current etag, or none if it creates the record.
    FirstWrite,
    /// Last write wins, whatever is stored.
    LastWrite,
}

impl Concurrency {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::FirstWrite => "first-write",
            Self::LastWrite => "last-write",
        }
    }
}

/// Consistency of reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// All replicas, or a quorum, must confirm.
    Strong,
    /// One replica is enough.
    Eventual,
}

impl Consistency {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Eventual => "eventual",
        }
    }
}

/// Conditions of a write. The default has none.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// Etag of the version to replace.
    pub etag: Option<Etag>,
    /// Concurrency control.
    pub concurrency: Option<Concurrency>,
    /// Consistency.
    pub consistency: Option<Consistency>,
    /// Time to live. Dapr counts whole seconds; fractions are rounded up.
    pub ttl: Option<Duration>,
}

impl WriteOptions {
    /// Writes only if the record still has this etag.
    #[must_use]
    pub fn if_unchanged(etag: Etag) -> Self {
        Self { etag: Some(etag), concurrency: Some(Concurrency::FirstWrite), ..Self::default() }
    }

    /// Writes only if the record does not exist.
    #[must_use]
    pub fn if_absent() -> Self {
        Self { concurrency: Some(Concurrency::FirstWrite), ..Self::default() }
    }

    /// Sets the time to live.
    #[must_use]
    pub fn expiring_in(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// Returns true if writing twice has the same effect as once.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.etag.is_none() && self.concurrency != Some(Concurrency::FirstWrite)
    }

    pub(crate) fn metadata(&self) -> BTreeMap<&'static str, String> {
        let seconds = self.ttl.map(|ttl| ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0));
        seconds.map(|seconds| ("ttlInSeconds", seconds.to_string())).into_iter().collect()
    }

    pub(crate) fn behaviour(&self) -> Option<Behaviour> {
        let behaviour = Behaviour { concurrency: self.concurrency, consistency: self.consistency };
        (self.concurrency.is_some() || self.consistency.is_some()).then_some(behaviour)
    }
}

/// The `options` of an item in Dapr's JSON.
#[derive(Serialize)]
pub(crate) struct Behaviour {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<Concurrency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consistency: Option<Consistency>,
}
