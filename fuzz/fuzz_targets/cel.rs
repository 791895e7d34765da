//! Routing rules of subscriptions in CEL: any condition, evaluated for events of the fuzzer and for a large one, in bounded time.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

#[path = "../../crates/dapr-runtime/src/pubsub/routing.rs"]
mod routing;

use routing::Rule;

/// The longest that a condition may take, to read or for one event. An instrumented build takes some ten times as long as a release.
const CONDITION_TIMEOUT: Duration = Duration::from_secs(5);

/// Items of the large event.
const ITEMS: usize = 5_000;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().expect("a runtime"));
static LARGE: LazyLock<Arc<Value>> = LazyLock::new(|| {
    let items: Vec<_> = (0..ITEMS).map(|index| format!("item {index}")).collect();
    Arc::new(json!({"type": "a", "a": items, "b": items, "text": "a".repeat(ITEMS), "data": {"n": 1, "tags": ["x"]}}))
});

fuzz_target!(|bytes: &[u8]| {
    // The condition, a zero, and the event.
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (condition, event) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(condition) = std::str::from_utf8(condition) else { return };
    let begin = Instant::now();
    let Ok(rule) = Rule::new(condition, "/path") else { return };
    assert!(begin.elapsed() < CONDITION_TIMEOUT, "reading {condition:?} took {:?}", begin.elapsed());
    let event = serde_json::from_slice(event).unwrap_or_else(|_| String::from_utf8_lossy(event).into());
    for (event, size) in [(Arc::new(event), 0), (LARGE.clone(), usize::MAX)] {
        let begin = Instant::now();
        let _ = RUNTIME.block_on(routing::route_of(std::slice::from_ref(&rule), &event, size));
        assert!(begin.elapsed() < CONDITION_TIMEOUT, "{:?} took {:?}", rule.condition(), begin.elapsed());
    }
});
