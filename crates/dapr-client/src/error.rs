//! Errors of calls to Dapr.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use crate::TransportError;

/// Error of a call to Dapr. `operation` names the call, such as `get state`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be built.
    #[error("cannot {operation}: the request cannot be formed")]
    Form {
        /// Name of the call.
        operation: &'static str,
        /// Cause.
        #[source]
        source: http::Error,
    },
    /// A value could not be encoded as JSON.
    #[error("cannot {operation}: the value cannot be written as JSON")]
    Encode {
        /// Name of the call.
        operation: &'static str,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
    /// Dapr could not be reached, or the connection broke.
    #[error("cannot {operation}: Dapr cannot be reached")]
    Unreachable {
        /// Name of the call.
        operation: &'static str,
        /// Error of the transport.
        #[source]
        source: TransportError,
    },
    /// The timeout expired. The call may have taken effect.
    #[error("cannot {operation}: no answer within {} ms", .deadline.as_millis())]
    Deadline {
        /// Name of the call.
        operation: &'static str,
        /// Timeout of the call.
        deadline: Duration,
    },
    /// Dapr responded with an error.
    #[error("cannot {operation}: {code} ({status}): {message}")]
    Refused {
        /// Name of the call.
        operation: &'static str,
        /// HTTP status.
        status: StatusCode,
        /// Dapr's `errorCode`; empty if the body had none.
        code: String,
        /// Dapr's error message.
        message: String,
    },
    /// Dapr's response does not have the format of its API.
    #[error("cannot {operation}: the answer cannot be understood")]
    Decode {
        /// Name of the call.
        operation: &'static str,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// Returns true if the record was changed concurrently: an etag did not match, or a first write came second.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::CONFLICT, .. })
    }

    /// Returns Dapr's `errorCode`, if there is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } if !code.is_empty() => Some(code),
            _ => None,
        }
    }

    /// Parses an error response.
    pub(crate) fn from_response(operation: &'static str, status: StatusCode, body: &[u8]) -> Self {
        let ErrorBody { code, message } = serde_json::from_slice(body).unwrap_or_else(|_| ErrorBody {
            // Not Dapr's format: the API token check responds with plain text, and a proxy with anything.
            code: String::new(),
            message: String::from_utf8_lossy(body.get(..MAX_FOREIGN_MESSAGE).unwrap_or(body)).into_owned(),
        });
        Self::Refused { operation, status, code, message }
    }
}

/// Most bytes of a foreign body in the message; it may be a whole HTML page.
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
    fn dapr_error_body_becomes_code_and_message() {
        let body = br#"{"errorCode":"ERR_STATE_SAVE","message":"possible etag mismatch","details":[]}"#;
        let error = Error::from_response("save state", StatusCode::CONFLICT, body);
        assert!(error.is_conflict());
        assert_eq!(error.code(), Some("ERR_STATE_SAVE"));
        assert_eq!(error.to_string(), "cannot save state: ERR_STATE_SAVE (409 Conflict): possible etag mismatch");
    }

    #[test]
    fn plain_text_body_becomes_the_message() {
        let error = Error::from_response("get state", StatusCode::UNAUTHORIZED, b"invalid api token");
        assert_eq!(error.code(), None);
        assert!(error.to_string().ends_with("invalid api token"));
    }
}
