//! Transactions with an outbox, on `state.in-memory` and `pubsub.in-memory`.

use dapr_building_blocks::ComponentSpec;
use dapr_building_blocks::component::Context;
use tokio::sync::mpsc;

use super::*;
use crate::{Settings, StateCallError};

/// Keeps the messages of the published topic.
struct Kept(mpsc::UnboundedSender<Value>);

#[async_trait]
impl MessageHandler for Kept {
    async fn handle(&self, message: Message) -> Result<(), DeliveryError> {
        self.0.send(serde_json::from_slice(&message.data).unwrap()).map_err(|error| DeliveryError(error.into()))
    }
}

/// An application with a store whose outbox publishes to `orders`; returns what is published.
async fn app(properties: &[(&str, &str)]) -> (Arc<Sidecar>, mpsc::UnboundedReceiver<Value>) {
    let sidecar = Arc::new(Sidecar::new(Settings::new("shop")));
    let own = [("outboxPublishPubsub", "messages"), ("outboxPublishTopic", "orders")];
    let spec = |name: &str, type_: &str, properties: &[(&str, &str)]| ComponentSpec {
        name: name.into(),
        type_: type_.into(),
        properties: properties.iter().copied().collect(),
        ..ComponentSpec::default()
    };
    let mut components = Components::default();
    for spec in
        [spec("store", "state.in-memory", &[&own, properties].concat()), spec("messages", "pubsub.in-memory", &[])]
    {
        let component = component_native::registry().create(spec.clone(), Context::default()).await.unwrap();
        components.add(&spec, &component).unwrap();
    }
    let broker = components.pubsub.broker("messages").unwrap().clone();
    let (sender, receiver) = mpsc::unbounded_channel();
    let request = SubscribeRequest { topic: "orders".to_owned(), batch: 1, ..SubscribeRequest::default() };
    let deliveries = broker.pubsub.subscribe(request, Arc::new(Kept(sender)), CancellationToken::new()).await.unwrap();
    tokio::spawn(deliveries);
    sidecar.set_components(components);
    tokio::spawn(sidecar.clone().relay_outboxes(CancellationToken::new()));
    // The relay subscribes before the first transaction.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    (sidecar, receiver)
}

fn write(key: &str, value: &'static str, metadata: &[(&str, &str)]) -> Operation {
    let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Operation::Upsert(SetRequest { key: key.to_owned(), value: value.into(), metadata, ..SetRequest::default() })
}

async fn transact(sidecar: &Sidecar, operations: Vec<Operation>) -> Result<(), StateCallError> {
    sidecar.state_store("store").unwrap().transact(operations, Metadata::new()).await
}

/// Returns the next message of the published topic.
async fn next(published: &mut mpsc::UnboundedReceiver<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(60), published.recv()).await.expect("a message").unwrap()
}

async fn keys(sidecar: &Sidecar, keys: &[&str]) -> Vec<bool> {
    let mut found = Vec::new();
    for key in keys {
        let request = GetRequest { key: (*key).to_owned(), ..GetRequest::default() };
        found.push(sidecar.state_store("store").unwrap().get(request).await.unwrap().is_some());
    }
    found
}

#[tokio::test(start_paused = true)]
async fn written_value_is_published_after_the_transaction() {
    let (sidecar, mut published) = app(&[]).await;
    let json = [("contentType", "application/json"), ("subject", "s")];
    // As in Dapr, this broker has one delivery at a time, which a second write of the transaction would wait for.
    transact(&sidecar, vec![write("a", r#"{"n":1}"#, &json)]).await.unwrap();
    let event = next(&mut published).await;
    assert_eq!(event["data"], serde_json::json!({ "n": 1 }));
    for (name, value) in [
        ("topic", "orders"),
        ("pubsubname", "messages"),
        ("source", "shop"),
        ("subject", "s"),
        ("type", "com.dapr.event.sent"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!(keys(&sidecar, &["a"]).await, [true]);
    let components = sidecar.components();
    let (_, store, _) = components.state.outboxes().next().unwrap();
    let marker = GetRequest { key: event["id"].as_str().unwrap().to_owned(), ..GetRequest::default() };
    let is_gone = async {
        while store.get(marker.clone()).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), is_gone).await.expect("the marker is deleted");
    transact(&sidecar, vec![write("b", "\"text\"", &[])]).await.unwrap();
    assert_eq!(next(&mut published).await["data"], "text");
}

#[tokio::test(start_paused = true)]
async fn projection_is_published_in_place_of_the_value() {
    let (sidecar, mut published) = app(&[]).await;
    let projection = [(PROJECTION, "true"), ("contentType", "text/plain")];
    transact(&sidecar, vec![write("a", "\"secret\"", &[]), write("a", "\"shown\"", &projection)]).await.unwrap();
    assert_eq!(next(&mut published).await["data"], "shown");
    let read = sidecar.state_store("store").unwrap();
    let request = GetRequest { key: "a".to_owned(), ..GetRequest::default() };
    assert_eq!(&read.get(request).await.unwrap().unwrap().value[..], b"\"secret\"");
}

#[tokio::test(start_paused = true)]
async fn failed_transaction_publishes_nothing() {
    let (sidecar, mut published) = app(&[("outboxDiscardWhenMissingState", "true")]).await;
    let stale = |operation| match operation {
        Operation::Upsert(request) => Operation::Upsert(SetRequest { etag: Some("7".to_owned()), ..request }),
        other => other,
    };
    assert!(transact(&sidecar, vec![stale(write("a", "1", &[]))]).await.is_err());
    assert_eq!(keys(&sidecar, &["a"]).await, [false]);
    tokio::time::sleep(MARKER_TIMEOUT * 2).await;
    assert!(published.try_recv().is_err());
}

#[tokio::test]
async fn transaction_without_its_broker_does_not_take_place() {
    let (sidecar, _published) = app(&[("outboxPubsub", "nowhere")]).await;
    let error = transact(&sidecar, vec![write("a", "1", &[])]).await.unwrap_err();
    assert!(error.to_string().starts_with("error while publishing outbox message: "), "{error}");
    assert_eq!(keys(&sidecar, &["a"]).await, [false]);
}

#[test]
fn markers_follow_the_order_of_writes() {
    let operations = vec![write("a", "1", &[]), Operation::Delete(DeleteRequest::default()), write("b", "2", &[])];
    let (left, published) = projected(operations);
    let keys: Vec<_> = published.iter().map(|request| request.key.as_str()).collect();
    assert_eq!((left.len(), keys), (3, vec!["a", "b"]));
}
