//! What a call may ask of a state store.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// The version of a record, opaque to its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// Takes an etag as a store wrote it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The etag as the store wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who wins when two write at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// The first: a write needs the current etag, or none if it creates the record.
    FirstWrite,
    /// The last, whatever was there.
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

/// How many replicas have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// All of them, or a quorum.
    Strong,
    /// One.
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
    /// The version that the write replaces.
    pub etag: Option<Etag>,
    /// Who wins.
    pub concurrency: Option<Concurrency>,
    /// How many replicas have to agree.
    pub consistency: Option<Consistency>,
    /// When the record expires. Dapr counts whole seconds; a started one counts as one.
    pub ttl: Option<Duration>,
}

impl WriteOptions {
    /// The write takes place only if the record still has this version.
    #[must_use]
    pub fn if_unchanged(etag: Etag) -> Self {
        Self { etag: Some(etag), concurrency: Some(Concurrency::FirstWrite), ..Self::default() }
    }

    /// The write takes place only if there is no record yet.
    #[must_use]
    pub fn if_absent() -> Self {
        Self { concurrency: Some(Concurrency::FirstWrite), ..Self::default() }
    }

    /// Lets the record expire.
    #[must_use]
    pub fn expiring_in(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// Whether writing twice does no more than writing once.
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

/// The `options` of an item, as Dapr's JSON has them.
#[derive(Serialize)]
pub(crate) struct Behaviour {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<Concurrency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consistency: Option<Consistency>,
}
