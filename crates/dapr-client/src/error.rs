//! What can go wrong between a service and Dapr.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use crate::TransportError;

/// Why a call to Dapr brought no result. `operation` says in words what was tried, such as `get state`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be put together.
    #[error("cannot {operation}: the request cannot be formed")]
    Form {
        /// What was tried.
        operation: &'static str,
        /// What was wrong with the request.
        #[source]
        source: http::Error,
    },
    /// A value could not be written as JSON.
    #[error("cannot {operation}: the value cannot be written as JSON")]
    Encode {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Dapr could not be reached, or the connection broke.
    #[error("cannot {operation}: Dapr cannot be reached")]
    Unreachable {
        /// What was tried.
        operation: &'static str,
        /// What the transport says.
        #[source]
        source: TransportError,
    },
    /// The deadline passed first. Whether the call took effect is not known.
    #[error("cannot {operation}: no answer within {} ms", .deadline.as_millis())]
    Deadline {
        /// What was tried.
        operation: &'static str,
        /// How long it was given.
        deadline: Duration,
    },
    /// Dapr answered with an error.
    #[error("cannot {operation}: {code} ({status}): {message}")]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// The HTTP status.
        status: StatusCode,
        /// Dapr's `errorCode`; empty where the body had none.
        code: String,
        /// Dapr's own words.
        message: String,
    },
    /// Dapr's answer is not what its API promises.
    #[error("cannot {operation}: the answer cannot be understood")]
    Decode {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// Whether somebody else changed the record first: an etag did not match, or a first write was a second one.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::CONFLICT, .. })
    }

    /// Dapr's `errorCode`, where it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } if !code.is_empty() => Some(code),
            _ => None,
        }
    }

    /// Reads an answer whose status says that it is an error.
    pub(crate) fn refused(operation: &'static str, status: StatusCode, body: &[u8]) -> Self {
        let ErrorBody { code, message } = serde_json::from_slice(body).unwrap_or_else(|_| ErrorBody {
            // Not Dapr's shape: the API token check answers plain text, and a proxy may answer anything.
            code: String::new(),
            message: String::from_utf8_lossy(body.get(..MAX_FOREIGN_MESSAGE).unwrap_or(body)).into_owned(),
        });
        Self::Refused { operation, status, code, message }
    }
}

/// A body that is not Dapr's may be a whole page; this much of it is enough to recognise it.
const MAX_FOREIGN_MESSAGE: usize = 200;

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(default)]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daprs_error_body_becomes_code_and_message() {
        let body = br#"{"errorCode":"ERR_STATE_SAVE","message":"possible etag mismatch","details":[]}"#;
        let error = Error::refused("save state", StatusCode::CONFLICT, body);
        assert!(error.is_conflict());
        assert_eq!(error.code(), Some("ERR_STATE_SAVE"));
        assert_eq!(error.to_string(), "cannot save state: ERR_STATE_SAVE (409 Conflict): possible etag mismatch");
    }

    #[test]
    fn a_plain_text_body_becomes_the_message() {
        let error = Error::refused("get state", StatusCode::UNAUTHORIZED, b"invalid api token");
        assert_eq!(error.code(), None);
        assert!(error.to_string().ends_with("invalid api token"));
    }
}
