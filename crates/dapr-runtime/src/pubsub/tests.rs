//! Publishing and deliveries through `pubsub.in-memory`, without any guest.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::component::Context;
use dapr_building_blocks::pubsub::MessageHandler as _;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::app::AppChannel;
use crate::app::tests::ScriptedChannel;
use crate::{App, AppSettings, Body, Components, InvokeError, Settings, full_body};

/// Records deliveries as path and body, and answers with the body that the path asks for.
#[derive(Default)]
struct Recorder {
    deliveries: Mutex<Vec<(String, Value)>>,
    arrived: Notify,
    /// Lets deliveries to `/slow` go on.
    released: Notify,
}

#[async_trait]
impl AppChannel for Recorder {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let path = request.uri().path().to_owned();
        if path == "/dapr/subscribe" {
            return Ok(Response::builder().status(404).body(full_body("")).unwrap());
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        self.deliveries.lock().unwrap().push((path.clone(), body.clone()));
        self.arrived.notify_waiters();
        if path == "/slow" {
            self.released.notified().await;
        }
        let answer = match path.as_str() {
            "/drop" => json!({ "status": "DROP" }),
            "/bulk" => {
                let entries = body["entries"].as_array().unwrap().iter();
                let status = |entry: &Value| {
                    let asked = entry["event"]["data"].as_str().unwrap().to_owned();
                    json!({ "entryId": entry["entryId"], "status": asked })
                };
                json!({ "statuses": entries.map(status).collect::<Vec<_>>() })
            }
            _ => json!({}),
        };
        Ok(Response::new(full_body(answer.to_string())))
    }

    async fn ready(&self) {}
}

impl Recorder {
    /// Waits for a number of deliveries, and returns them.
    async fn deliveries(&self, count: usize) -> Vec<(String, Value)> {
        loop {
            let arrived = self.arrived.notified();
            let deliveries = self.deliveries.lock().unwrap().clone();
            if deliveries.len() >= count {
                return deliveries;
            }
            arrived.await;
        }
    }
}

/// The broker `p`.
fn in_memory() -> ComponentSpec {
    ComponentSpec {
        name: "p".into(),
        type_: "pubsub.in-memory".into(),
        properties: [("protectedTopics", "secret")].into_iter().collect(),
        ..ComponentSpec::default()
    }
}

/// An application with these subscriptions, topic and path, and the dead letter topic `dead`.
async fn subscribed(subscriptions: &[(&str, &str)]) -> (Arc<Sidecar>, Arc<Recorder>, CancellationToken) {
    let app = App::new(AppSettings { port: Some(80), ..AppSettings::default() });
    let sidecar = Arc::new(Sidecar::new(Settings { app: Arc::new(app), ..Settings::new("app") }));
    let spec = in_memory();
    let component = component_native::registry().create(spec.clone(), Context::default()).await.unwrap();
    let mut components = Components::default();
    components.add(&spec, &component).unwrap();
    sidecar.set_components(components);
    let subscription = |(topic, path): &(&str, &str)| Subscription {
        pubsub: "p".to_owned(),
        topic: (*topic).to_owned(),
        metadata: Metadata::new(),
        dead_letter_topic: if *topic == "dead" { String::new() } else { "dead".to_owned() },
        rules: vec![Rule::new("", path).unwrap()],
        bulk: path.starts_with("/bulk").then(|| BulkSubscribe::new(3, 60_000)),
        kind: SubscriptionKind::Declarative,
    };
    sidecar.set_declared_subscriptions(subscriptions.iter().map(subscription).collect());
    let recorder = Arc::<Recorder>::default();
    sidecar.app().set_channel(recorder.clone());
    let shutdown = CancellationToken::new();
    RunningSubscriptions::default().update(&sidecar, &shutdown).await;
    (sidecar, recorder, shutdown)
}

fn message(topic: &str, data: &'static str) -> PublishRequest {
    let (topic, data) = (topic.to_owned(), Bytes::from(data));
    PublishRequest { topic, data, content_type: "text/plain".to_owned(), ..PublishRequest::default() }
}

#[tokio::test]
async fn published_message_reaches_its_subscription_as_an_event() {
    let (sidecar, recorder, _) = subscribed(&[("t", "/on/t")]).await;
    sidecar.publish("p", message("t", "hello")).await.unwrap();
    let deliveries = recorder.deliveries(1).await;
    let (path, event) = &deliveries[0];
    assert_eq!(path, "/on/t");
    for (name, expected) in [("data", "hello"), ("topic", "t"), ("pubsubname", "p"), ("source", "app")] {
        assert_eq!(event[name], expected, "{name}");
    }
}

#[tokio::test]
async fn rejected_message_goes_to_the_dead_letter_topic() {
    let (sidecar, recorder, _) = subscribed(&[("t", "/drop"), ("dead", "/dead")]).await;
    sidecar.publish("p", message("t", "hello")).await.unwrap();
    let deliveries = recorder.deliveries(2).await;
    let [(first, event), (second, dead)] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!([first.as_str(), second.as_str()], ["/drop", "/dead"]);
    assert_eq!(event, dead);
}

