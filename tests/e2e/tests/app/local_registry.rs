//! Applications of several daprlet processes on one machine.

use std::path::Path;
use std::process::Command;

use e2e::{Process, Response, free_ports, request};

use crate::http_app::HttpApp;

/// Starts a daprlet for an application in another process, and returns its Dapr port.
fn run(folder: &Path, registry: &Path, app: &str, app_port: u16, more: &[&str]) -> (Process, u16) {
    let [port] = free_ports();
    let mut command = Command::new(e2e::program());
    command.current_dir(folder).env(e2e::REGISTRY, registry);
    command.args(["run", "--app-id", app, "--app-port", &app_port.to_string(), "--dapr-http-port", &port.to_string()]);
    let daprlet = Process::spawn(command.args(more));
    let health = format!("http://127.0.0.1:{port}/v1.0/healthz");
    daprlet.until(|| (request("GET", &health).send().status == 204).then_some(()));
    (daprlet, port)
}

fn invoke(port: u16, app: &str) -> Response {
    let claim = "somebody-else";
    let url = format!("http://127.0.0.1:{port}/v1.0/invoke/{app}/method/x");
    request("POST", &url).header("daprlet-caller", claim).header("dapr-caller-app-id", claim).body("hello").send()
}

#[test]
fn apps_of_two_processes_invoke_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    let app = HttpApp::start(|head| (201, head.to_ascii_lowercase()));
    let (first, first_port) = run(folder.path(), &registry, "first", app.port, &[]);
    let (second, second_port) = run(folder.path(), &registry, "second", app.port, &[]);
    for (port, caller, callee) in [(first_port, "first", "second"), (second_port, "second", "first.default")] {
        let answer = invoke(port, callee);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let head = answer.text();
        assert!(head.starts_with("post /x "), "{head}");
        assert!(
            head.contains(&format!("dapr-caller-app-id: {caller}\r\n")) && !head.contains("somebody-else"),
            "{head}"
        );
    }
    // A killed process leaves its socket; its application is unknown until a new process starts.
    first.kill();
    let answer = invoke(second_port, "first");
    assert!(answer.status == 500 && answer.text().contains("couldn't find service: first"), "{}", answer.text());
    let (_first, _) = run(folder.path(), &registry, "first", app.port, &[]);
    let answer = invoke(second_port, "first");
    assert_eq!(answer.status, 201, "{}", answer.text());
    drop(second);
}

#[test]
fn access_control_holds_between_processes() {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    let configuration = "kind: Configuration
spec:
  accessControl:
    defaultAction: deny
    trustDomain: public
    policies: [{appId: friend, defaultAction: allow, trustDomain: public, namespace: default}]
";
    std::fs::write(folder.path().join("c.yaml"), configuration).unwrap();
    let app = HttpApp::start(|_| (200, "here".to_owned()));
    let (_callee, _) = run(folder.path(), &registry, "callee", app.port, &["--config", "c.yaml"]);
    let (_friend, friend) = run(folder.path(), &registry, "friend", app.port, &[]);
    let (_stranger, stranger) = run(folder.path(), &registry, "stranger", app.port, &[]);
    assert_eq!(invoke(friend, "callee").text(), "here");
    let denied = invoke(stranger, "callee");
    assert!(
        denied.status == 403 && denied.text().contains("access control policy has denied access"),
        "{}",
        denied.text()
    );
}

#[test]
fn registry_directory_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(e2e::program());
    command.args(["run", "--app-id", "a", "--registry"]).arg(folder.path());
    let daprlet = Process::spawn(&mut command);
    assert_eq!(daprlet.wait().code(), Some(1));
    assert!(daprlet.said().contains("this user alone may enter"), "{}", daprlet.said());
}
