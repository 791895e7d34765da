//! Promises of every broker, each against its real server.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dapr_building_blocks::PubSub;
use dapr_building_blocks::pubsub::BulkEntry;
use test_servers::{Server, durable_redis};

use crate::brokers::{Subscribed, broker, message, numbers};

/// Limit on one case, beyond which a message counts as lost.
const CASE_TIMEOUT: Duration = Duration::from_secs(300);

/// A broker under test, with its server.
struct Bench {
    type_: &'static str,
    /// Properties under which two creations are one broker, which delivers in order and soon delivers again.
    properties: Vec<(&'static str, String)>,
    /// Properties that name the group; none if the broker has no groups.
    group: &'static [&'static str],
    /// Beginning of every topic.
    prefix: &'static str,
    /// True if members of a group share its messages; else a group has one member.
    is_shared: bool,
    /// True if a message that is not processed is delivered again.
    is_redelivered: bool,
    /// True if metadata is delivered with a message.
    has_metadata: bool,
    server: Option<Server>,
    /// True if the server is asked to end, and not killed.
    is_stopped: bool,
    topics: AtomicU32,
}

impl Bench {
    fn in_memory() -> Self {
        Self {
            type_: "pubsub.in-memory",
            properties: Vec::new(),
            group: &[],
            prefix: "t",
            is_shared: false,
            is_redelivered: false,
            has_metadata: true,
            server: None,
            is_stopped: false,
            topics: AtomicU32::new(0),
        }
    }

    fn sqlite(folder: &Path) -> Self {
        let file = folder.join("messages.db").display().to_string();
        Self {
            type_: "pubsub.sqlite",
            properties: vec![("connectionString", file), ("redeliverInterval", "10ms".to_owned())],
            group: &["consumerID"],
            is_redelivered: true,
            ..Self::in_memory()
        }
    }

    fn redis() -> Option<Self> {
        let server = durable_redis()?;
        let properties = [
            ("redisHost", format!("127.0.0.1:{}", server.port)),
            ("concurrency", "1".to_owned()),
            ("processingTimeout", "100ms".to_owned()),
            ("redeliverInterval", "20ms".to_owned()),
        ];
        Some(Self {
            type_: "pubsub.redis",
            properties: properties.into(),
            group: &["consumerID"],
            is_shared: true,
            is_redelivered: true,
            server: Some(server),
            ..Self::in_memory()
        })
    }

    async fn jetstream() -> Option<Self> {
        let server = test_servers::nats()?;
        let url = format!("nats://127.0.0.1:{}", server.port);
        crate::broker_jetstream::create_stream(&url, "cases.*").await;
        Some(Self {
            type_: "pubsub.jetstream",
            properties: vec![("natsURL", url), ("ackWait", "1s".to_owned())],
            group: &["durableName", "queueGroupName"],
            prefix: "cases.",
            is_shared: true,
            is_redelivered: true,
            has_metadata: false,
            server: Some(server),
            ..Self::in_memory()
        })
    }

    fn rabbitmq() -> Option<Self> {
        let server = test_servers::rabbitmq()?;
        let properties = [
            ("connectionString", format!("amqp://guest:guest@127.0.0.1:{}", server.port)),
            ("concurrencyMode", "single".to_owned()),
            ("deletedWhenUnused", "false".to_owned()),
            ("deliveryMode", "2".to_owned()),
            ("requeueInFailure", "true".to_owned()),
            ("reconnectWaitSeconds", "100ms".to_owned()),
        ];
        Some(Self {
            type_: "pubsub.rabbitmq",
            properties: properties.into(),
            group: &["consumerID"],
            is_shared: true,
            is_redelivered: true,
            has_metadata: false,
            server: Some(server),
            ..Self::in_memory()
        })
    }

    fn mqtt3() -> Option<Self> {
        let server = test_servers::mosquitto()?;
        Some(Self {
            type_: "pubsub.mqtt3",
            properties: vec![("url", format!("mqtt://127.0.0.1:{}", server.port))],
            group: &["consumerID"],
            is_redelivered: true,
            has_metadata: false,
            // A killed Mosquitto loses what it has acknowledged since it last wrote its file.
            is_stopped: true,
            server: Some(server),
            ..Self::in_memory()
        })
    }

    /// Returns a topic that no case has used.
    fn topic(&self) -> String {
        format!("{}{}", self.prefix, self.topics.fetch_add(1, Ordering::Relaxed))
    }

