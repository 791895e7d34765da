//! Native and Wasm store on one Redis: each reads the other's values and follows the same rules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dapr_building_blocks::state::{
    Concurrency, DeleteRequest, GetRequest, Operation, SetRequest, StateItem, StateOptions, TTL_IN_SECONDS,
};
use dapr_building_blocks::{Metadata, StateError, StateStore};

use crate::stores;

type Store = Arc<dyn StateStore>;

async fn get(store: &Store, key: &str) -> Option<StateItem> {
    store.get(GetRequest::new(key)).await.unwrap()
}

async fn etag(store: &Store, key: &str) -> Option<String> {
    get(store, key).await.and_then(|item| item.etag)
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_wasm_stores_share_values() {
    let Some(server) = stores::redis_server() else { return };
    let host = format!("127.0.0.1:{}", server.port);
    let native = stores::native("state.redis", &[("redisHost", &host)]).await;
    let component = stores::wasm_redis(&host, "0").await;
    for (writer, reader) in [(&native, &component), (&component, &native)] {
        exchange(writer, reader).await;
    }
}

async fn exchange(writer: &Store, reader: &Store) {
    for value in [&br#"{"a": [1, "\u00e4"]}"#[..], b"", &[0, 13, 10, 255]] {
        writer.set(SetRequest::new("app||k", value.to_vec())).await.unwrap();
        assert_eq!(get(writer, "app||k").await, get(reader, "app||k").await);
        assert_eq!(get(reader, "app||k").await.unwrap().value, value);
    }

    let by_etag = SetRequest { etag: etag(writer, "app||k").await, ..SetRequest::new("app||k", "2") };
    reader.set(by_etag.clone()).await.unwrap();
    let [ours, theirs] = [writer.set(by_etag.clone()).await, reader.set(by_etag).await].map(Result::unwrap_err);
    assert!(matches!(ours, StateError::EtagMismatch(_)), "{ours:?}");
    assert_eq!(words(&ours), words(&theirs));

    let metadata = Metadata::from([(TTL_IN_SECONDS.to_owned(), "1".to_owned())]);
    writer.set(SetRequest { metadata, ..SetRequest::new("app||short", "v") }).await.unwrap();
    let start = Instant::now();
    while get(reader, "app||short").await.is_some() {
        assert!(start.elapsed() < Duration::from_secs(15), "it does not expire");
    }

    let options = StateOptions { concurrency: Concurrency::FirstWrite, ..StateOptions::default() };
    writer.set(SetRequest { options, ..SetRequest::new("app||first", "v") }).await.unwrap();
    let [ours, theirs] = [writer, reader].map(|store| store.set(SetRequest::new("app||first", "w")));
    let [ours, theirs] = [ours.await, theirs.await].map(Result::unwrap_err);
    assert_eq!(words(&ours), words(&theirs));

    let deletes = ["app||k", "app||first"].map(|key| Operation::Delete(DeleteRequest::new(key)));
    reader.transact(deletes.to_vec(), Metadata::new()).await.unwrap();
    assert_eq!((get(writer, "app||k").await, get(writer, "app||first").await), (None, None));
}

/// Formats an error with its causes, as callers of Dapr see it.
fn words(error: &StateError) -> String {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn component_reports_lost_server_and_reconnects() {
    let Some(mut server) = stores::redis_server() else { return };
    let store = stores::wasm_redis(&format!("127.0.0.1:{}", server.port), "0").await;
    store.set(SetRequest::new("k", "v")).await.unwrap();

    server.kill();
    for _ in 0..2 {
        let error = store.get(GetRequest::new("k")).await.unwrap_err();
        assert!(matches!(error, StateError::Unavailable(_)), "{error:?}");
    }

    server.restart();
    // The first call already succeeds: a connection that broke while it was idle is made anew.
    store.set(SetRequest::new("k", "w")).await.unwrap();
    server.kill();
    server.restart();
    assert_eq!(get(&store, "k").await, None);
    store.ping().await.unwrap();
}
