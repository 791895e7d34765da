//! Converts between the native traits and the contract.

use dapr_building_blocks::state as native;
use dapr_building_blocks::state::{StateFeature, StateFeatures, StateItem};
use dapr_building_blocks::{Metadata, StateError};

use crate::contract::state::{
    Concurrency, Consistency, DeleteRequest, Error, Features, GetRequest, Item, Operation, Options, SetRequest,
};
use crate::error::CallError;
use crate::text::cut;

pub(super) fn get_request(request: native::GetRequest) -> GetRequest {
    let native::GetRequest { key, metadata: its, consistency: wanted } = request;
    GetRequest { key, metadata: metadata(its), consistency: consistency(wanted) }
}

pub(super) fn set_request(request: native::SetRequest) -> SetRequest {
    let native::SetRequest { key, value, etag, metadata: its, options: wanted, content_type } = request;
    SetRequest { key, value: value.into(), etag, metadata: metadata(its), options: options(wanted), content_type }
}

pub(super) fn delete_request(request: native::DeleteRequest) -> DeleteRequest {
    let native::DeleteRequest { key, etag, metadata: its, options: wanted } = request;
    DeleteRequest { key, etag, metadata: metadata(its), options: options(wanted) }
}

pub(super) fn operation(operation: native::Operation) -> Operation {
    match operation {
        native::Operation::Upsert(request) => Operation::Set(set_request(request)),
        native::Operation::Delete(request) => Operation::Delete(delete_request(request)),
    }
}

pub(super) fn metadata(metadata: Metadata) -> Vec<(String, String)> {
    metadata.into_iter().collect()
}

const fn options(options: native::StateOptions) -> Options {
    let concurrency = match options.concurrency {
        native::Concurrency::Unset => Concurrency::Unspecified,
        native::Concurrency::FirstWrite => Concurrency::FirstWrite,
        native::Concurrency::LastWrite => Concurrency::LastWrite,
    };
    Options { concurrency, consistency: consistency(options.consistency) }
}

const fn consistency(consistency: native::Consistency) -> Consistency {
    match consistency {
        native::Consistency::Eventual => Consistency::Eventual,
        native::Consistency::Strong => Consistency::Strong,
    }
}

pub(super) fn features(features: Features) -> StateFeatures {
    let pairs = [
        (Features::ETAG, StateFeature::Etag),
        (Features::TRANSACTIONAL, StateFeature::Transactional),
        (Features::TTL, StateFeature::Ttl),
        (Features::PARTITION_KEY, StateFeature::PartitionKey),
    ];
    pairs.into_iter().filter(|(its, _)| features.contains(*its)).map(|(_, ours)| ours).collect()
}

pub(super) fn item(item: Item) -> StateItem {
    let Item { value, etag, metadata, content_type } = item;
    StateItem { value: value.into(), etag, metadata: metadata.into_iter().collect(), content_type }
}

/// Converts an error of the component to that of the native trait.
pub(super) fn store_error(error: Error) -> StateError {
    match error {
        Error::EtagMismatch(why) => StateError::EtagMismatch(why.map(|why| cut(why).into())),
        Error::InvalidEtag(why) => StateError::EtagInvalid(cut(why).into()),
        Error::Unsupported(what) => StateError::Unsupported(cut(what).into()),
        Error::InvalidRequest(why) => StateError::InvalidRequest(cut(why)),
        Error::Unavailable(why) => StateError::Unavailable(cut(why).into()),
        Error::Other(why) => StateError::Other(cut(why).into()),
    }
}

/// Converts a failed call.
pub(super) fn call_error(error: CallError) -> StateError {
    match error {
        CallError::TooLarge { .. } => StateError::InvalidRequest(error.to_string()),
        CallError::Busy { .. } | CallError::Restart(_) => StateError::Unavailable(error.into()),
        CallError::Trapped { .. } | CallError::TimedOut { .. } | CallError::InvalidResult { .. } => {
            StateError::Other(error.into())
        }
    }
}
