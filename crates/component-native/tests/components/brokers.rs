//! Promises of `pubsub.sqlite` beyond those of every broker, and what the tests of all brokers share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dapr_building_blocks::PubSub;
use dapr_building_blocks::binding::DeliveryError;
use dapr_building_blocks::pubsub::{Deliveries, Message, MessageHandler, SubscribeRequest};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::create;

pub(crate) async fn broker(type_: &str, properties: &[(&str, String)], more: &[(&str, &str)]) -> Arc<dyn PubSub> {
    let mut all: Vec<(&str, &str)> = properties.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(more);
    create(type_, &all).await.pubsub.unwrap()
}

async fn sqlite(folder: &Path, more: &[(&str, &str)]) -> Arc<dyn PubSub> {
    let file = folder.join("messages.db").display().to_string();
    broker("pubsub.sqlite", &[("connectionString", file)], more).await
}

pub(crate) fn message(topic: &str, data: impl Into<String>) -> Message {
    let metadata = [("name".to_owned(), "value".to_owned())].into();
    Message { topic: topic.to_owned(), data: data.into().into(), metadata, content_type: None }
}

/// Hands messages on; rejects each that begins with `bad` as often as its number says.
pub(crate) struct Receiver {
    /// True if the broker delivers the metadata that a message was published with.
    has_metadata: bool,
    messages: mpsc::UnboundedSender<String>,
    rejections: Mutex<BTreeMap<String, u32>>,
}

impl Receiver {
    /// Creates the handler of a subscription that gets no messages.
    pub(crate) fn unused() -> Arc<Self> {
        Arc::new(Self { has_metadata: true, messages: mpsc::unbounded_channel().0, rejections: Mutex::default() })
    }
}

#[async_trait]
impl MessageHandler for Receiver {
    async fn handle(&self, message: Message) -> Result<(), DeliveryError> {
        if self.has_metadata {
            assert_eq!(message.metadata["name"], "value");
        }
        let data = String::from_utf8(message.data.to_vec()).unwrap();
        self.messages.send(data.clone()).unwrap();
        let Some(times) = data.strip_prefix("bad ") else { return Ok(()) };
        let mut rejections = self.rejections.lock().unwrap();
        let rejected = rejections.entry(data.clone()).or_default();
        *rejected += 1;
        if *rejected <= times.parse().unwrap() { Err(DeliveryError("no".into())) } else { Ok(()) }
    }
}

/// A subscription under test.
pub(crate) struct Subscribed {
    pub(crate) messages: mpsc::UnboundedReceiver<String>,
    shutdown: CancellationToken,
    deliveries: JoinHandle<()>,
}

impl Subscribed {
    pub(crate) async fn to(broker: &Arc<dyn PubSub>, topic: &str) -> Self {
        Self::with(broker, topic, true).await
    }

    pub(crate) async fn with(broker: &Arc<dyn PubSub>, topic: &str, has_metadata: bool) -> Self {
        let (sender, messages) = mpsc::unbounded_channel();
        let handler = Arc::new(Receiver { has_metadata, messages: sender, rejections: Mutex::default() });
        let shutdown = CancellationToken::new();
        let request = SubscribeRequest { topic: topic.to_owned(), ..SubscribeRequest::default() };
        let deliveries: Deliveries = broker.subscribe(request, handler, shutdown.clone()).await.unwrap();
        Self { messages, shutdown, deliveries: tokio::spawn(deliveries) }
    }

    pub(crate) async fn next(&mut self, count: usize) -> Vec<String> {
        let mut got = Vec::new();
        while got.len() < count {
            got.push(self.messages.recv().await.unwrap());
        }
        got
    }

    /// Ends the subscription; returns messages that nobody has taken.
    pub(crate) async fn end(mut self) -> Vec<String> {
        self.shutdown.cancel();
        self.deliveries.await.unwrap();
        let mut rest = Vec::new();
        while let Ok(message) = self.messages.try_recv() {
            rest.push(message);
        }
        rest
    }
}

pub(crate) fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn sqlite_keeps_messages_and_positions_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path(), &[]).await;
    for number in numbers(0..10) {
        broker.publish(message("t", number)).await.unwrap();
    }
    let mut subscribed = Subscribed::to(&broker, "t").await;
    assert_eq!(subscribed.next(10).await, numbers(0..10));
    assert!(subscribed.end().await.is_empty());
    broker.publish(message("t", "10")).await.unwrap();
    drop(broker);
    let broker = sqlite(folder.path(), &[]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    assert_eq!(subscribed.next(1).await, ["10"]);
    assert!(subscribed.end().await.is_empty());
}

