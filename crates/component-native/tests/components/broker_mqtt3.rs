//! `pubsub.mqtt3` beyond the promises of every broker.

use std::sync::Arc;

use dapr_building_blocks::pubsub::PubSub;
use test_servers::{Server, free_port, mosquitto};

use crate::brokers::{Subscribed, broker, message, numbers};
use crate::harness::try_create;

async fn on(server: &Server, client: &str) -> Arc<dyn PubSub> {
    broker("pubsub.mqtt3", &[("url", format!("mqtt://127.0.0.1:{}", server.port))], &[("consumerID", client)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt3_pattern_gets_the_topics_that_match() {
    let Some(server) = mosquitto() else { return };
    let broker = on(&server, "shop").await;
    let mut subscribed = Subscribed::with(&broker, "orders/+/new", false).await;
    for (topic, data) in [("orders/1/new", "1"), ("orders/1", "2"), ("orders/1/new/x", "3"), ("orders/2/new", "4")] {
        broker.publish(message(topic, data)).await.unwrap();
    }
    assert_eq!(subscribed.next(2).await, ["1", "4"]);
    assert!(subscribed.end().await.is_empty());
    assert!(broker.publish(message("orders/#", "5")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt3_shared_subscription_has_each_message_once() {
    let Some(server) = mosquitto() else { return };
    let [one, other] = [on(&server, "one").await, on(&server, "other").await];
    let [mut first, mut second] = [
        Subscribed::with(&one, "$share/shops/orders", false).await,
        Subscribed::with(&other, "$share/shops/orders", false).await,
    ];
    for number in numbers(0..50) {
        one.publish(message("orders", number)).await.unwrap();
    }
    let mut got = Vec::new();
    while got.len() < 50 {
        tokio::select! {
            message = first.messages.recv() => got.extend(message),
            message = second.messages.recv() => got.extend(message),
        }
    }
    got.sort_by_key(|number| number.parse::<u32>().unwrap());
    assert_eq!(got, numbers(0..50));
    assert!(first.end().await.is_empty() && second.end().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt3_errors_do_not_show_credentials() {
    let url = format!("mqtt://me:hush@127.0.0.1:{}", free_port());
    let error = try_create("pubsub.mqtt3", &[("url", &url), ("consumerID", "shop")]).await.err().unwrap();
    assert!(error.is_retryable() && !format!("{error} {error:?}").contains("hush"), "{error:?}");
}
