//! Components that misbehave: the caller gets an error, and the next call succeeds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use component_wasm::{CallError, OpenError, Options, WasmStateStore};
use dapr_building_blocks::state::{GetRequest, SetRequest, StateFeature};
use dapr_building_blocks::{Properties, StateError, StateStore as _};

use crate::support::{faulty, module, read, read_error};

/// Short, to keep tests fast; long enough for a busy machine.
const CALL_TIMEOUT: Duration = Duration::from_millis(400);

async fn store_with_short_timeout() -> WasmStateStore {
    faulty(|options| options.limits.call = CALL_TIMEOUT).await.unwrap()
}

async fn init(fault: &str) -> OpenError {
    let opened = faulty(|options| {
        options.properties = Properties::from_iter([("fault", fault)]);
        options.limits.call = CALL_TIMEOUT;
    });
    opened.await.err().unwrap()
}

#[tokio::test]
async fn failing_init_is_reported() {
    let refused = init("misconfigured").await;
    assert!(matches!(&refused, OpenError::Misconfigured(why) if why == "it is all wrong") && !refused.is_retryable());
    let unavailable = init("unavailable").await;
    assert!(matches!(&unavailable, OpenError::Unavailable(_)) && unavailable.is_retryable());
    let trapped = init("trap").await;
    assert!(matches!(&trapped, OpenError::Init(CallError::Trapped { operation: "init", .. })), "{trapped}");
    for hang in ["spin", "sleep"] {
        let hung = init(hang).await;
        assert!(matches!(&hung, OpenError::Init(CallError::TimedOut { operation: "init", .. })), "{hung}");
        assert!(hung.is_retryable());
    }
}

#[tokio::test]
async fn memory_survives_calls_and_is_reset_by_a_trap() {
    let store = faulty(|_| {}).await.unwrap();
    for expected in ["1", "2", "3"] {
        assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some(expected));
    }
    let error = read_error(&store, "trap").await;
    assert!(error.starts_with("the component trapped during get: ") && error.contains("unreachable"), "{error}");
    assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn out_of_memory_recursion_and_exit_are_errors() {
    let store = faulty(|options| options.limits.memory = 16 << 20).await.unwrap();
    for fault in ["hunger", "recursion", "exit"] {
        let error = read_error(&store, fault).await;
        assert!(error.starts_with("the component trapped during get: "), "{fault}: {error}");
        assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some("1"), "{fault}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn endless_loop_or_sleep_times_out_without_blocking() {
    let store = store_with_short_timeout().await;
    for fault in ["spin", "sleep"] {
        let begin = Instant::now();
        let mut turns = 0;
        let error = tokio::select! {
            error = read_error(&store, fault) => error,
            () = async { loop { turns += 1; tokio::time::sleep(Duration::from_millis(1)).await } } => unreachable!(),
        };
        assert_eq!(error, "the component did not answer get within 400ms");
        assert!(begin.elapsed() < 20 * CALL_TIMEOUT && turns > 3, "{fault}: {:?}, {turns} turns", begin.elapsed());
        assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn queued_calls_behind_a_hanging_one_time_out() {
    let store = Arc::new(store_with_short_timeout().await);
    let waiting = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { read_error(&store, "sleep").await })
    });
    let mut errors = Vec::new();
    for waiting in waiting.collect::<Vec<_>>() {
        errors.push(waiting.await.unwrap());
    }
    assert!(errors.iter().any(|it| it.contains("was busy with other calls")), "{errors:?}");
    assert!(errors.iter().any(|it| it.contains("did not answer get")), "{errors:?}");
}

#[tokio::test]
async fn results_that_break_the_contract_are_cut_or_rejected() {
    let store = faulty(|options| options.limits.memory = 512 << 20).await.unwrap();
    let error = read_error(&store, "long-error").await;
    assert!(error.len() < 5000 && error.starts_with("eee"), "{} bytes", error.len());
    let error = read_error(&store, "many-keys").await;
    assert!(error.starts_with("the component trapped during get: too much data"), "{error}");
    let requests = ["a", "b", "c"].map(GetRequest::new).to_vec();
    let answers = store.bulk_get(requests, 0).await;
    assert_eq!(answers.len(), 3);
    for answer in answers {
        let error = answer.unwrap_err().to_string();
        assert_eq!(error, "the component's answer to bulk-get breaks the contract: 2 answers to 3 requests");
    }
    let answers = store.bulk_set(vec![SetRequest::new("a", "1")], 0).await;
    assert!(answers.len() == 1 && answers.iter().all(Result::is_err));
}

#[tokio::test]
async fn too_large_value_is_rejected_before_the_call() {
    let mut options = Options::named("small");
    options.limits.memory = 8 << 20;
    let store = WasmStateStore::open(&module("state-in-memory"), options).await.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();
    let refused = store.set(SetRequest::new("big", vec![0; 3 << 20])).await.unwrap_err();
    assert!(matches!(refused, StateError::InvalidRequest(_)), "{refused:?}");
    let refused = store.bulk_get(vec![GetRequest::new("k".repeat(1 << 20)); 3], 0).await;
    assert!(refused.iter().all(|it| matches!(it, Err(StateError::InvalidRequest(_)))));
    assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"));
}

#[tokio::test]
async fn full_store_rejects_writes_and_keeps_data() {
    let mut options = Options::named("full");
    options.properties = Properties::from_iter([("maxBytes", "1000")]);
    let store = WasmStateStore::open(&module("state-in-memory"), options).await.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();
    let refused = store.set(SetRequest::new("big", vec![0; 1000])).await.unwrap_err();
    assert!(matches!(&refused, StateError::Other(why) if why.to_string().contains("full")), "{refused:?}");
    assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_components_that_allow_it_have_many_instances() {
    let naps = async |instances: &str| {
        let opened = faulty(|options| {
            options.properties = Properties::from_iter([("instances", instances)]);
            options.limits.call = CALL_TIMEOUT;
        });
        let store = Arc::new(opened.await.unwrap());
        let napping = (0..4).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { read_error(&store, "sleep").await })
        });
        let mut busy = 0;
        for nap in napping.collect::<Vec<_>>() {
            busy += usize::from(nap.await.unwrap().contains("was busy"));
        }
        busy
    };
    assert_eq!(naps("many").await, 0);
    assert!(naps("one").await > 0);
}

#[tokio::test]
async fn dropped_call_keeps_the_stores_state() {
    let mut options = Options::named("patient");
    options.limits.call = Duration::from_secs(60);
    let store = WasmStateStore::open(&module("state-in-memory"), options).await.unwrap();
    for round in 0..200 {
        let write = store.set(SetRequest::new("big", vec![0; 1 << 20]));
        // Some of these end before the write does, some after.
        drop(tokio::time::timeout(Duration::from_micros(round * 10), write).await);
    }
    assert!(read(&store, "big").await.unwrap().is_some());
    assert!(store.features().contains(StateFeature::Ttl));
}
