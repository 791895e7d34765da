//! Converts Dapr's API errors to the contract's errors, and applies the deadline of a call.

use std::time::Duration;

use dapr_building_blocks::Metadata;
use dapr_runtime::{ApiError, ErrorCategory};

use crate::contract::types::{self, Error};

impl types::Host for crate::DaprWit {}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let (status, category) = (error.http_status().as_u16(), error.category);
        let fields = types::Refusal { status, code: error.code.to_owned(), message: error.message };
        if category == ErrorCategory::Conflict { Self::Conflict(fields) } else { Self::Refused(fields) }
    }
}

/// Awaits `call`, for at most `milliseconds`.
pub(crate) async fn within<T>(
    milliseconds: Option<types::Milliseconds>,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, Error> {
    let result = match milliseconds {
        Some(limit) => {
            let limit = Duration::from_millis(limit.into());
            tokio::time::timeout(limit, call).await.map_err(|_| Error::Deadline)?
        }
        None => call.await,
    };
    result.map_err(Error::from)
}

/// Converts metadata to that of the building blocks.
pub(crate) fn metadata(given: types::Metadata) -> Metadata {
    given.into_iter().collect()
}
