//! From Dapr's refusals to the contract's errors, and the deadline that holds for every call.

use std::time::Duration;

use building_blocks::Metadata;
use http::StatusCode;
use sidecar::Refusal;

use crate::contract::types::{self, Error};

impl types::Host for crate::DaprWit {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message, details: _ } = refusal;
        let told = types::Refusal { status: status.as_u16(), code: code.to_owned(), message };
        if status == StatusCode::CONFLICT { Self::Conflict(told) } else { Self::Refused(told) }
    }
}

/// Waits for `call`, no longer than `milliseconds`.
pub(crate) async fn within<T>(
    milliseconds: Option<types::Milliseconds>,
    call: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Error> {
    let answered = match milliseconds {
        Some(limit) => {
            let limit = Duration::from_millis(limit.into());
            tokio::time::timeout(limit, call).await.map_err(|_| Error::Deadline)?
        }
        None => call.await,
    };
    answered.map_err(Error::from)
}

/// Metadata as building blocks have it.
pub(crate) fn metadata(given: types::Metadata) -> Metadata {
    given.into_iter().collect()
}
