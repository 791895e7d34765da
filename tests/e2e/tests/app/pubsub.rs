//! Messages from a publisher to an application that knows nothing of Dapr.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use e2e::{Process, free_ports, request};

use crate::http_app::HttpApp;

const RESOURCES: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: messages}
spec: {type: pubsub.sqlite, version: v1, metadata: [{name: connectionString, value: messages.db}]}
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: orders}
spec:
  pubsubname: messages
  topic: orders
  routes:
    rules: [{match: event.type == \"cancelled\", path: /cancelled}]
    default: /orders
";

/// Deliveries of each order, by its number.
type Deliveries = Arc<Mutex<BTreeMap<u32, u32>>>;

/// An application that counts the deliveries of each order.
fn app(deliveries: &Deliveries) -> HttpApp {
    let deliveries = deliveries.clone();
    HttpApp::start(move |head| {
        let number = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("number: ")?.parse().ok());
        if let Some(number) = number.filter(|_| head.starts_with("POST /orders ")) {
            *deliveries.lock().unwrap().entry(number).or_default() += 1;
        }
        (if head.starts_with("GET") { 404 } else { 200 }, String::new())
    })
}

fn run(folder: &Path, app_port: u16) -> (Process, u16) {
    let [port] = free_ports();
    let mut command = Command::new(e2e::program());
    command.current_dir(folder).args(["run", "--app-id", "shop", "--resources-path", "resources"]);
    command.args(["--app-port", &app_port.to_string(), "--dapr-http-port", &port.to_string()]);
    let daprlet = Process::spawn(&mut command);
    let health = format!("http://127.0.0.1:{port}/v1.0/healthz");
    daprlet.until(|| (request("GET", &health).send().status == 204).then_some(()));
    (daprlet, port)
}

fn publish(port: u16, number: u32, kind: &str) -> u16 {
    let query = format!("metadata.number={number}&metadata.cloudevent.type={kind}");
    request("POST", &format!("http://127.0.0.1:{port}/v1.0/publish/messages/orders?{query}")).body("{}").send().status
}

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("resources")).unwrap();
    std::fs::write(folder.path().join("resources/messages.yaml"), RESOURCES).unwrap();
    folder
}

#[test]
fn subscription_in_yaml_delivers_published_messages() {
    let (folder, deliveries) = (prepared(), Deliveries::default());
    let (daprlet, port) = run(folder.path(), app(&deliveries).port);
    assert_eq!([publish(port, 1, "placed"), publish(port, 2, "cancelled"), publish(port, 3, "placed")], [204; 3]);
    daprlet.until(|| deliveries.lock().unwrap().contains_key(&3).then_some(()));
    assert_eq!(*deliveries.lock().unwrap(), BTreeMap::from([(1, 1), (3, 1)]));
}

#[test]
fn broker_that_only_dapr_has_is_told_and_the_rest_starts() {
    let (folder, deliveries) = (prepared(), Deliveries::default());
    let default = "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: pubsub},
        spec: {type: pubsub.kafka, version: v1, metadata: [{name: brokers, value: 'localhost:9092'}]}}";
    std::fs::write(folder.path().join("resources/default.yaml"), default).unwrap();
    let (daprlet, port) = run(folder.path(), app(&deliveries).port);
    assert!(
        daprlet.said().contains("default.yaml:1: component \"pubsub\" (pubsub.kafka) is skipped"),
        "{}",
        daprlet.said()
    );
    assert!(daprlet.said().contains("there are pubsub.in-memory, "), "{}", daprlet.said());
    assert_eq!(publish(port, 1, "placed"), 204);
}

#[test]
fn killed_processes_lose_no_acknowledged_message() {
    const KILLS: u32 = 8;
    const PUBLISHERS: u32 = 4;
    let (folder, deliveries) = (prepared(), Deliveries::default());
    let app = app(&deliveries);
    let mut acknowledged = BTreeSet::new();
    for kill in 0..KILLS {
        let (daprlet, port) = run(folder.path(), app.port);
        let publisher = |publisher: u32| {
            thread::spawn(move || {
                let numbers = (0..).map(|index| (kill * PUBLISHERS + publisher) * 100_000 + index);
                numbers.take_while(|number| publish(port, *number, "placed") == 204).collect::<Vec<_>>()
            })
        };
        let publishers: Vec<_> = (0..PUBLISHERS).map(publisher).collect();
        let before = deliveries.lock().unwrap().len();
        daprlet.until(|| (deliveries.lock().unwrap().len() > before + 20 + kill as usize * 7).then_some(()));
        daprlet.kill();
        acknowledged.extend(publishers.into_iter().flat_map(|publisher| publisher.join().unwrap()));
    }
    let (daprlet, _) = run(folder.path(), app.port);
    daprlet.until(|| {
        let deliveries = deliveries.lock().unwrap();
        acknowledged.iter().all(|number| deliveries.contains_key(number)).then_some(())
    });
    let deliveries = deliveries.lock().unwrap();
    let repeated = deliveries.values().filter(|times| **times > 1).count();
    assert!(acknowledged.len() > 100 && repeated < acknowledged.len() / 2, "{repeated} of {}", acknowledged.len());
}
