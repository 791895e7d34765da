//! Errors of a state store. The texts of etag errors follow `components-contrib/state/errors.go`.

use std::borrow::Cow;

use thiserror::Error;

use crate::BoxError;

/// An error of a state store. An API maps the variant to its status and shows the text.
#[derive(Debug, Error)]
pub enum StateError {
    /// The etag is stale, or the key exists and `first-write` came without an etag.
    #[error("possible etag mismatch. error from state store{}", after_a_colon(.0.as_ref()))]
    EtagMismatch(#[source] Option<BoxError>),
    /// The etag has a form that this store never issues.
    #[error("invalid etag value: {0}")]
    EtagInvalid(#[source] BoxError),
    /// The store does not support this operation.
    #[error("this state store does not support {0}")]
    Unsupported(Cow<'static, str>),
    /// The request is invalid (a TTL that is not a number, an empty key).
    #[error("{0}")]
    InvalidRequest(String),
    /// The store is unreachable now; the same call may succeed later.
    #[error("state store unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store reported an error with a status of its own, as pluggable components can.
    #[error("api error: code = {code} desc = {message}")]
    Status {
        /// HTTP status.
        http: u16,
        /// Name of the gRPC code.
        code: String,
        /// Message of the store.
        message: String,
    },
    /// The store reported another error.
    #[error("{0}")]
    Other(#[source] BoxError),
}

/// An error of a batch of writes.
#[derive(Debug)]
pub enum BatchError {
    /// Errors of single writes, with their places in the batch.
    Each(Vec<(usize, StateError)>),
    /// One error for the whole batch.
    Whole(StateError),
}

impl StateError {
    /// Returns true if the etag was the reason. The caller has to resolve it, so it is not retried.
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
    fn etag_errors_have_daprs_text() {
        let mismatch = |why| StateError::EtagMismatch(why).to_string();
        assert_eq!(mismatch(None), "possible etag mismatch. error from state store");
        assert_eq!(mismatch(Some("why".into())), "possible etag mismatch. error from state store: why");
        let invalid = StateError::EtagInvalid("not a number".into()).to_string();
        assert_eq!(invalid, "invalid etag value: not a number");
    }
}
