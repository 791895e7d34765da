//! Changes of `configuration.redis`, also beyond the loss of its server.

use std::sync::Arc;

use async_trait::async_trait;
use dapr_building_blocks::configuration::{ConfigurationRequest, ConfigurationSink, Items};
use dapr_building_blocks::lock::{TryLockRequest, UnlockRequest};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::harness::create;
use crate::redis::redis_on;
use test_servers::free_port;

struct Sent(mpsc::UnboundedSender<Items>);

#[async_trait]
impl ConfigurationSink for Sent {
    async fn changed(&self, items: Items) {
        // The receiver goes with the test.
        let _ = self.0.send(items);
    }
}

fn request(keys: &[&str]) -> ConfigurationRequest {
    ConfigurationRequest { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..ConfigurationRequest::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_redis_keys_are_reported_until_the_end() {
    let Some(mut server) = redis_on(free_port()) else { return };
    let host = format!("127.0.0.1:{}", server.port);
    let store = create("configuration.redis", &[("redisHost", &host)]).await.configuration_store.unwrap();
    // A lock is a key whose value is its owner.
    let setter = create("lock.redis", &[("redisHost", &host)]).await.lock_store.unwrap();
    let set = async |key: &str, value: &str| {
        let (resource, owner) = (key.to_owned(), value.to_owned());
        setter.try_lock(TryLockRequest { resource, owner, expiry_seconds: 60 }).await
    };
    let (sender, mut changes) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let watching = store.subscribe(request(&["a"]), Arc::new(Sent(sender)), shutdown.clone()).await.unwrap();
    let watching = tokio::spawn(watching);
    set("other", "x").await.unwrap();
    set("a", "value||2").await.unwrap();
    let items = changes.recv().await.unwrap();
    assert_eq!((items.len(), items["a"].value.as_str(), items["a"].version.as_str()), (1, "value", "2"));
    setter.unlock(UnlockRequest { resource: "a".into(), owner: "value||2".into() }).await.unwrap();
    while !changes.recv().await.unwrap()["a"].value.is_empty() {}

    server.kill();
    server.restart();
    // The subscription is back after a while, and sees the changes from then on.
    loop {
        let (resource, owner) = ("a".to_owned(), "again".to_owned());
        let _ = set("a", "again").await;
        let _ = setter.unlock(UnlockRequest { resource, owner }).await;
        if let Ok(items) = changes.try_recv() {
            assert_eq!(items.keys().collect::<Vec<_>>(), ["a"]);
            break;
        }
    }
    shutdown.cancel();
    watching.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_types_are_no_configuration() {
    let Some(server) = redis_on(free_port()) else { return };
    let host = format!("127.0.0.1:{}", server.port);
    let store = create("configuration.redis", &[("redisHost", &host)]).await.configuration_store.unwrap();
    let hashes = create("state.redis", &[("redisHost", &host)]).await.state_store.unwrap();
    hashes.set(dapr_building_blocks::state::SetRequest::new("hash", "v")).await.unwrap();
    let setter = create("lock.redis", &[("redisHost", &host)]).await.lock_store.unwrap();
    let set = TryLockRequest { resource: "text".into(), owner: "v".into(), expiry_seconds: 60 };
    setter.try_lock(set).await.unwrap();
    for keys in [&[][..], &["hash", "text", "missing"]] {
        let items = store.get(request(keys)).await.unwrap();
        assert_eq!(items.keys().collect::<Vec<_>>(), ["text"]);
    }
}
