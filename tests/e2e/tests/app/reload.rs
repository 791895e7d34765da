//! Changes of resource files while an application runs.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use e2e::{Process, free_ports, request};

use crate::http_app::HttpApp;

const STATE: &str = "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: NAME},
  spec: {type: state.in-memory, version: v1}}";

const MESSAGES: &str = "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: messages},
  spec: {type: pubsub.sqlite, version: v1, metadata: [{name: connectionString, value: messages.db}]}}";

const SUBSCRIPTION: &str = "{apiVersion: dapr.io/v1alpha1, kind: Subscription, metadata: {name: orders},
  spec: {pubsubname: messages, topic: orders, route: /old}}";

const CLOSED: &str = "{apiVersion: dapr.io/v1alpha1, kind: Configuration, metadata: {name: settings},
  spec: {api: {denied: [{name: state, version: v1, protocol: http}]}}}";

const OPEN: &str = "{apiVersion: dapr.io/v1alpha1, kind: Configuration, metadata: {name: settings}, spec: {}}";

/// An application whose files are changed.
struct Running {
    folder: tempfile::TempDir,
    daprlet: Process,
    port: u16,
    /// Paths of the requests that it got.
    paths: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("resources")).unwrap();
        let paths = Arc::<Mutex<Vec<String>>>::default();
        let seen = paths.clone();
        let app = HttpApp::start(move |head| {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let status = if head.starts_with("GET") { 404 } else { 200 };
            seen.lock().unwrap().push(path);
            (status, String::new())
        });
        let [port] = free_ports();
        let mut command = Command::new(e2e::program());
        command.current_dir(folder.path()).args(["run", "--app-id", "shop", "--resources-path", "resources"]);
        command.args(["--config", "settings.yaml"]);
        command.args(["--app-port", &app.port.to_string(), "--dapr-http-port", &port.to_string()]);
        std::fs::write(folder.path().join("settings.yaml"), OPEN).unwrap();
        for (name, yaml) in files {
            std::fs::write(folder.path().join("resources").join(name), yaml).unwrap();
        }
        let running = Self { daprlet: Process::spawn(&mut command), folder, port, paths };
        running.daprlet.until(|| (running.get("healthz").0 == 204).then_some(()));
        running
    }

    fn write(&self, file: &str, yaml: &str) {
        std::fs::write(self.folder.path().join(file), yaml).unwrap();
    }

    fn get(&self, path: &str) -> (u16, String) {
        let answer = request("GET", &format!("http://127.0.0.1:{}/v1.0/{path}", self.port)).send();
        (answer.status, answer.text())
    }

    fn until_status(&self, path: &str, status: u16) {
        self.daprlet.until(|| (self.get(path).0 == status).then_some(()));
    }

    fn publish(&self) {
        let url = format!("http://127.0.0.1:{}/v1.0/publish/messages/orders", self.port);
        assert_eq!(request("POST", &url).body("{}").send().status, 204);
    }

    /// Counts the requests to a path of the application.
    fn count(&self, path: &str) -> usize {
        self.paths.lock().unwrap().iter().filter(|seen| *seen == path).count()
    }
}

#[test]
fn components_come_and_go_with_their_files() {
    let running = Running::start(&[("a.yaml", &STATE.replace("NAME", "a"))]);
    let url = format!("http://127.0.0.1:{}/v1.0/state/a", running.port);
    assert_eq!(request("POST", &url).body(r#"[{"key":"k","value":1}]"#).send().status, 204);
    assert_eq!(running.get("state/b/k").0, 400);
    // Requests go on meanwhile.
    let (is_over, key) = (Arc::new(AtomicBool::new(false)), format!("{url}/k"));
    let over = is_over.clone();
    let client = thread::spawn(move || {
        let statuses =
            std::iter::from_fn(|| (!over.load(Ordering::Relaxed)).then(|| request("GET", &key).send().status));
        statuses.map(|status| assert_eq!(status, 200)).count()
    });
    running.write("resources/b.yaml", &STATE.replace("NAME", "b"));
    running.until_status("state/b/k", 204);
    // One that has not changed keeps what it holds.
    assert_eq!(running.get("state/a/k"), (200, "1".to_owned()));
    std::fs::remove_file(running.folder.path().join("resources/b.yaml")).unwrap();
    running.until_status("state/b/k", 400);
    is_over.store(true, Ordering::Relaxed);
    assert!(client.join().unwrap() > 0);
}

#[test]
fn file_with_a_mistake_is_told_and_changes_nothing() {
    let running = Running::start(&[("a.yaml", &STATE.replace("NAME", "a"))]);
    running.write("resources/a.yaml", "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: a}}");
    let told = "changed files not loaded, the old ones stay";
    running.daprlet.until(|| running.daprlet.said().contains(told).then_some(()));
    assert!(running.daprlet.said().contains("a.yaml:1: spec is missing"), "{}", running.daprlet.said());
    assert_eq!(running.get("state/a/k").0, 204);
    running.write("resources/a.yaml", &STATE.replace("NAME", "other"));
    running.until_status("state/other/k", 204);
    assert_eq!(running.get("state/a/k").0, 400);
}

#[test]
fn subscription_follows_its_file_and_loses_nothing() {
    let running = Running::start(&[("m.yaml", MESSAGES), ("s.yaml", SUBSCRIPTION)]);
    running.publish();
    running.daprlet.until(|| (running.count("/old") == 1).then_some(()));
    running.write("resources/s.yaml", &SUBSCRIPTION.replace("/old", "/new"));
    running.daprlet.until(|| running.daprlet.said().contains("subscriptions reloaded").then_some(()));
    for _ in 0..10 {
        running.publish();
    }
    running.daprlet.until(|| (running.count("/old") + running.count("/new") == 11).then_some(()));
    running.daprlet.until(|| {
        running.publish();
        (running.count("/new") > 0).then_some(())
    });
    // A rule with a mistake leaves the route as it is.
    let bad =
        "{apiVersion: dapr.io/v2alpha1, kind: Subscription, metadata: {name: orders}, spec: {pubsubname: messages,
      topic: orders, routes: {rules: [{match: 'event.type ==', path: /bad}]}}}";
    running.write("resources/s.yaml", bad);
    running.daprlet.until(|| running.daprlet.said().contains("not reloaded; the old one stays").then_some(()));
    let before = running.count("/new");
    running.publish();
    running.daprlet.until(|| (running.count("/new") > before).then_some(()));
}

#[test]
fn configuration_closes_and_opens_an_api() {
    let running = Running::start(&[("a.yaml", &STATE.replace("NAME", "a"))]);
    assert_eq!(running.get("state/a/k").0, 204);
    running.write("settings.yaml", CLOSED);
    running.until_status("state/a/k", 404);
    running.write("settings.yaml", OPEN);
    running.until_status("state/a/k", 204);
}
