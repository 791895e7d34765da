//! A component that knows `wasi:keyvalue` and nothing of Dapr, on Dapr's state.

use std::process::Command;

use e2e::{Options, Process, World, request, wasm};

/// A world with a service that counts, and the port that it listens on.
fn world_with_counter() -> (World, u16) {
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
    let world = World::start(&Options { more_apps, ..crate::options() });
    world.daprlet.until(|| (get(port, "/").status == 200).then_some(()));
    (world, port)
}

fn get(port: u16, path: &str) -> e2e::Answer {
    request("GET", &format!("http://127.0.0.1:{port}{path}")).send()
}

#[test]
fn both_drafts_count_in_one_record() {
    let (_world, port) = world_with_counter();
    assert_eq!(get(port, "/").text(), "absent");
    assert_eq!(get(port, "/first").text(), "1");
    assert_eq!(get(port, "/second").text(), "2");
    assert_eq!(get(port, "/first").text(), "3");
    assert_eq!(get(port, "/").text(), "3");
}

#[test]
fn the_same_file_counts_here_and_under_plain_wasmtime() {
    let file = wasm("components/keyvalue-visits").display().to_string();
    let [port, plain] = e2e::free_ports();
    let command = serde_json::json!(["wasmtime", "serve", "-Skeyvalue", file]);
    let more_apps =
        format!("- {{appID: visits, appDirPath: more, appPort: {port}, daprHTTPPort: 0, command: {command}}}\n");
    let world = World::start(&Options { more_apps, ..crate::options() });
    world.daprlet.until(|| (get(port, "/").text() == "1").then_some(()));
    assert_eq!(get(port, "/").text(), "2");
    let Some(program) = real_programs::wasmtime() else { return };
    let address = format!("127.0.0.1:{plain}");
    let mut serve = Command::new(program);
    // Its store lives as long as one instance, and begins with this.
    serve.args(["serve", "-Scli", "-Skeyvalue", "-Skeyvalue-in-memory-data=visits=41", "--addr", &address]).arg(file);
    let wasmtime = Process::spawn(&mut serve);
    wasmtime.until(|| (get(plain, "/").text() == "42").then_some(()));
}

#[test]
fn counters_of_many_requests_at_once_lose_none() {
    let (_world, port) = world_with_counter();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let path = if number % 2 == 0 { "/first" } else { "/second" };
            scope.spawn(move || assert_eq!(get(port, path).status, 200));
        }
    });
    assert_eq!(get(port, "/").text(), "16");
}

#[test]
fn a_handle_used_after_its_end_ends_that_request_and_no_other() {
    let (world, port) = world_with_counter();
    assert_eq!(get(port, "/first").text(), "1");
    assert_eq!(get(port, "/dropped").status, 500);
    world.daprlet.until(|| world.daprlet.said().contains("unknown handle index").then_some(()));
    assert_eq!(get(port, "/first").text(), "2");
}

#[test]
fn its_environment_is_its_configuration() {
    let (_world, port) = world_with_counter();
    assert_eq!(get(port, "/setting").text(), "hello");
}

#[test]
fn what_daprs_state_cannot_do_and_a_store_that_is_not_there_are_errors_and_no_traps() {
    let (_world, port) = world_with_counter();
    assert!(get(port, "/unlisted").text().contains("cannot list"), "{}", get(port, "/unlisted").text());
    assert_eq!(get(port, "/nowhere").text(), "failed: Error::NoSuchStore");
}
