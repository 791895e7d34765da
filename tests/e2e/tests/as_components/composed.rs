//! A service composed with `dapr:runtime` over `wasi:http`: one file that reaches Dapr over plain HTTP.

use std::path::Path;
use std::process::Command;

use e2e::{Deployment, Options, Process, request, wasm};
use image::ImageFormat;

use crate::pictures::picture;

#[test]
fn composed_service_limits_users_and_records_events() {
    let folder = tempfile::tempdir().unwrap();
    let fused = folder.path().join("grayscale.wasm");
    let composed = Command::new(e2e::program())
        .arg("compose")
        .arg(wasm("components/image-api-grayscale"))
        .arg("--plug")
        .arg(wasm("components/dapr-over-http"))
        .arg("--output")
        .arg(&fused)
        .output()
        .unwrap();
    assert!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
    let [port, dapr] = e2e::free_ports();
    let port_of_dapr = format!("DAPR_HTTP_PORT={dapr}");
    let flags = ["--env", &port_of_dapr, "--env", "RATE_LIMIT_PER_MINUTE=1", "--env", "RATE_LIMIT_BURST=2"];
    let mut command = vec!["wasmtime", "serve", "-Scli"];
    command.extend(flags);
    let fused = fused.display().to_string();
    command.push(&fused);
    let command = serde_json::json!(command);
    let app = format!("{{appID: fused, appDirPath: more, appPort: {port}, daprHTTPPort: {dapr}, command: {command}}}");
    let deployment = Deployment::start(&Options { more_apps: format!("- {app}\n"), ..crate::options() });
    let url = format!("http://127.0.0.1:{port}");
    deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
    let post = || request("POST", &format!("{url}/grayscale")).body(picture(ImageFormat::Png)).send();
    let first = post();
    assert_eq!((first.status, first.header("event-delivery")), (200, "recorded"), "{}", first.text());
    let statuses: Vec<_> = (0..3).map(|_| post().status).collect();
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    under_plain_wasmtime(Path::new(&fused), dapr);
    assert!(!deployment.events("GET", "/events").send().json().as_array().unwrap().is_empty());
}

/// Runs the same file in a runtime without Dapr, beside a sidecar on that port. All users are one there, who has used
/// up the limit above.
fn under_plain_wasmtime(file: &Path, dapr: u16) {
    let Some(program) = toolchains::wasmtime() else { return };
    let [port] = e2e::free_ports();
    let mut serve = Command::new(program);
    serve.args(["serve", "-Scli", "--addr", &format!("127.0.0.1:{port}"), "--env", &format!("DAPR_HTTP_PORT={dapr}")]);
    serve.args(["--env", "RATE_LIMIT_PER_MINUTE=0"]);
    let wasmtime = Process::spawn(serve.arg(file));
    let url = format!("http://127.0.0.1:{port}");
    wasmtime.until(|| (request("GET", &url).send().status == 200).then_some(()));
    let answer = request("POST", &format!("{url}/grayscale")).body(picture(ImageFormat::Png)).send();
    assert_eq!((answer.status, answer.header("event-delivery")), (200, "recorded"), "{}", answer.text());
    let health = request("GET", &format!("{url}/healthz")).send();
    assert_eq!(health.status, 200, "{}", health.text());
}
