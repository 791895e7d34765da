//! Policies of a Resiliency, around an application that knows nothing of them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use e2e::{Process, free_ports, request};

use crate::http_app::HttpApp;

const POLICIES: &str = "apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: policies}
spec:
  policies:
    retries: {quick: {duration: 10ms, maxRetries: 5, matching: {httpStatusCodes: 500-599}}}
  targets:
    apps:
      shop: {retry: quick}
";

/// Starts an application with this YAML; returns its Dapr port.
fn run(folder: &Path, yaml: &str, app_port: u16) -> (Process, u16) {
    std::fs::write(folder.join("policies.yaml"), yaml).unwrap();
    let [port] = free_ports();
    let mut command = Command::new(e2e::program());
    command.current_dir(folder).args(["run", "--app-id", "shop", "--resources-path", "."]);
    command.args(["--app-port", &app_port.to_string(), "--dapr-http-port", &port.to_string()]);
    (Process::spawn(&mut command), port)
}

#[test]
fn failing_invocation_is_repeated_as_its_policy_says() {
    let (folder, calls) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU32::new(0)));
    let counted = calls.clone();
    let app = HttpApp::start(move |head| match head.starts_with("POST /order ") {
        true if counted.fetch_add(1, Ordering::Relaxed) < 3 => (503, "busy".to_owned()),
        true => (200, "done".to_owned()),
        false => (404, String::new()),
    });
    let (daprlet, port) = run(folder.path(), POLICIES, app.port);
    let url = format!("http://127.0.0.1:{port}/v1.0");
    daprlet.until(|| (request("GET", &format!("{url}/healthz")).send().status == 204).then_some(()));
    let answer = request("POST", &format!("{url}/invoke/shop/method/order")).body("{}").send();
    assert_eq!((answer.status, answer.text().as_str(), calls.load(Ordering::Relaxed)), (200, "done", 4));
    // A change of the policies is live at once.
    calls.store(0, Ordering::Relaxed);
    std::fs::write(folder.path().join("policies.yaml"), POLICIES.replace("maxRetries: 5", "maxRetries: 0")).unwrap();
    daprlet.until(|| daprlet.said().contains("resiliency policies reloaded").then_some(()));
    assert_eq!(request("POST", &format!("{url}/invoke/shop/method/order")).body("{}").send().status, 503);
    assert!(daprlet.said().contains("call failed, retrying: invoke of app shop"), "{}", daprlet.said());
}

#[test]
fn target_without_its_policy_ends_the_start_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (daprlet, _) = run(folder.path(), &POLICIES.replace("{retry: quick}", "{retry: quik}"), 1);
    assert!(!daprlet.wait().success());
    let said = daprlet.said();
    assert!(said.contains("policies.yaml:9: Resiliency \"policies\": there is no retry \"quik\""), "{said}");
}