    /// Creates the component for an application that uses `topic`.
    async fn broker(&self, topic: &str) -> Arc<dyn PubSub> {
        self.member("app", topic).await
    }

    /// Creates the component as a member of `group`.
    async fn member(&self, group: &str, topic: &str) -> Arc<dyn PubSub> {
        // Some brokers have groups of one topic each.
        let group = format!("{group}-{}", topic.replace('.', "-"));
        let group: Vec<_> = self.group.iter().map(|name| (*name, group.as_str())).collect();
        broker(self.type_, &self.properties, &group).await
    }

    async fn subscribe(&self, broker: &Arc<dyn PubSub>, topic: &str) -> Subscribed {
        Subscribed::with(broker, topic, self.has_metadata).await
    }

    /// Runs all cases that apply.
    async fn run(&mut self) {
        limited("order", self.messages_arrive_in_order_at_their_topic_alone()).await;
        limited("bulk", self.bulk_publish_is_delivered_in_order()).await;
        limited("end", self.ended_subscription_gets_no_more_messages()).await;
        if self.is_redelivered {
            limited("redelivery", self.rejected_message_is_delivered_again()).await;
        }
        if !self.group.is_empty() {
            limited("groups", self.each_group_gets_every_message()).await;
            limited("restart", self.restarted_subscriber_misses_nothing()).await;
        }
        if self.is_shared {
            limited("members", self.members_of_a_group_share_its_messages()).await;
        }
        if self.server.is_some() {
            limited("loss", self.killed_server_loses_no_acknowledged_message()).await;
        }
    }

    async fn messages_arrive_in_order_at_their_topic_alone(&self) {
        let topics = [self.topic(), self.topic()];
        let broker = self.broker(&topics[0]).await;
        let second = if self.group.is_empty() { broker.clone() } else { self.broker(&topics[1]).await };
        let mut one = self.subscribe(&broker, &topics[0]).await;
        let other = self.subscribe(&second, &topics[1]).await;
        for number in numbers(0..200) {
            broker.publish(message(&topics[0], number)).await.unwrap();
        }
        assert_eq!(one.next(200).await, numbers(0..200), "{}", self.type_);
        assert_eq!((one.end().await, other.end().await), (Vec::new(), Vec::new()), "{}", self.type_);
    }

    async fn bulk_publish_is_delivered_in_order(&self) {
        let topic = self.topic();
        let broker = self.broker(&topic).await;
        let mut subscribed = self.subscribe(&broker, &topic).await;
        let entry = |entry_id: String| BulkEntry { message: message(&topic, entry_id.clone()), entry_id };
        let failed = broker.bulk_publish(numbers(0..50).into_iter().map(entry).collect()).await;
        assert!(failed.is_empty(), "{}", self.type_);
        assert_eq!(subscribed.next(50).await, numbers(0..50), "{}", self.type_);
        subscribed.end().await;
    }

    async fn ended_subscription_gets_no_more_messages(&self) {
        let topic = self.topic();
        let broker = self.broker(&topic).await;
        let mut subscribed = self.subscribe(&broker, &topic).await;
        broker.publish(message(&topic, "1")).await.unwrap();
        subscribed.next(1).await;
        assert!(subscribed.end().await.is_empty(), "{}", self.type_);
        broker.publish(message(&topic, "2")).await.unwrap();
    }

    async fn rejected_message_is_delivered_again(&self) {
        let topic = self.topic();
        let broker = self.broker(&topic).await;
        let mut subscribed = self.subscribe(&broker, &topic).await;
        for data in ["bad 2", "1", "2"] {
            broker.publish(message(&topic, data)).await.unwrap();
        }
        let mut got = subscribed.next(5).await;
        got.sort();
        assert_eq!(got, ["1", "2", "bad 2", "bad 2", "bad 2"], "{}", self.type_);
        assert!(subscribed.end().await.is_empty(), "{}", self.type_);
    }

    async fn each_group_gets_every_message(&self) {
        let topic = self.topic();
        let [first, second] = [self.member("first", &topic).await, self.member("second", &topic).await];
        let mut subscribed = [self.subscribe(&first, &topic).await, self.subscribe(&second, &topic).await];
        for number in numbers(0..20) {
            first.publish(message(&topic, number)).await.unwrap();
        }
        for subscribed in &mut subscribed {
            assert_eq!(subscribed.next(20).await, numbers(0..20), "{}", self.type_);
        }
        for subscribed in subscribed {
            assert!(subscribed.end().await.is_empty(), "{}", self.type_);
        }
    }

