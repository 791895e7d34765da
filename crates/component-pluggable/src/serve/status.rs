//! Conversion of errors to the gRPC statuses that Dapr expects. `dapr/pkg/components/state/pluggable.go`.

use dapr_building_blocks::binding::BindingError;
use dapr_building_blocks::secret::SecretError;
use dapr_building_blocks::{InitError, StateError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::wire::{HTTP_CODE, KIT_ERROR, code_name};

/// Name of the field whose violation marks an etag error.
const ETAG: &str = "etag";

/// Converts an initialisation error.
pub(super) fn init(error: &InitError) -> Status {
    let code = if error.is_retryable() { Code::Unavailable } else { Code::InvalidArgument };
    Status::new(code, error.to_string())
}

/// Converts a state store error.
pub(super) fn state(error: &StateError) -> Status {
    let text = error.to_string();
    match error {
        StateError::EtagMismatch(why) => {
            etag(Code::FailedPrecondition, text, why.as_ref().map(ToString::to_string).unwrap_or_default())
        }
        StateError::EtagInvalid(why) => etag(Code::InvalidArgument, text, why.to_string()),
        StateError::InvalidRequest(_) => Status::invalid_argument(text),
        StateError::Unsupported(_) => Status::unimplemented(text),
        StateError::Unavailable(_) => Status::unavailable(text),
        StateError::Status { http, code, message } => with_status(*http, code, message),
        StateError::Other(_) => Status::unknown(text),
    }
}

/// Creates an error with an HTTP status, as `dapr/pkg/components/pluggable/errors.go` reads it.
fn with_status(http: u16, code: &str, message: &str) -> Status {
    let metadata = [(KIT_ERROR, "true".to_owned()), (HTTP_CODE, http.to_string()), ("tag", String::new())];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
    let details = ErrorDetails::with_error_info(String::new(), String::new(), metadata);
    Status::with_error_details(parse_code(code), message, details)
}

/// Converts a batch's errors to one status: the first etag error, or the first error.
pub(super) fn first(outcomes: Vec<Result<(), StateError>>) -> Result<(), Status> {
    let errors: Vec<StateError> = outcomes.into_iter().filter_map(Result::err).collect();
    let telling = errors.iter().find(|error| error.is_etag()).or_else(|| errors.first());
    telling.map_or(Ok(()), |error| Err(state(error)))
}

/// Converts a secret store error.
pub(super) fn secrets(error: &SecretError) -> Status {
    let code = match error {
        SecretError::NotFound { .. } => Code::NotFound,
        SecretError::Unavailable(_) => Code::Unavailable,
        SecretError::Other(_) => Code::Unknown,
    };
    Status::new(code, error.to_string())
}

/// Converts a binding error.
pub(super) fn binding(error: &BindingError) -> Status {
    let code = match error {
        BindingError::InvalidRequest(_) => Code::InvalidArgument,
        BindingError::Unavailable(_) => Code::Unavailable,
        BindingError::Other(_) => Code::Unknown,
    };
    Status::new(code, error.to_string())
}

/// Parses Go's name of a status code.
fn parse_code(name: &str) -> Code {
    let codes = (0..=16).map(Code::from_i32);
    codes.into_iter().find(|code| code_name(*code) == name).unwrap_or(Code::Unknown)
}

fn etag(code: Code, text: String, why: String) -> Status {
    Status::with_error_details(code, text, ErrorDetails::with_bad_request_violation(ETAG, why))
}