#[tokio::test]
async fn sqlite_gives_each_group_every_message() {
    let folder = tempfile::tempdir().unwrap();
    let first = sqlite(folder.path(), &[("consumerID", "first")]).await;
    // Each application names the file from its own directory.
    std::fs::create_dir(folder.path().join("service")).unwrap();
    let second = sqlite(&folder.path().join("service/.."), &[("consumerID", "second")]).await;
    let mut subscribed = [Subscribed::to(&first, "t").await, Subscribed::to(&second, "t").await];
    for number in numbers(0..20) {
        first.publish(message("t", number)).await.unwrap();
    }
    for subscribed in &mut subscribed {
        assert_eq!(subscribed.next(20).await, numbers(0..20));
    }
    let (request, shutdown) =
        (SubscribeRequest { topic: "t".into(), ..SubscribeRequest::default() }, CancellationToken::new());
    let handler =
        Arc::new(Receiver { has_metadata: true, messages: mpsc::unbounded_channel().0, rejections: Mutex::default() });
    let again = first.subscribe(request, handler, shutdown).await.err().unwrap().to_string();
    assert!(again.contains("has a subscription"), "{again}");
}

#[tokio::test]
async fn sqlite_delivers_a_rejected_message_again_while_others_pass() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path(), &[("redeliverInterval", "10ms")]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    for data in ["bad 2", "1", "2"] {
        broker.publish(message("t", data)).await.unwrap();
    }
    let mut got = subscribed.next(5).await;
    assert_eq!(got.first().map(String::as_str), Some("bad 2"));
    got.sort();
    assert_eq!(got, ["1", "2", "bad 2", "bad 2", "bad 2"]);
    assert!(subscribed.end().await.is_empty());
    // The last delivery was accepted.
    assert!(Subscribed::to(&broker, "t").await.end().await.is_empty());
}

#[tokio::test]
async fn sqlite_parks_a_message_after_its_last_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path(), &[("redeliverInterval", "1ms"), ("maxDeliveries", "3")]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    broker.publish(message("t", "bad 9")).await.unwrap();
    assert_eq!(subscribed.next(3).await, ["bad 9"; 3]);
    broker.publish(message("t", "after")).await.unwrap();
    assert_eq!(subscribed.next(1).await, ["after"]);
    assert!(subscribed.end().await.is_empty());
    let parked = "SELECT count(*), max(attempts) FROM pubsub_failed JOIN pubsub_messages USING (id) WHERE next IS NULL";
    let connection = rusqlite::Connection::open(folder.path().join("messages.db")).unwrap();
    let parked = connection.query_row(parked, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(parked, Ok((1, 3)));
}

#[tokio::test]
async fn sqlite_refuses_messages_while_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path(), &[("maxBytes", "100")]).await;
    let subscribed = Subscribed::to(&broker, "t").await;
    assert!(subscribed.end().await.is_empty());
    let large = "x".repeat(60);
    broker.publish(message("t", &large)).await.unwrap();
    let error = broker.publish(message("t", &large)).await.unwrap_err().to_string();
    assert!(error.contains("maxBytes (100)"), "{error}");
    let mut subscribed = Subscribed::to(&broker, "t").await;
    assert_eq!(subscribed.next(1).await, [large.as_str()]);
    subscribed.end().await;
    while broker.publish(message("t", &large)).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn sqlite_keeps_outcomes_until_the_file_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path(), &[("redeliverInterval", "1ms")]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    let connection = rusqlite::Connection::open(folder.path().join("messages.db")).unwrap();
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON pubsub_failed BEGIN SELECT RAISE(ABORT, 'no room'); END";
    connection.execute(fail, []).unwrap();
    broker.publish(message("t", "bad 1")).await.unwrap();
    assert_eq!(subscribed.next(1).await, ["bad 1"]);
    // Commits take the failed outcome along, and fail with it.
    while broker.publish(message("t", "later")).await.is_ok() {}
    connection.execute("DROP TRIGGER fail", []).unwrap();
    while subscribed.next(1).await != ["bad 1"] {}
    subscribed.end().await;
}

#[tokio::test]
async fn sqlite_publishers_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let broker = sqlite(folder.path(), &[]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    let publish = |number: String| {
        let broker = broker.clone();
        tokio::spawn(async move { broker.publish(message("t", number)).await.unwrap() })
    };
    for published in numbers(0..500).into_iter().map(publish).collect::<Vec<_>>() {
        published.await.unwrap();
    }
    let mut got = subscribed.next(500).await;
    got.sort_by_key(|number| number.parse::<u32>().unwrap());
    assert_eq!(got, numbers(0..500));
}
