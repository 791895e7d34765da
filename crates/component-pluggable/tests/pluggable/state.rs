//! State stores. `tests/store-conformance` tests their full behaviour, over a socket too.

use component_pluggable::Block;
use dapr_building_blocks::state::{
    DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, TTL_EXPIRE_TIME, TTL_IN_SECONDS,
};
use dapr_building_blocks::{Metadata, StateError};

use crate::support::{Sockets, native};

#[tokio::test]
async fn store_behind_a_socket_keeps_bytes_etags_and_expiry() {
    let sockets = Sockets::new();
    let _served = sockets.serve("memory", Block::StateStore, native("state.in-memory")).await;
    let store = sockets.create("state.memory", "store", &[]).await.unwrap().state_store.unwrap();
    assert!(store.features().contains(StateFeature::Etag) && store.features().contains(StateFeature::Transactional));
    assert_eq!(store.multi_max_size().await, None);
    store.ping().await.unwrap();
    let bytes: Vec<u8> = (0..=255).collect();
    let metadata = Metadata::from([(TTL_IN_SECONDS.to_owned(), "3600".to_owned())]);
    store.set(SetRequest { metadata, ..SetRequest::new("k", bytes.clone()) }).await.unwrap();
    let found = store.get(GetRequest::new("k")).await.unwrap().unwrap();
    assert_eq!(found.value, bytes);
    assert!(found.metadata.contains_key(TTL_EXPIRE_TIME), "{:?}", found.metadata);
    let stale = SetRequest { etag: Some("stale".into()), ..SetRequest::new("k", "v") };
    assert!(matches!(store.set(stale).await, Err(StateError::EtagMismatch(_))));
    store.set(SetRequest { etag: found.etag, ..SetRequest::new("k", "v") }).await.unwrap();
    let operations = vec![Operation::Upsert(SetRequest::new("empty", "")), Operation::Delete(DeleteRequest::new("k"))];
    store.transact(operations, Metadata::new()).await.unwrap();
    assert_eq!(store.get(GetRequest::new("k")).await.unwrap(), None);
    assert_eq!(store.get(GetRequest::new("empty")).await.unwrap().unwrap().value, "", "empty is not absent");
}

#[tokio::test]
async fn value_above_grpc_default_message_size_is_passed() {
    let sockets = Sockets::new();
    let _served = sockets.serve("memory", Block::StateStore, native("state.in-memory")).await;
    let store = sockets.create("state.memory", "store", &[]).await.unwrap().state_store.unwrap();
    let large = vec![7_u8; 8 << 20];
    store.set(SetRequest::new("large", large.clone())).await.unwrap();
    assert_eq!(store.get(GetRequest::new("large")).await.unwrap().unwrap().value, large);
}

#[tokio::test]
async fn lost_component_is_an_error_and_is_reconnected() {
    let sockets = Sockets::new();
    let served = sockets.serve("memory", Block::StateStore, native("state.in-memory")).await;
    let store = sockets.create("state.memory", "store", &[]).await.unwrap().state_store.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();
    served.end().await;
    let error = store.get(GetRequest::new("k")).await.unwrap_err().to_string();
    assert!(error.starts_with("rpc error: code = Unavailable desc = "), "{error}");
    let _served = sockets.serve("memory", Block::StateStore, native("state.in-memory")).await;
    let error = store.get(GetRequest::new("k")).await.unwrap_err().to_string();
    assert!(error.contains("component \"store\" has not been initialised"), "{error}");
}
