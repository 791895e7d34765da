//! Conversion of the client's errors to WIT errors.

use http::StatusCode;
use serde_json::value::RawValue;

use crate::bindings::dapr::runtime::types::Refusal;
pub(crate) use crate::bindings::exports::dapr::runtime::state::Error;

impl From<dapr_client::Error> for Error {
    fn from(error: dapr_client::Error) -> Self {
        match error {
            dapr_client::Error::Refused { status, code, message, .. } => {
                let refusal = Refusal { status: status.as_u16(), code, message };
                if status == StatusCode::CONFLICT { Self::Conflict(refusal) } else { Self::Refused(refusal) }
            }
            dapr_client::Error::Deadline { .. } => Self::Deadline,
            other => Self::Unreachable(report(&other)),
        }
    }
}

/// Creates an error response that does not come from Dapr.
pub(crate) fn error_response(status: u16, code: &str, message: &str) -> Error {
    Error::Refused(Refusal { status, code: code.to_owned(), message: message.to_owned() })
}

/// Parses a value as JSON, which the HTTP API requires.
pub(crate) fn json(bytes: Vec<u8>) -> Result<Box<RawValue>, Error> {
    let text = String::from_utf8(bytes).ok();
    let value = text.and_then(|text| RawValue::from_string(text).ok());
    value.ok_or_else(|| error_response(400, "ERR_MALFORMED_REQUEST", "over HTTP, a value has to be JSON"))
}

fn report(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
