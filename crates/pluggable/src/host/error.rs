//! What a failed call means. `dapr/pkg/components/state/pluggable.go`.

use building_blocks::binding::BindingError;
use building_blocks::secret::SecretError;
use building_blocks::{InitError, StateError};
use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt as _};

/// A failed call, in the words of Go's gRPC, which is what Dapr passes on.
#[derive(Debug, Error)]
#[error("rpc error: code = {} desc = {desc}", name(*code))]
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
    let error = RpcError::from(status);
    match (error.code, etag_violation(status)) {
        (Code::FailedPrecondition, Some(why)) => StateError::EtagMismatch(Some(why.into())),
        (Code::InvalidArgument, Some(why)) => StateError::EtagInvalid(why.into()),
        (Code::InvalidArgument, None) => StateError::InvalidRequest(error.to_string()),
        _ => StateError::Other(error.into()),
    }
}

/// A failed transaction: in it, Dapr does not tell etags from anything else.
pub(super) fn transaction(status: &Status) -> StateError {
    StateError::Other(RpcError::from(status).into())
}

pub(super) fn secrets(status: &Status) -> SecretError {
    SecretError::Other(RpcError::from(status).into())
}

pub(super) fn binding(status: &Status) -> BindingError {
    BindingError::Other(RpcError::from(status).into())
}

/// What a status says of the etag: its one detail, with one violation, of the field of that name.
fn etag_violation(status: &Status) -> Option<String> {
    let details = status.get_error_details_vec();
    let [ErrorDetail::BadRequest(bad)] = details.as_slice() else { return None };
    let [violation] = bad.field_violations.as_slice() else { return None };
    (violation.field == "etag").then(|| violation.description.clone())
}

fn name(code: Code) -> String {
    match code {
        Code::Cancelled => "Canceled".to_owned(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn an_etag_is_the_reason_only_where_the_one_detail_says_so() {
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
    fn what_time_may_mend_is_told_apart() {
        assert!(init(&Status::unavailable("down")).is_retryable());
        assert!(!init(&Status::invalid_argument("wrong")).is_retryable());
        assert_eq!(init(&Status::cancelled("x")).to_string(), "not available now: rpc error: code = Canceled desc = x");
    }
}
