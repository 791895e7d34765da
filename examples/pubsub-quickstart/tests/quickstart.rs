//! The example as its README runs it, as native programs.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

use std::process::Command;

use e2e::{Process, free_ports, request};

#[test]
fn published_order_is_shipped_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let ports @ [_, publisher, first, second] = free_ports();
    let template = include_str!("../dapr.yaml")
        .replace("\"wasmedge\", \"subscriber.wasm\"", &format!("{:?}", env!("CARGO_BIN_EXE_subscriber")))
        .replace("\"wasmedge\", \"publisher.wasm\"", &format!("{:?}", env!("CARGO_BIN_EXE_publisher")));
    let template = ["9011", "9010", "3511", "3510"]
        .iter()
        .zip(ports)
        .fold(template, |text, (old, new)| text.replace(old, &new.to_string()));
    std::fs::write(folder.path().join("dapr.yaml"), template).unwrap();
    std::fs::create_dir(folder.path().join("resources")).unwrap();
    std::fs::write(folder.path().join("resources/messages.yaml"), include_str!("../resources/messages.yaml")).unwrap();
    let start = || {
        let daprlet =
            Process::spawn(Command::new(e2e::program()).current_dir(&folder).args(["run", "-f", "dapr.yaml"]));
        for port in [first, second] {
            let health = format!("http://127.0.0.1:{port}/v1.0/healthz");
            daprlet.until(|| (request("GET", &health).send().status == 204).then_some(()));
        }
        daprlet
    };
    let order = |number: u32| {
        let order = request("POST", &format!("http://127.0.0.1:{publisher}/order"));
        let body = format!(r#"{{"number":{number}}}"#);
        let answer = order.header("content-type", "application/json").body(body).send();
        assert_eq!(answer.status, 202, "{}", answer.text());
    };
    let daprlet = start();
    order(7);
    daprlet.until(|| daprlet.said().contains("order 7 is shipped").then_some(()));
    // An order that nobody gets now waits in the file.
    assert_eq!(request("POST", &format!("http://127.0.0.1:{first}/v1.0/shutdown")).send().status, 204);
    daprlet.until(|| daprlet.said().contains("application ended").then_some(()));
    order(8);
    daprlet.interrupt();
    assert!(daprlet.wait().success() && !daprlet.said().contains("order 8"));
    let daprlet = start();
    daprlet.until(|| daprlet.said().contains("order 8 is shipped").then_some(()));
    assert!(!daprlet.said().contains("order 7"), "{}", daprlet.said());
}
