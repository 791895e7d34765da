//! Components that misbehave. Each time the caller gets an error, and the next call an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use building_blocks::state::{GetRequest, SetRequest, StateFeature};
use building_blocks::{Properties, StateError, StateStore as _};
use wasm_components::{CallError, OpenError, Options, WasmStateStore};

use crate::support::{faulty, module, read, refusal};

/// Short, so that tests are; long enough for a busy machine.
const PATIENCE: Duration = Duration::from_millis(400);

async fn impatient() -> WasmStateStore {
    faulty(|options| options.limits.call = PATIENCE).await.unwrap()
}

async fn init(fault: &str) -> OpenError {
    let opened = faulty(|options| {
        options.properties = Properties::from_iter([("fault", fault)]);
        options.limits.call = PATIENCE;
    });
    opened.await.err().unwrap()
}

#[tokio::test]
async fn an_init_that_fails_traps_or_hangs_is_told() {
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
async fn state_in_memory_survives_calls_and_a_trap_starts_anew() {
    let store = faulty(|_| {}).await.unwrap();
    for expected in ["1", "2", "3"] {
        assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some(expected));
    }
    let told = refusal(&store, "trap").await;
    assert!(told.starts_with("the component trapped during get: ") && told.contains("unreachable"), "{told}");
    assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn hunger_recursion_and_exit_are_errors_and_nothing_more() {
    let store = faulty(|options| options.limits.memory = 16 << 20).await.unwrap();
    for fault in ["hunger", "recursion", "exit"] {
        let told = refusal(&store, fault).await;
        assert!(told.starts_with("the component trapped during get: "), "{fault}: {told}");
        assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some("1"), "{fault}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_loop_or_a_nap_ends_in_time_and_others_compute_meanwhile() {
    let store = impatient().await;
    for fault in ["spin", "sleep"] {
        let begin = Instant::now();
        let mut turns = 0;
        let told = tokio::select! {
            told = refusal(&store, fault) => told,
            () = async { loop { turns += 1; tokio::time::sleep(Duration::from_millis(1)).await } } => unreachable!(),
        };
        assert_eq!(told, "the component did not answer get within 400ms");
        assert!(begin.elapsed() < 20 * PATIENCE && turns > 3, "{fault}: {:?}, {turns} turns", begin.elapsed());
        assert_eq!(read(&store, "reads").await.unwrap().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn who_waits_behind_a_call_that_hangs_is_told_in_time() {
    let store = Arc::new(impatient().await);
    let waiting = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { refusal(&store, "sleep").await })
    });
    let mut told = Vec::new();
    for waiting in waiting.collect::<Vec<_>>() {
        told.push(waiting.await.unwrap());
    }
    assert!(told.iter().any(|it| it.contains("was busy with other calls")), "{told:?}");
    assert!(told.iter().any(|it| it.contains("did not answer get")), "{told:?}");
}

#[tokio::test]
async fn results_that_break_the_contract_are_cut_or_refused() {
    let store = faulty(|options| options.limits.memory = 512 << 20).await.unwrap();
    let told = refusal(&store, "long-error").await;
    assert!(told.len() < 5000 && told.starts_with("eee"), "{} bytes", told.len());
    let told = refusal(&store, "many-keys").await;
    assert!(told.starts_with("the component trapped during get: too much data"), "{told}");
    let requests = ["a", "b", "c"].map(GetRequest::new).to_vec();
    let answers = store.bulk_get(requests, 0).await;
    assert_eq!(answers.len(), 3);
    for answer in answers {
        let told = answer.unwrap_err().to_string();
        assert_eq!(told, "the component's answer to bulk-get breaks the contract: 2 answers to 3 requests");
    }
    let answers = store.bulk_set(vec![SetRequest::new("a", "1")], 0).await;
    assert!(answers.len() == 1 && answers.iter().all(Result::is_err));
}

#[tokio::test]
async fn a_value_over_the_limit_is_refused_before_it_reaches_the_component() {
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
async fn a_full_store_refuses_and_forgets_nothing() {
    let mut options = Options::named("full");
    options.properties = Properties::from_iter([("maxBytes", "1000")]);
    let store = WasmStateStore::open(&module("state-in-memory"), options).await.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();
    let refused = store.set(SetRequest::new("big", vec![0; 1000])).await.unwrap_err();
    assert!(matches!(&refused, StateError::Other(why) if why.to_string().contains("full")), "{refused:?}");
    assert_eq!(read(&store, "k").await.unwrap().as_deref(), Some("v"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_component_that_says_so_has_many_instances() {
    let naps = async |instances: &str| {
        let opened = faulty(|options| {
            options.properties = Properties::from_iter([("instances", instances)]);
            options.limits.call = PATIENCE;
        });
        let store = Arc::new(opened.await.unwrap());
        let napping = (0..4).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { refusal(&store, "sleep").await })
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
async fn a_client_that_hangs_up_costs_nobody_the_state() {
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
