//! Calls to a state store behind a socket, and its errors.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use component_pluggable::{Block, ComponentFactory};
use dapr_building_blocks::state::{
    BatchError, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
};
use dapr_building_blocks::{Component, Metadata, StateError, StateStore};

use crate::support::Sockets;

/// Store that records its calls. Rejects keys that name an error.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<&'static str>>>);

impl Recorder {
    fn record(&self, asked: &'static str) {
        self.0.lock().unwrap().push(asked);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn factory(&self) -> ComponentFactory {
        let recorder = self.clone();
        Arc::new(move |_, _| {
            let recorder = recorder.clone();
            Box::pin(async move { Ok(Component::from_state_store(recorder)) })
        })
    }
}

fn outcome(key: &str) -> Result<(), StateError> {
    match key {
        "status" => Err(StateError::Status { http: 506, code: "Internal".into(), message: "no luck".into() }),
        "stale" => Err(StateError::EtagMismatch(Some("stale".into()))),
        _ => Ok(()),
    }
}

#[async_trait]
impl StateStore for Recorder {
    fn features(&self) -> StateFeatures {
        StateFeatures::new(&[StateFeature::Transactional])
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        self.record("get");
        outcome(&request.key).map(|()| None)
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.record("set");
        outcome(&request.key)
    }

    async fn bulk_set(&self, requests: Vec<SetRequest>, _: usize) -> Vec<Result<(), StateError>> {
        self.record("bulk set");
        requests.iter().map(|request| outcome(&request.key)).collect()
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.record("delete");
        outcome(&request.key)
    }

    async fn transact(&self, _: Vec<Operation>, _: Metadata) -> Result<(), StateError> {
        self.record("transact");
        Ok(())
    }

    async fn multi_max_size(&self) -> Option<usize> {
        self.record("multi max size");
        Some(7)
    }
}

async fn store(sockets: &Sockets) -> Arc<dyn StateStore> {
    sockets.create("state.recorder", "store", &[]).await.unwrap().state_store.unwrap()
}

#[tokio::test]
async fn maximum_transaction_size_is_queried_once() {
    let (sockets, recorder) = (Sockets::new(), Recorder::default());
    let _served = sockets.serve("recorder", Block::StateStore, recorder.factory()).await;
    let store = store(&sockets).await;
    store.set(SetRequest::new("k", "v")).await.unwrap();
    assert_eq!(recorder.take(), ["set"]);
    assert_eq!((store.multi_max_size().await, store.multi_max_size().await), (Some(7), Some(7)));
    assert_eq!(recorder.take(), ["multi max size"]);
}

#[tokio::test]
async fn batch_of_writes_is_one_call_with_one_result() {
    let (sockets, recorder) = (Sockets::new(), Recorder::default());
    let _served = sockets.serve("recorder", Block::StateStore, recorder.factory()).await;
    let store = store(&sockets).await;
    let batch = |keys: [&str; 2]| keys.map(|key| SetRequest::new(key, "v")).to_vec();
    store.set_all(batch(["a", "b"])).await.unwrap();
    assert_eq!(recorder.take(), ["bulk set"]);
    let error = store.set_all(batch(["a", "stale"])).await.unwrap_err();
    assert!(matches!(error, BatchError::Whole(StateError::EtagMismatch(_))), "{error:?}");
}

#[tokio::test]
async fn error_with_an_http_status_keeps_it() {
    let (sockets, recorder) = (Sockets::new(), Recorder::default());
    let _served = sockets.serve("recorder", Block::StateStore, recorder.factory()).await;
    let store = store(&sockets).await;
    let own = |error: StateError| assert!(matches!(error, StateError::Status { http: 506, .. }), "{error:?}");
    own(store.get(GetRequest::new("status")).await.unwrap_err());
    own(store.set(SetRequest::new("status", "v")).await.unwrap_err());
    own(store.delete(DeleteRequest::new("status")).await.unwrap_err());
    let batch = vec![SetRequest::new("a", "v"), SetRequest::new("status", "v")];
    let BatchError::Whole(error) = store.set_all(batch).await.unwrap_err() else { panic!("one answer") };
    own(error);
}