    async fn restarted_subscriber_misses_nothing(&self) {
        let topic = self.topic();
        let broker = self.broker(&topic).await;
        let mut subscribed = self.subscribe(&broker, &topic).await;
        for number in numbers(0..50) {
            broker.publish(message(&topic, number)).await.unwrap();
        }
        // It ends with messages that it has not got, or that it has got and not delivered.
        let mut got = subscribed.next(5).await;
        got.extend(subscribed.end().await);
        for number in numbers(50..60) {
            broker.publish(message(&topic, number)).await.unwrap();
        }
        drop(broker);
        let broker = self.broker(&topic).await;
        let mut subscribed = self.subscribe(&broker, &topic).await;
        let rest = subscribed.next(60 - got.len()).await;
        assert_eq!([got, rest].concat(), numbers(0..60), "{}", self.type_);
        assert!(subscribed.end().await.is_empty(), "{}", self.type_);
    }

    async fn members_of_a_group_share_its_messages(&self) {
        let topic = self.topic();
        let [one, other] = [self.broker(&topic).await, self.broker(&topic).await];
        let mut subscribed = [self.subscribe(&one, &topic).await, self.subscribe(&other, &topic).await];
        for number in numbers(0..200) {
            one.publish(message(&topic, number)).await.unwrap();
        }
        let [first, second] = &mut subscribed;
        let mut got = Vec::new();
        while got.len() < 200 {
            let message = tokio::select! {
                message = first.messages.recv() => message,
                message = second.messages.recv() => message,
            };
            got.push(message.unwrap());
        }
        got.sort_by_key(|number| number.parse::<u32>().unwrap());
        assert_eq!(got, numbers(0..200), "{}", self.type_);
        for subscribed in subscribed {
            assert!(subscribed.end().await.is_empty(), "{}", self.type_);
        }
    }

    /// Kills the server while several publish, and starts it again.
    async fn killed_server_loses_no_acknowledged_message(&mut self) {
        const KILLS: usize = 3;
        const PUBLISHERS: u32 = 4;
        let topic = self.topic();
        let broker = self.broker(&topic).await;
        let mut subscribed = self.subscribe(&broker, &topic).await;
        let (acknowledged, is_over) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
        let publisher = |publisher: u32| {
            let (broker, topic) = (broker.clone(), topic.clone());
            let (acknowledged, is_over) = (acknowledged.clone(), is_over.clone());
            tokio::spawn(async move {
                for number in (publisher..).step_by(PUBLISHERS as usize) {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    if broker.publish(message(&topic, number.to_string())).await.is_ok() {
                        acknowledged.lock().unwrap().insert(number.to_string());
                    }
                }
            })
        };
        let publishers: Vec<_> = (0..PUBLISHERS).map(publisher).collect();
        let mut got = BTreeSet::new();
        for kill in 0..=KILLS {
            // Messages are published and delivered before each kill, and after the last.
            let before = acknowledged.lock().unwrap().len();
            while acknowledged.lock().unwrap().len() < before + 50 + 7 * kill {
                got.extend(subscribed.next(1).await);
            }
            if kill < KILLS {
                let (server, is_stopped) = (self.server.as_mut().unwrap(), self.is_stopped);
                tokio::task::block_in_place(|| {
                    if is_stopped {
                        server.stop()
                    } else {
                        server.kill()
                    }
                    server.restart();
                });
            }
        }
        is_over.store(true, Ordering::Relaxed);
        for publisher in publishers {
            publisher.await.unwrap();
        }
        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
        while !acknowledged.is_subset(&got) {
            got.extend(subscribed.next(1).await);
        }
        subscribed.end().await;
    }
}

/// Fails a case that takes too long.
async fn limited(case: &str, run: impl Future<Output = ()>) {
    let outcome = tokio::time::timeout(CASE_TIMEOUT, run).await;
    assert!(outcome.is_ok(), "{case}: too slow, or a message is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_broker_keeps_promises() {
    Bench::in_memory().run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_broker_keeps_promises() {
    let folder = tempfile::tempdir().unwrap();
    Bench::sqlite(folder.path()).run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_broker_keeps_promises() {
    let Some(mut bench) = Bench::redis() else { return };
    bench.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_broker_keeps_promises() {
    let Some(mut bench) = Bench::jetstream().await else { return };
    bench.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_broker_keeps_promises() {
    let Some(mut bench) = Bench::rabbitmq() else { return };
    bench.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt3_broker_keeps_promises() {
    let Some(mut bench) = Bench::mqtt3() else { return };
    bench.run().await;
}
