//! Health probes of an application.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{free_ports, request};

use crate::http_app::HttpApp;

#[test]
fn unhealthy_app_gets_no_requests() {
    let is_healthy = Arc::new(AtomicBool::new(false));
    let reported = is_healthy.clone();
    let app = HttpApp::start(move |head| match head.split(' ').nth(1) {
        Some("/alive") if !reported.load(Ordering::SeqCst) => (500, String::new()),
        _ => (200, "here".to_owned()),
    });
    let [port] = free_ports();
    let arguments = format!(
        "run --app-id a --app-port {} --dapr-http-port {port} --enable-app-health-check --app-health-check-path alive \
         --app-health-probe-interval 1 --app-health-threshold 1",
        app.port
    );
    let folder = tempfile::tempdir().unwrap();
    let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    let daprlet = e2e::daprlet(folder.path(), &arguments);
    let invoke = || request("GET", &format!("http://127.0.0.1:{port}/v1.0/invoke/a/method/x")).send();
    let is_refused = || {
        let answer = invoke();
        (answer.status == 500 && answer.text().contains("app is not in a healthy state")).then_some(())
    };
    daprlet.until(|| {
        (request("GET", &format!("http://127.0.0.1:{port}/v1.0/healthz")).send().status == 204).then_some(())
    });
    is_refused().unwrap();
    is_healthy.store(true, Ordering::SeqCst);
    daprlet.until(|| (invoke().text() == "here").then_some(()));
    is_healthy.store(false, Ordering::SeqCst);
    daprlet.until(is_refused);
}

#[test]
fn probe_needs_a_port_and_a_timeout_below_its_interval() {
    for (arguments, expected) in [
        ("--enable-app-health-check", "needs appPort"),
        (
            "--app-port 1 --enable-app-health-check --app-health-probe-interval 1 --app-health-probe-timeout 2000",
            "at most its interval",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> =
            format!("run --app-id a {arguments}").split_whitespace().map(str::to_owned).collect();
        let daprlet = e2e::daprlet(folder.path(), &arguments);
        assert_eq!(daprlet.wait().code(), Some(64));
        assert!(daprlet.said().contains(expected), "{}", daprlet.said());
    }
}