#[tokio::test]
async fn scopes_and_missing_brokers_are_errors() {
    let (sidecar, _, _) = subscribed(&[]).await;
    for (pubsub, topic, code, status) in [
        ("p", "secret", "ERR_PUBSUB_FORBIDDEN", 403),
        ("q", "t", "ERR_PUBSUB_NOT_FOUND", 404),
        ("p", "", "ERR_TOPIC_NAME_EMPTY", 404),
    ] {
        let error = sidecar.publish(pubsub, message(topic, "x")).await.unwrap_err();
        assert_eq!((error.code, error.http_status().as_u16()), (code, status), "{pubsub}/{topic}");
    }
}

#[tokio::test]
async fn shutdown_waits_for_deliveries_under_way() {
    let (sidecar, recorder, shutdown) = subscribed(&[("t", "/slow")]).await;
    sidecar.publish("p", message("t", "hello")).await.unwrap();
    recorder.deliveries(1).await;
    let finished = tokio::spawn(sidecar.clone().finish_deliveries(shutdown.clone()));
    shutdown.cancel();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!finished.is_finished());
    recorder.released.notify_one();
    finished.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn bulk_delivery_has_an_outcome_for_each_entry() {
    let (sidecar, recorder, shutdown) = subscribed(&[("dead", "/dead")]).await;
    let components = sidecar.components();
    let PubSubs(brokers) = &components.pubsub;
    let deliverer = subscription::Deliverer {
        sidecar: sidecar.clone(),
        broker: brokers["p"].clone(),
        subscription: Subscription {
            topic: "t".to_owned(),
            rules: vec![Rule::new("", "/bulk").unwrap()],
            ..sidecar.subscriptions()[0].clone()
        },
    };
    let limits = BulkSubscribe::new(3, 60_000);
    let collector: Arc<dyn dapr_building_blocks::pubsub::MessageHandler> =
        Arc::new(bulk_subscription::Collector::start(deliverer, limits, shutdown));
    let handled = ["SUCCESS", "RETRY", "DROP"].map(|data| {
        let event = json!({ "id": data, "data": data }).to_string().into();
        let message = Message { topic: "t".to_owned(), data: event, ..Message::default() };
        let collector = collector.clone();
        tokio::spawn(async move { collector.handle(message).await.is_ok() })
    });
    let mut outcomes = Vec::new();
    for handled in handled {
        outcomes.push(handled.await.unwrap());
    }
    assert_eq!(outcomes, [true, false, true]);
    let deliveries = recorder.deliveries.lock().unwrap().clone();
    let [(path, body)] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!((path.as_str(), body["entries"].as_array().unwrap().len()), ("/bulk", 3));
    assert_eq!(Duration::from_secs(60), limits.max_await);
}

#[tokio::test(start_paused = true)]
async fn delivery_is_repeated_until_its_policy_ends() {
    let spec = "{policies: {retries: {r: {duration: 1s, maxRetries: 2, matching: {httpStatusCodes: '500-599'}}}},
      targets: {components: {p: {inbound: {retry: r}}}}}";
    for (responses, posts, is_processed) in [
        (vec![(500, ""), (200, r#"{"status":"RETRY"}"#), (200, "")], 3, true),
        (vec![(500, ""), (500, ""), (500, ""), (200, "")], 3, false),
        (vec![(200, r#"{"status":"DROP"}"#), (200, "")], 1, true),
        (vec![(429, ""), (200, "")], 1, false),
    ] {
        let (sidecar, channel) = (crate::tests::sidecar(), ScriptedChannel::new(&responses));
        sidecar.calls.set_resiliency(crate::resiliency::tests::read(spec).unwrap());
        sidecar.app().set_channel(channel.clone());
        let pubsub = component_native::registry().create(in_memory(), Context::default()).await.unwrap();
        let mut components = Components::default();
        components.add(&in_memory(), &pubsub).unwrap();
        let subscription = Subscription {
            pubsub: "p".to_owned(),
            topic: "t".to_owned(),
            metadata: Metadata::new(),
            dead_letter_topic: String::new(),
            rules: vec![Rule::new("", "/on/t").unwrap()],
            bulk: None,
            kind: SubscriptionKind::Declarative,
        };
        let broker = components.pubsub.0["p"].clone();
        let deliverer = subscription::Deliverer { sidecar, broker, subscription };
        let data = r#"{"id":"1","data":"x"}"#.into();
        let handled = deliverer.handle(Message { topic: "t".to_owned(), data, ..Message::default() }).await;
        assert_eq!(handled.is_ok(), is_processed, "{responses:?}: {handled:?}");
        assert_eq!(channel.requests.lock().unwrap().len(), posts, "{responses:?}");
    }
}
