//! Runs the suite on all stores, and on faulty ones.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

mod faulty;
mod keyvalue;
mod redis;
mod stores;

use store_conformance::{Behaviours, Outcome, Report, run, table};

#[tokio::test(flavor = "multi_thread")]
async fn every_store_conforms() {
    let mut reports: Vec<Report> = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, store) in [
        ("state.in-memory", stores::native("state.in-memory", &[]).await),
        ("state.sqlite, file", stores::sqlite(&folder.path().join("new/folder/state.db")).await),
        ("state.sqlite, memory", stores::native("state.sqlite", &[("connectionString", ":memory:")]).await),
        ("state.wasm, state-in-memory", stores::wasm("state-in-memory").await),
    ] {
        reports.push(run(name, store.clone(), Behaviours::default()).await);
        reports.push(run(&format!("wasi:keyvalue, {name}"), keyvalue::on(store).await, keyvalue::behaviours()).await);
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
        // Each on its own database: the suite uses the same keys for all stores.
        for (name, store) in [
            ("state.redis", stores::native("state.redis", &[("redisHost", &host)]).await),
            ("state.wasm, state-redis", stores::wasm_redis(&host, "1").await),
        ] {
            reports.push(run(name, store.clone(), Behaviours::redis()).await);
            let name = format!("wasi:keyvalue, {name}");
            reports.push(run(&name, keyvalue::on(store).await, keyvalue::behaviours_on_redis()).await);
        }
        let on_a_database = [("redisHost", &*host), ("redisDB", "4")];
        for (name, store) in [
            ("on a socket, redis", stores::native("state.redis", &on_a_database).await),
            ("on a socket, wasm redis", stores::wasm_redis(&host, "2").await),
        ] {
            reports.push(run(name, stores::on_a_socket(store).await, Behaviours::redis()).await);
        }
        let environment = [("STATE_REDISHOST", &*host), ("STATE_REDISDB", "3")];
        let store = keyvalue::from_components(&["keyvalue-on-state", "state-redis"], &environment).await;
        reports.push(run("keyvalue-on-state, state-redis", store, keyvalue::behaviours_on_redis()).await);
    }
    if let Some(store) = stores::javascript().await {
        let another = stores::javascript().await.unwrap();
        reports
            .push(run("on a socket, wasm javascript", stores::on_a_socket(another).await, Behaviours::default()).await);
        reports.push(run("state.wasm, state-store-js", store.clone(), Behaviours::default()).await);
        let name = "wasi:keyvalue, state.wasm, state-store-js";
        reports.push(run(name, keyvalue::on(store).await, keyvalue::behaviours()).await);
    }
    let components: [&[&str]; 2] = [&["keyvalue"], &["keyvalue-on-state", "state-in-memory"]];
    for names in components {
        let store = keyvalue::from_components(names, &[]).await;
        reports.push(run(&names.join(", "), store, keyvalue::behaviours()).await);
    }
    println!("{}", table(&reports));
    for report in &reports {
        let ran = report.outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::NotDeclared).count();
        let least = if report.store.contains("keyvalue") { 40 } else { 75 };
        assert!(ran >= least, "{}: only {ran} cases ran", report.store);
        report.assert_passed();
    }
}
