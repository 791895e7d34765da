//! Uses a Wasm state store in a separate program: no daprlet, no sidecar, no HTTP.
//!
//! `cargo run -p embed -- wasm/components/state-in-memory.wasm`

#![expect(clippy::print_stdout, reason = "showing what happens is its purpose")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use component_wasm::{Engine, Options, WasmStateStore};
use dapr_building_blocks::state::{DeleteRequest, GetRequest, SetRequest};
use dapr_building_blocks::{StateError, StateStore as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("name a state store: embed wasm/components/state-in-memory.wasm")?;

    let engine = Engine::new(None)?;
    let module = time_step("load and compile", engine.load(&path, None)).await?;
    let store = time_step("start", WasmStateStore::open(&module, Options::named("example"))).await?;
    println!("{path} declares {:?}", store.features());

    time_step("set", store.set(SetRequest::new("greeting", "hello"))).await?;
    let item = time_step("get", store.get(GetRequest::new("greeting"))).await?.context("it is there")?;
    println!("  greeting = {:?}, etag {:?}", item.value, item.etag);

    let with_etag = SetRequest { etag: item.etag.clone(), ..SetRequest::new("greeting", "hello again") };
    time_step("set with its etag", store.set(with_etag.clone())).await?;
    let refused = time_step("set with the same etag again", store.set(with_etag)).await;
    ensure!(matches!(refused, Err(StateError::EtagMismatch(_))), "a stale etag must be refused: {refused:?}");

    time_step("delete", store.delete(DeleteRequest::new("greeting"))).await?;
    let gone = time_step("get", store.get(GetRequest::new("greeting"))).await?;
    ensure!(gone.is_none(), "what was deleted must be gone");
    Ok(())
}

/// Awaits `work`, and prints its duration.
async fn time_step<T, E: std::fmt::Display>(what: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let begin = Instant::now();
    let result = work.await;
    let outcome = result.as_ref().map_or_else(|error| format!(": {error}"), |_| String::new());
    println!("{:>10} {what}{outcome}", format_duration(begin.elapsed()));
    result
}

fn format_duration(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        format!("{} us", time.as_micros())
    } else {
        format!("{} ms", time.as_millis())
    }
}
