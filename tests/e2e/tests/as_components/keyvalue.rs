//! A component that uses only `wasi:keyvalue`, on Dapr's state.

use std::process::Command;

use e2e::{Deployment, Options, Process, request, wasm};

/// Starts a deployment with a counting service, and returns its port.
fn deployment_with_counter() -> (Deployment, u16) {
    let [port] = e2e::free_ports();
    let command = serde_json::json!([
        "wasmtime",
        "serve",
        "-Skeyvalue",
        "--env",
        "GREETING=hello",
        wasm("components/keyvalue-counter")
    ]);
    let more_apps =
        format!("- {{appID: counter, appDirPath: more, appPort: {port}, daprHTTPPort: 0, command: {command}}}\n");
    let deployment = Deployment::start(&Options { more_apps, ..crate::options() });
    deployment.daprlet.until(|| (get(port, "/").status == 200).then_some(()));
    (deployment, port)
}

fn get(port: u16, path: &str) -> e2e::Response {
    request("GET", &format!("http://127.0.0.1:{port}{path}")).send()
}

#[test]
fn both_keyvalue_drafts_share_one_record() {
    let (_deployment, port) = deployment_with_counter();
    assert_eq!(get(port, "/").text(), "absent");
    assert_eq!(get(port, "/first").text(), "1");
    assert_eq!(get(port, "/second").text(), "2");
    assert_eq!(get(port, "/first").text(), "3");
    assert_eq!(get(port, "/").text(), "3");
}

#[test]
fn same_file_counts_under_plain_wasmtime() {
    let file = wasm("components/keyvalue-visits").display().to_string();
    let [port, plain] = e2e::free_ports();
    let command = serde_json::json!(["wasmtime", "serve", "-Skeyvalue", file]);
    let more_apps =
        format!("- {{appID: visits, appDirPath: more, appPort: {port}, daprHTTPPort: 0, command: {command}}}\n");
    let deployment = Deployment::start(&Options { more_apps, ..crate::options() });
    deployment.daprlet.until(|| (get(port, "/").text() == "1").then_some(()));
    assert_eq!(get(port, "/").text(), "2");
    let Some(program) = toolchains::wasmtime() else { return };
    let address = format!("127.0.0.1:{plain}");
    let mut serve = Command::new(program);
    // Its store lives as long as one instance, and starts with this value.
    serve.args(["serve", "-Scli", "-Skeyvalue", "-Skeyvalue-in-memory-data=visits=41", "--addr", &address]).arg(file);
    let wasmtime = Process::spawn(&mut serve);
    wasmtime.until(|| (get(plain, "/").text() == "42").then_some(()));
}

#[test]
fn concurrent_counter_requests_lose_no_count() {
    let (_deployment, port) = deployment_with_counter();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let path = if number % 2 == 0 { "/first" } else { "/second" };
            scope.spawn(move || assert_eq!(get(port, path).status, 200));
        }
    });
    assert_eq!(get(port, "/").text(), "16");
}

#[test]
fn use_of_a_dropped_handle_fails_only_its_request() {
    let (deployment, port) = deployment_with_counter();
    assert_eq!(get(port, "/first").text(), "1");
    assert_eq!(get(port, "/dropped").status, 500);
    deployment.daprlet.until(|| deployment.daprlet.said().contains("unknown handle index").then_some(()));
    assert_eq!(get(port, "/first").text(), "2");
}

#[test]
fn environment_is_the_configuration() {
    let (_deployment, port) = deployment_with_counter();
    assert_eq!(get(port, "/setting").text(), "hello");
}

#[test]
fn unsupported_operation_and_missing_store_are_errors() {
    let (_deployment, port) = deployment_with_counter();
    assert!(get(port, "/unlisted").text().contains("cannot list"), "{}", get(port, "/unlisted").text());
    assert_eq!(get(port, "/nowhere").text(), "failed: Error::NoSuchStore");
}
