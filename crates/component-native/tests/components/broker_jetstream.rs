//! `pubsub.jetstream` beyond the promises of every broker.

use std::sync::Arc;

use async_nats::jetstream::{self, stream};
use dapr_building_blocks::pubsub::{PubSub, SubscribeRequest};
use test_servers::{free_port, nats};
use tokio_util::sync::CancellationToken;

use crate::brokers::{Receiver, Subscribed, broker, message};
use crate::harness::try_create;

/// Creates a stream of these subjects, which an administrator does elsewhere.
pub(crate) async fn create_stream(url: &str, subjects: &str) {
    let client = async_nats::connect(url).await.unwrap();
    let config = stream::Config { name: "s".into(), subjects: vec![subjects.to_owned()], ..stream::Config::default() };
    jetstream::new(client).create_stream(config).await.unwrap();
}

async fn on(url: &str, more: &[(&str, &str)]) -> Arc<dyn PubSub> {
    broker("pubsub.jetstream", &[("natsURL", url.to_owned())], more).await
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_event_that_is_published_again_is_dropped() {
    let Some(server) = nats() else { return };
    let url = format!("nats://127.0.0.1:{}", server.port);
    create_stream(&url, "t").await;
    let broker = on(&url, &[]).await;
    let mut subscribed = Subscribed::with(&broker, "t", false).await;
    for data in [r#"{"id":"1"}"#, r#"{"id":"1"}"#, r#"{"id":"2"}"#] {
        broker.publish(message("t", data)).await.unwrap();
    }
    assert_eq!(subscribed.next(2).await, [r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
    assert!(subscribed.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_topic_without_a_stream_is_an_error() {
    let Some(server) = nats() else { return };
    let url = format!("nats://127.0.0.1:{}", server.port);
    let broker = on(&url, &[]).await;
    let error = broker.publish(message("t", "1")).await.unwrap_err().to_string();
    assert!(error.contains("no stream found"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_durable_consumer_has_one_topic_and_member() {
    let Some(server) = nats() else { return };
    let url = format!("nats://127.0.0.1:{}", server.port);
    create_stream(&url, "t.*").await;
    let broker = on(&url, &[("durableName", "shop")]).await;
    let subscribed = Subscribed::with(&broker, "t.1", false).await;
    for (topic, expected) in [("t.1", "queueGroupName"), ("t.2", "is for the topic")] {
        let request = SubscribeRequest { topic: topic.to_owned(), ..SubscribeRequest::default() };
        let error = broker.subscribe(request, Receiver::unused(), CancellationToken::new()).await.err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
    subscribed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_errors_do_not_show_credentials() {
    let url = format!("nats://user:hush@127.0.0.1:{}", free_port());
    let error = try_create("pubsub.jetstream", &[("natsURL", &url)]).await.err().unwrap();
    assert!(error.is_retryable() && !format!("{error} {error:?}").contains("hush"), "{error:?}");
}
