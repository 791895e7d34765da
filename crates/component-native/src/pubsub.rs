//! Message brokers.

mod in_memory;
#[cfg(feature = "pubsub-jetstream")]
mod jetstream;
#[cfg(feature = "pubsub-mqtt3")]
mod mqtt3;
#[cfg(feature = "pubsub-rabbitmq")]
mod rabbitmq;
#[cfg(feature = "pubsub-redis")]
mod redis;
#[cfg(feature = "pubsub-sqlite")]
mod sqlite;

use dapr_building_blocks::Registry;

/// Registers the brokers of this build.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("pubsub.in-memory", in_memory::create);
    #[cfg(feature = "pubsub-jetstream")]
    registry.register("pubsub.jetstream", jetstream::create);
    #[cfg(feature = "pubsub-mqtt3")]
    registry.register("pubsub.mqtt3", mqtt3::create);
    #[cfg(feature = "pubsub-rabbitmq")]
    registry.register("pubsub.rabbitmq", rabbitmq::create);
    #[cfg(feature = "pubsub-redis")]
    registry.register("pubsub.redis", redis::create);
    #[cfg(feature = "pubsub-sqlite")]
    registry.register("pubsub.sqlite", sqlite::create);
}

/// Waits for the task, if there is one, and removes it.
#[cfg(any(feature = "pubsub-rabbitmq", feature = "pubsub-redis"))]
async fn finished<T>(task: &mut Option<futures_util::future::BoxFuture<'_, T>>) -> T {
    match task {
        Some(future) => {
            let output = future.await;
            *task = None;
            output
        }
        None => std::future::pending().await,
    }
}
