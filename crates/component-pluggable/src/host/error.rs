//! Conversion of gRPC statuses to errors. `dapr/pkg/components/state/pluggable.go`.

use dapr_building_blocks::binding::BindingError;
use dapr_building_blocks::secret::SecretError;
use dapr_building_blocks::{InitError, StateError};
use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt as _};

use crate::wire::{HTTP_CODE, KIT_ERROR, code_name};

/// Failed call, with the error text of Go's gRPC, which Dapr passes on.
#[derive(Debug, Error)]
#[error("rpc error: code = {} desc = {desc}", code_name(*code))]
struct RpcError {
    code: Code,
    desc: String,
}

impl From<&Status> for RpcError {
    fn from(status: &Status) -> Self {
        Self { code: status.code(), desc: status.message().to_owned() }
    }
}

pub(super) fn init(status: &Status) -> InitError {
    let error = RpcError::from(status);
    match error.code {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => InitError::unavailable(error),
        _ => InitError::misconfigured(error),
    }
}

pub(super) fn state(status: &Status) -> StateError {
    if let Some(http) = own_status(status) {
        return StateError::Status { http, code: code_name(status.code()), message: status.message().to_owned() };
    }
    let error = RpcError::from(status);
    match (error.code, etag_violation(status)) {
        (Code::FailedPrecondition, Some(why)) => StateError::EtagMismatch(Some(why.into())),
        (Code::InvalidArgument, Some(why)) => StateError::EtagInvalid(why.into()),
        (Code::InvalidArgument, None) => StateError::InvalidRequest(error.to_string()),
        _ => StateError::Other(error.into()),
    }
}

/// Converts the error of a transaction, in which Dapr does not distinguish etag errors.
pub(super) fn transaction(status: &Status) -> StateError {
    match own_status(status) {
        Some(_) => state(status),
        None => StateError::Other(RpcError::from(status).into()),
    }
}

pub(super) fn secrets(status: &Status) -> SecretError {
    SecretError::Other(RpcError::from(status).into())
}

pub(super) fn binding(status: &Status) -> BindingError {
    BindingError::Other(RpcError::from(status).into())
}

/// Returns the HTTP status in an error's single detail: `dapr/pkg/components/pluggable/errors.go`.
fn own_status(status: &Status) -> Option<u16> {
    let details = status.get_error_details_vec();
    let [ErrorDetail::ErrorInfo(info)] = details.as_slice() else { return None };
    let is_own = info.metadata.get(KIT_ERROR).is_some_and(|text| text == "true");
    info.metadata.get(HTTP_CODE).filter(|_| is_own)?.parse().ok()
}

/// Returns the description of an etag error.
///
/// Such an error has a single detail with a single violation of the field `etag`.
fn etag_violation(status: &Status) -> Option<String> {
    let details = status.get_error_details_vec();
    let [ErrorDetail::BadRequest(bad)] = details.as_slice() else { return None };
    let [violation] = bad.field_violations.as_slice() else { return None };
    (violation.field == "etag").then(|| violation.description.clone())
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn etag_error_requires_a_single_matching_detail() {
        let why = ErrorDetails::with_bad_request_violation("etag", "stale");
        let mismatch = Status::with_error_details(Code::FailedPrecondition, "no", why.clone());
        assert_eq!(state(&mismatch).to_string(), "possible etag mismatch. error from state store: stale");
        let invalid = Status::with_error_details(Code::InvalidArgument, "no", why);
        assert_eq!(state(&invalid).to_string(), "invalid etag value: stale");
        let other = ErrorDetails::with_bad_request_violation("key", "long");
        let other = Status::with_error_details(Code::FailedPrecondition, "no", other);
        assert_eq!(state(&other).to_string(), "rpc error: code = FailedPrecondition desc = no");
        assert!(!state(&Status::failed_precondition("bare")).is_etag());
    }

    #[test]
    fn http_status_in_details_is_passed_on() {
        let info = |pairs: &[(&str, &str)]| {
            let metadata: std::collections::HashMap<_, _> =
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let details = ErrorDetails::with_error_info("REASON", "domain", metadata);
            state(&Status::with_error_details(Code::Internal, "no luck", details))
        };
        let own = info(&[("kit_error", "true"), ("http_code", "506"), ("tag", "X")]);
        assert!(matches!(own, StateError::Status { http: 506, .. }), "{own:?}");
        assert_eq!(own.to_string(), "api error: code = Internal desc = no luck");
        for not in [&[("http_code", "506")][..], &[("kit_error", "true"), ("http_code", "many")]] {
            assert_eq!(info(not).to_string(), "rpc error: code = Internal desc = no luck");
        }
    }

    #[test]
    fn only_unavailable_errors_are_retryable() {
        assert!(init(&Status::unavailable("down")).is_retryable());
        assert!(!init(&Status::invalid_argument("wrong")).is_retryable());
        assert_eq!(init(&Status::cancelled("x")).to_string(), "not available now: rpc error: code = Canceled desc = x");
    }
}
