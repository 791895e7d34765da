//! Conversion of state requests and responses between the native types and the protocol's.

use dapr_building_blocks::state as native;
use dapr_building_blocks::state::StateItem;
use tonic::Code;

use crate::contract::state_options::{StateConcurrency, StateConsistency};
use crate::contract::transactional_state_operation::Request;
use crate::contract::{
    DeleteRequest, Etag, GetRequest, GetResponse, SetRequest, StateOptions, TransactionalStateOperation,
};

impl From<native::GetRequest> for GetRequest {
    fn from(request: native::GetRequest) -> Self {
        let native::GetRequest { key, metadata, consistency } = request;
        Self { key, metadata, consistency: StateConsistency::from(consistency).into() }
    }
}

impl From<GetRequest> for native::GetRequest {
    fn from(request: GetRequest) -> Self {
        let consistency = request.consistency().into();
        let GetRequest { key, metadata, .. } = request;
        Self { key, metadata, consistency }
    }
}

impl From<native::SetRequest> for SetRequest {
    fn from(request: native::SetRequest) -> Self {
        let native::SetRequest { key, value, etag, metadata, options, content_type } = request;
        let content_type = content_type.unwrap_or_default();
        Self { key, value, etag: etag.map(Etag::from), metadata, options: Some(options.into()), content_type }
    }
}

impl From<SetRequest> for native::SetRequest {
    fn from(request: SetRequest) -> Self {
        let SetRequest { key, value, etag, metadata, options, content_type } = request;
        let (etag, options) = (etag.map(|etag| etag.value), options.unwrap_or_default().into());
        Self { key, value, etag, metadata, options, content_type: some(content_type) }
    }
}

impl From<native::DeleteRequest> for DeleteRequest {
    fn from(request: native::DeleteRequest) -> Self {
        let native::DeleteRequest { key, etag, metadata, options } = request;
        Self { key, etag: etag.map(Etag::from), metadata, options: Some(options.into()) }
    }
}

impl From<DeleteRequest> for native::DeleteRequest {
    fn from(request: DeleteRequest) -> Self {
        let DeleteRequest { key, etag, metadata, options } = request;
        let (etag, options) = (etag.map(|etag| etag.value), options.unwrap_or_default().into());
        Self { key, etag, metadata, options }
    }
}

impl From<native::Operation> for TransactionalStateOperation {
    fn from(operation: native::Operation) -> Self {
        let request = match operation {
            native::Operation::Upsert(request) => Request::Set(request.into()),
            native::Operation::Delete(request) => Request::Delete(request.into()),
        };
        Self { request: Some(request) }
    }
}

impl TransactionalStateOperation {
    /// Converts the operation; `None` if its kind is unknown.
    pub(crate) fn native(self) -> Option<native::Operation> {
        Some(match self.request? {
            Request::Set(request) => native::Operation::Upsert(request.into()),
            Request::Delete(request) => native::Operation::Delete(request.into()),
        })
    }
}

impl From<Option<StateItem>> for GetResponse {
    fn from(found: Option<StateItem>) -> Self {
        let StateItem { value, etag, metadata, content_type } = found.unwrap_or_default();
        Self { data: value, etag: etag.map(Etag::from), metadata, content_type: content_type.unwrap_or_default() }
    }
}

impl From<GetResponse> for Option<StateItem> {
    /// An absent value has neither data nor an etag. An empty value has an etag if the store has etags.
    fn from(response: GetResponse) -> Self {
        let GetResponse { data: value, etag, metadata, content_type } = response;
        if value.is_empty() && etag.is_none() {
            return None;
        }
        Some(StateItem { value, etag: etag.map(|etag| etag.value), metadata, content_type: some(content_type) })
    }
}

impl From<String> for Etag {
    fn from(value: String) -> Self {
        Self { value }
    }
}

impl From<native::StateOptions> for StateOptions {
    fn from(options: native::StateOptions) -> Self {
        let concurrency = match options.concurrency {
            native::Concurrency::Unset => StateConcurrency::ConcurrencyUnspecified,
            native::Concurrency::FirstWrite => StateConcurrency::ConcurrencyFirstWrite,
            native::Concurrency::LastWrite => StateConcurrency::ConcurrencyLastWrite,
        };
        Self { concurrency: concurrency.into(), consistency: StateConsistency::from(options.consistency).into() }
    }
}

impl From<StateOptions> for native::StateOptions {
    fn from(options: StateOptions) -> Self {
        let concurrency = match options.concurrency() {
            StateConcurrency::ConcurrencyUnspecified => native::Concurrency::Unset,
            StateConcurrency::ConcurrencyFirstWrite => native::Concurrency::FirstWrite,
            StateConcurrency::ConcurrencyLastWrite => native::Concurrency::LastWrite,
        };
        Self { concurrency, consistency: options.consistency().into() }
    }
}

impl From<native::Consistency> for StateConsistency {
    fn from(consistency: native::Consistency) -> Self {
        match consistency {
            native::Consistency::Eventual => Self::ConsistencyEventual,
            native::Consistency::Strong => Self::ConsistencyStrong,
        }
    }
}

impl From<StateConsistency> for native::Consistency {
    fn from(consistency: StateConsistency) -> Self {
        match consistency {
            StateConsistency::ConsistencyUnspecified | StateConsistency::ConsistencyEventual => Self::Eventual,
            StateConsistency::ConsistencyStrong => Self::Strong,
        }
    }
}

/// Converts an empty text to `None`, as the protocol has no absent texts.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
/// Metadata keys of an error with an HTTP status: `dapr/pkg/components/pluggable/errors.go`.
pub(crate) const KIT_ERROR: &str = "kit_error";
pub(crate) const HTTP_CODE: &str = "http_code";

/// Returns a gRPC status code's name in Go.
pub(crate) fn code_name(code: Code) -> String {
    match code {
        Code::Cancelled => "Canceled".to_owned(),
        other => format!("{other:?}"),
    }
}
