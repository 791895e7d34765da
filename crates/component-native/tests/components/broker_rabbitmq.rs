//! `pubsub.rabbitmq` beyond the promises of every broker.

use dapr_building_blocks::pubsub::Message;
use test_servers::{free_port, rabbitmq};

use crate::brokers::{Subscribed, broker, message};
use crate::harness::try_create;

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_defaults_and_dead_letters_are_those_of_dapr() {
    let Some(server) = rabbitmq() else { return };
    let url = [("connectionString", format!("amqp://127.0.0.1:{}", server.port))];
    let settings = [("consumerID", "shop"), ("concurrencyMode", "single"), ("reconnectWaitSeconds", "100ms")];

    // A queue ends with its subscriber, and the exchange with its queue; a later publish declares it again.
    let shop = broker("pubsub.rabbitmq", &url, &settings).await;
    for data in ["1", "2"] {
        let mut subscribed = Subscribed::with(&shop, "orders", false).await;
        shop.publish(message("orders", data)).await.unwrap();
        assert_eq!(subscribed.next(1).await, [data]);
        assert!(subscribed.end().await.is_empty());
        shop.publish(message("orders", "lost")).await.unwrap();
    }

    // A rejected message is not delivered again, and goes to the dead letters.
    let dead = [&settings[..], &[("enableDeadLetter", "true"), ("deletedWhenUnused", "false")]].concat();
    let shop = broker("pubsub.rabbitmq", &url, &dead).await;
    let mut subscribed = Subscribed::with(&shop, "bills", false).await;
    let bad = Message { metadata: [("messageID".to_owned(), "7".to_owned())].into(), ..message("bills", "bad 9") };
    shop.publish(bad).await.unwrap();
    shop.publish(message("bills", "good")).await.unwrap();
    assert_eq!(subscribed.next(2).await, ["bad 9", "good"]);
    assert!(subscribed.end().await.is_empty());

    let uri = url[0].1.clone();
    let connection = lapin::Connection::connect(&uri, lapin::ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = lapin::options::BasicGetOptions { no_ack: true };
    let letter = channel.basic_get("dlq-shop-bills".into(), options).await.unwrap().unwrap();
    assert_eq!((letter.data.as_slice(), letter.redelivered), (&b"bad 9"[..], false));
    assert_eq!(letter.properties.message_id().as_ref().unwrap().as_str(), "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_errors_do_not_show_credentials() {
    let url = format!("amqp://me:hush@127.0.0.1:{}", free_port());
    let error = try_create("pubsub.rabbitmq", &[("connectionString", &url)]).await.err().unwrap();
    assert!(error.is_retryable() && !format!("{error} {error:?}").contains("hush"), "{error:?}");
}
