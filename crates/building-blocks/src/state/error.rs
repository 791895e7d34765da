//! What can go wrong in a state store. The texts of etag errors follow `components-contrib/state/errors.go`.

use std::borrow::Cow;

use thiserror::Error;

use crate::BoxError;

/// Why a state store refused or failed. A face maps the variant to its status and shows the text.
#[derive(Debug, Error)]
pub enum StateError {
    /// The etag is not the one that the key has now, or the key exists and `first-write` came without an etag.
    #[error("possible etag mismatch. error from state store{}", after_a_colon(.0.as_ref()))]
    EtagMismatch(#[source] Option<BoxError>),
    /// The etag has a form that this store never issues.
    #[error("invalid etag value: {0}")]
    EtagInvalid(#[source] BoxError),
    /// The store cannot do this at all.
    #[error("this state store does not support {0}")]
    Unsupported(Cow<'static, str>),
    /// The request itself is wrong (a TTL that is no number, an empty key).
    #[error("{0}")]
    InvalidRequest(String),
    /// The store cannot be reached now; the same call may succeed later.
    #[error("state store unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store answered with a failure that has a status of its own, as pluggable components can.
    #[error("api error: code = {code} desc = {message}")]
    Status {
        /// The status over HTTP.
        http: u16,
        /// The name of gRPC's code.
        code: String,
        /// What the store says.
        message: String,
    },
    /// The store answered with a failure of its own.
    #[error("{0}")]
    Other(#[source] BoxError),
}

/// Why a batch of writes failed.
#[derive(Debug)]
pub enum BatchError {
    /// Some of the writes, each for itself.
    Each(Vec<StateError>),
    /// The store has one answer for all of them.
    Whole(StateError),
}

impl StateError {
    /// Whether the etag was the reason: such a failure is the caller's to resolve, so nobody retries it.
    pub const fn is_etag(&self) -> bool {
        matches!(self, Self::EtagMismatch(_) | Self::EtagInvalid(_))
    }
}

fn after_a_colon(why: Option<&BoxError>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_errors_say_what_dapr_says() {
        let mismatch = |why| StateError::EtagMismatch(why).to_string();
        assert_eq!(mismatch(None), "possible etag mismatch. error from state store");
        assert_eq!(mismatch(Some("why".into())), "possible etag mismatch. error from state store: why");
        let invalid = StateError::EtagInvalid("not a number".into()).to_string();
        assert_eq!(invalid, "invalid etag value: not a number");
    }
}
