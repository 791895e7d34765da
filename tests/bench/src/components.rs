//! Cost of a state store that is a Wasm component.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use component_wasm::{Engine, Options, WasmStateStore};
use dapr_building_blocks::state::{GetRequest, SetRequest};
use dapr_building_blocks::{ComponentSpec, Context, StateStore};
use e2e::wasm;

use crate::row::Row;

/// Calls of each kind; enough for a stable median.
const CALLS: usize = 20_000;
/// Bytes of a typical value: a record of a user, a session.
const VALUE: usize = 256;

/// Measures the added time of an operation, and the load time.
pub(crate) fn rows() -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(&wasm("components/state-in-memory")))
}

async fn measure(path: &Path) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let open = async || {
        let begin = Instant::now();
        let engine = Engine::new(Some(folder.path().to_owned()))?;
        let ready = begin.elapsed();
        let module = engine.load(path, None).await?;
        let store = WasmStateStore::open(&module, Options::named("bench")).await?;
        anyhow::Ok((store, begin.elapsed().saturating_sub(ready)))
    };
    let (_, cold) = open().await?;
    let (component, mut warm) = open().await?;
    for _ in 0..10 {
        warm = warm.min(open().await?.1);
    }
    let component: Arc<dyn StateStore> = Arc::new(component);
    let spec = ComponentSpec { name: "native".into(), type_: "state.in-memory".into(), ..ComponentSpec::default() };
    let native = component_native::registry().create(spec, Context::default()).await?;
    let native = native.state_store.context("state.in-memory is a state store")?;
    // Warms caches and the branch predictor.
    reads(&native, CALLS / 10).await?;
    reads(&component, CALLS / 10).await?;
    let read = (reads(&native, CALLS).await?, reads(&component, CALLS).await?);
    let write = (writes(&native, CALLS).await?, writes(&component, CALLS).await?);
    let added = |what, (native, component): (Duration, Duration)| Row {
        what,
        measured: format!("{:.1} us ({:.1} us)", micros(component.saturating_sub(native)), micros(component)),
        compared: format!("state.in-memory {:.1} us", micros(native)),
        ratio: format!("{:.1}", component.as_secs_f64() / native.as_secs_f64()),
        must: "20 us",
        hope: "5 us",
    };
    let load = |what, time: Duration, must, hope| Row {
        what,
        measured: format!("{:.1} ms", time.as_secs_f64() * 1e3),
        compared: String::new(),
        ratio: String::new(),
        must,
        hope,
    };
    Ok(vec![
        added("added p50 of a state read through a Wasm component", read),
        added("added p50 of a state write through a Wasm component", write),
        load("load and start of a Wasm component, compiled before", warm, "5 ms", "2 ms"),
        load("load and start of a Wasm component, nothing compiled", cold, "-", "-"),
    ])
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

async fn reads(store: &Arc<dyn StateStore>, calls: usize) -> anyhow::Result<Duration> {
    store.set(SetRequest::new("key", vec![b'v'; VALUE])).await?;
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let request = GetRequest::new("key");
        let begin = Instant::now();
        let item = store.get(request).await?;
        times.push(begin.elapsed());
        anyhow::ensure!(item.is_some_and(|item| item.value.len() == VALUE), "the value is not what was written");
    }
    median(times)
}

async fn writes(store: &Arc<dyn StateStore>, calls: usize) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let request = SetRequest::new("key", vec![b'v'; VALUE]);
        let begin = Instant::now();
        store.set(request).await?;
        times.push(begin.elapsed());
    }
    median(times)
}

fn median(mut times: Vec<Duration>) -> anyhow::Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("nothing was measured")
}
