//! What can go wrong in a state store. The texts of etag errors follow `components-contrib/state/errors.go`.

use thiserror::Error;

use crate::BoxError;

/// Why a state store refused or failed. A face maps the variant to its status and shows the text.
#[derive(Debug, Error)]
pub enum StateError {
    /// The etag is not the one that the key has now, or the key exists and `first-write` came without an etag.
    #[error("possible etag mismatch. error from state store: {0}")]
    EtagMismatch(#[source] BoxError),
    /// The etag has a form that this store never issues.
    #[error("invalid etag value: {0}")]
    EtagInvalid(#[source] BoxError),
    /// The store cannot do this at all.
    #[error("this state store does not support {0}")]
    Unsupported(&'static str),
    /// The request itself is wrong (a TTL that is no number, an empty key).
    #[error("{0}")]
    InvalidRequest(String),
    /// The store cannot be reached now; the same call may succeed later.
    #[error("state store unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store answered with a failure of its own.
    #[error("{0}")]
    Other(#[source] BoxError),
}

impl StateError {
    /// The etag given is not the current one.
    pub fn etag_mismatch(given: &str) -> Self {
        Self::EtagMismatch(EtagConflict::Stale { given: given.to_owned() }.into())
    }

    /// `first-write` without an etag found the key present.
    pub fn first_write_conflict() -> Self {
        Self::EtagMismatch(EtagConflict::Exists.into())
    }

    /// Whether the etag was the reason: such a failure is the caller's to resolve, so nobody retries it.
    pub const fn is_etag(&self) -> bool {
        matches!(self, Self::EtagMismatch(_) | Self::EtagInvalid(_))
    }
}

/// What a store found when an etag did not fit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EtagConflict {
    /// The key has another etag, or is absent.
    #[error("the key is absent or its etag is not {given:?}")]
    Stale {
        /// The etag of the request.
        given: String,
    },
    /// The key exists, and the caller wanted to be the first to write it.
    #[error("the key exists already")]
    Exists,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_errors_say_what_dapr_says() {
        let mismatch = StateError::etag_mismatch("7").to_string();
        assert!(mismatch.starts_with("possible etag mismatch. error from state store: "), "{mismatch}");
        let invalid = StateError::EtagInvalid("not a number".into()).to_string();
        assert_eq!(invalid, "invalid etag value: not a number");
    }
}
