//! Replacing a module while it is in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use component_wasm::{Options, ReplaceError, WasmStateStore};
use dapr_building_blocks::StateStore as _;
use dapr_building_blocks::state::{GetRequest, SetRequest};

use crate::support::{engine, module, read};

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_a_module_is_replaced() {
    let module = module("state-in-memory");
    let store = Arc::new(WasmStateStore::open(&module, Options::named("busy")).await.unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let writers = (0..8).map(|writer| {
        let (store, done) = (store.clone(), done.clone());
        tokio::spawn(async move {
            // At least once after the last replacement.
            loop {
                let is_last = done.load(Ordering::Relaxed);
                store.set(SetRequest::new(format!("k{writer}"), "v")).await.unwrap();
                store.get(GetRequest::new(format!("k{writer}"))).await.unwrap();
                if is_last {
                    return;
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for _ in 0..50 {
        store.replace(&module).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn invalid_module_changes_nothing() {
    let store = WasmStateStore::open(&module("state-in-memory"), Options::named("kept")).await.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();
    let wrong = engine().compile(&wat::parse_str("(component)").unwrap(), None).unwrap();
    assert!(matches!(store.replace(&wrong).await, Err(ReplaceError::Open(_))));
    assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"));
}
