//! The suite over every store there is, and over stores that are wrong on purpose.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

mod redis;
mod stores;
mod wrong;

use store_conformance::{Behaviours, Report, run, table};

#[tokio::test(flavor = "multi_thread")]
async fn every_store_does_what_a_store_must() {
    let mut reports: Vec<Report> = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, store) in [
        ("state.in-memory", stores::native("state.in-memory", &[]).await),
        ("state.sqlite, file", stores::sqlite(&folder.path().join("new/folder/state.db")).await),
        ("state.sqlite, memory", stores::native("state.sqlite", &[("connectionString", ":memory:")]).await),
        ("state.wasm, state-in-memory", stores::wasm("state-in-memory").await),
    ] {
        reports.push(run(name, store, Behaviours::default()).await);
    }
    for (name, store) in [
        ("on a socket, in-memory", stores::native("state.in-memory", &[]).await),
        ("on a socket, sqlite", stores::sqlite(&folder.path().join("served.db")).await),
        ("on a socket, wasm in-memory", stores::wasm("state-in-memory").await),
    ] {
        reports.push(run(name, stores::on_a_socket(store).await, Behaviours::default()).await);
    }
    if let Some(server) = stores::redis_server() {
        let host = format!("127.0.0.1:{}", server.port);
        let store = stores::native("state.redis", &[("redisHost", &host)]).await;
        reports.push(run("state.redis", store, Behaviours::redis()).await);
        // On its own database: the suite's keys are the same for all stores.
        let store = stores::wasm_redis(&host, "1").await;
        reports.push(run("state.wasm, state-redis", store, Behaviours::redis()).await);
        let store = stores::on_a_socket(stores::wasm_redis(&host, "2").await).await;
        reports.push(run("on a socket, wasm redis", store, Behaviours::redis()).await);
    }
    if let Some(store) = stores::javascript().await {
        reports.push(run("state.wasm, state-store-js", store, Behaviours::default()).await);
    }
    println!("{}", table(&reports));
    for report in &reports {
        assert!(report.outcomes.len() >= 60, "{} cases", report.outcomes.len());
        report.assert_passed();
    }
}
