//! `pubsub.redis` beyond the promises of every broker: Dapr's layout, and properties.

use std::sync::Arc;

use dapr_building_blocks::pubsub::{Message, PubSub};
use test_servers::{Server, durable_redis, free_port};

use crate::brokers::{Subscribed, broker, message, numbers};
use crate::harness::try_create;

async fn on(server: &Server, more: &[(&str, &str)]) -> Arc<dyn PubSub> {
    broker("pubsub.redis", &[("redisHost", format!("127.0.0.1:{}", server.port))], more).await
}

/// Runs a command of the program `redis-cli`, and returns the lines of its output.
fn cli(server: &Server, arguments: &[&str]) -> Vec<String> {
    let mut command = std::process::Command::new("redis-cli");
    let output = command.args(["-p", &server.port.to_string()]).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_entry_has_dapr_fields() {
    let Some(server) = durable_redis() else { return };
    let broker = on(&server, &[]).await;
    let metadata = [("b", "2"), ("a", "1")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let content_type = Some("text/plain".to_owned());
    broker.publish(Message { topic: "t".into(), data: "hello".into(), metadata, content_type }).await.unwrap();
    let entry = cli(&server, &["XRANGE", "t", "-", "+"]);
    assert_eq!(entry[1..], ["data", "hello", "metadata", r#"{"a":"1","b":"2"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_entries_of_dapr_are_delivered() {
    let Some(server) = durable_redis() else { return };
    // Dapr writes fields in any order, and `null` if there is no metadata.
    cli(&server, &["XADD", "t", "*", "metadata", r#"{"name":"value"}"#, "data", "before"]);
    let broker = on(&server, &[("consumerID", "shop"), ("concurrency", "1")]).await;
    let mut subscribed = Subscribed::with(&broker, "t", false).await;
    cli(&server, &["XADD", "t", "*", "data", "after", "metadata", "null"]);
    cli(&server, &["XADD", "t", "*", "data", "bare"]);
    assert_eq!(subscribed.next(3).await, ["before", "after", "bare"]);
    assert!(subscribed.end().await.is_empty());
    let groups = cli(&server, &["XINFO", "GROUPS", "t"]);
    let consumers = cli(&server, &["XINFO", "CONSUMERS", "t", "shop"]);
    assert_eq!((groups[1].as_str(), groups[5].as_str(), consumers[1].as_str()), ("shop", "0", "shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_rejected_message_stays_pending() {
    let Some(server) = durable_redis() else { return };
    let broker = on(&server, &[("consumerID", "shop"), ("concurrency", "1")]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    broker.publish(message("t", "bad 9")).await.unwrap();
    broker.publish(message("t", "good")).await.unwrap();
    assert_eq!(subscribed.next(2).await, ["bad 9", "good"]);
    assert!(subscribed.end().await.is_empty());
    assert_eq!(cli(&server, &["XPENDING", "t", "shop"])[0], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_undelivered_messages_are_released_at_the_end() {
    let Some(server) = durable_redis() else { return };
    let settings = [("consumerID", "shop"), ("concurrency", "1")];
    let broker = on(&server, &settings).await;
    for number in numbers(0..50) {
        broker.publish(message("t", number)).await.unwrap();
    }
    let mut subscribed = Subscribed::to(&broker, "t").await;
    let mut got = subscribed.next(1).await;
    got.extend(subscribed.end().await);
    // With the default of 15 s, others would have to wait for the messages that were read.
    let broker = on(&server, &settings).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    got.extend(subscribed.next(50 - got.len()).await);
    assert_eq!(got, numbers(0..50));
    assert!(subscribed.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_messages_of_a_lost_process_are_claimed() {
    let Some(server) = durable_redis() else { return };
    cli(&server, &["XGROUP", "CREATE", "t", "shop", "0", "MKSTREAM"]);
    for number in ["0", "1", "2"] {
        cli(&server, &["XADD", "t", "*", "data", number]);
    }
    cli(&server, &["XREADGROUP", "GROUP", "shop", "lost", "STREAMS", "t", ">"]);
    // A pending message that was trimmed is no longer pending, and holds nothing up.
    cli(&server, &["XTRIM", "t", "MAXLEN", "2"]);
    let settings =
        [("consumerID", "shop"), ("processingTimeout", "1"), ("redeliverInterval", "5"), ("concurrency", "1")];
    let mut subscribed = Subscribed::with(&on(&server, &settings).await, "t", false).await;
    assert_eq!(subscribed.next(2).await, ["1", "2"]);
    assert!(subscribed.end().await.is_empty());
    assert_eq!(cli(&server, &["XPENDING", "t", "shop"])[0], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_group_that_is_deleted_is_created_again() {
    let Some(server) = durable_redis() else { return };
    let broker = on(&server, &[("consumerID", "shop"), ("concurrency", "1")]).await;
    let mut subscribed = Subscribed::to(&broker, "t").await;
    broker.publish(message("t", "1")).await.unwrap();
    assert_eq!(subscribed.next(1).await, ["1"]);
    cli(&server, &["DEL", "t"]);
    broker.publish(message("t", "2")).await.unwrap();
    assert_eq!(subscribed.next(1).await, ["2"]);
    subscribed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_stream_is_trimmed_by_age() {
    let Some(server) = durable_redis() else { return };
    cli(&server, &["XADD", "t", "1-1", "data", "old"]);
    cli(&server, &["CONFIG", "SET", "stream-node-max-entries", "1"]);
    let broker = on(&server, &[("streamTTL", "1h")]).await;
    for number in numbers(0..3) {
        broker.publish(message("t", number)).await.unwrap();
    }
    assert_eq!(cli(&server, &["XLEN", "t"]), ["3"]);
    let broker = on(&server, &[("maxLenApprox", "2")]).await;
    broker.publish(message("t", "3")).await.unwrap();
    assert_eq!(cli(&server, &["XLEN", "t"]), ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_errors_do_not_show_the_password() {
    let Some(server) = durable_redis() else { return };
    let host = format!("127.0.0.1:{}", server.port);
    let error = try_create("pubsub.redis", &[("redisHost", &host), ("redisPassword", "hush")]).await.err().unwrap();
    assert!(!error.is_retryable() && !format!("{error} {error:?}").contains("hush"), "{error:?}");
    let host = format!("127.0.0.1:{}", free_port());
    let lost = [("redisHost", host.as_str()), ("redisPassword", "hush"), ("redisMaxRetries", "-1")];
    let error = try_create("pubsub.redis", &lost).await.err().unwrap();
    assert!(error.is_retryable() && !format!("{error} {error:?}").contains("hush"), "{error:?}");
}
