//! `configuration.redis`: keys of a Redis server: `components-contrib/configuration/redis/redis.go`.
//!
//! A value is `VALUE||VERSION`, or a value alone. Changes come from the server's key-space notifications.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::configuration::{
    ConfigurationError, ConfigurationRequest, ConfigurationSink, ConfigurationStore, Item, Items, Watching,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use futures_util::StreamExt as _;
use redis::aio::PubSub;
use redis::{ErrorKind, RedisError, RedisResult};
use tokio_util::sync::CancellationToken;

use crate::redis_client::{self, Link, Repeat, Settings};

/// Separator between value and version.
const SEPARATOR: &str = "||";
/// Events of keys that the server reports, as Dapr sets them: key space, generic, strings, expired, evicted.
const EVENTS: &str = "Kg$xe";
/// Delay before a lost connection is replaced.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

struct Redis {
    link: Arc<Link>,
}

/// Connects to the server.
pub(super) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    let link = Link::new(Settings::read(&spec.properties)?);
    let ping = |mut connection| async move { redis::cmd("PING").query_async::<String>(&mut connection).await };
    link.send(Repeat::Harmless, ping).await.map_err(redis_client::init_error)?;
    Ok(Component::from_configuration_store(Redis { link: Arc::new(link) }))
}

async fn get(link: &Link, keys: Vec<String>) -> RedisResult<Items> {
    let keys = if keys.is_empty() {
        let all = |mut connection| async move { redis::cmd("KEYS").arg("*").query_async(&mut connection).await };
        link.send::<Vec<String>, _>(Repeat::Harmless, all).await?
    } else {
        keys
    };
    let mut items = Items::new();
    for key in keys {
        let name = &key;
        let read = |mut connection| async move {
            redis::cmd("GET").arg(name).query_async::<Option<String>>(&mut connection).await
        };
        match link.send(Repeat::Harmless, read).await {
            Ok(Some(text)) => {
                let mut parts = text.split(SEPARATOR).map(str::to_owned);
                let (value, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                if !value.is_empty() {
                    items.insert(key, Item { value, version, ..Item::default() });
                }
            }
            Ok(None) => {}
            // Keys of other types are no configuration.
            Err(error) if error.code() == Some("WRONGTYPE") || error.kind() == ErrorKind::UnexpectedReturnType => {}
            Err(error) => return Err(error),
        }
    }
    Ok(items)
}

async fn listen(link: &Link, keys: &[String]) -> RedisResult<PubSub> {
    let set = |mut connection| async move {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("notify-keyspace-events").arg(EVENTS);
        set.query_async::<()>(&mut connection).await
    };
    // As in Dapr, a server that forbids it may have the setting already.
    let _ = link.send(Repeat::Harmless, set).await;
    let prefix = channel_prefix(link);
    let mut channel = link.listen().await?;
    if keys.is_empty() {
        channel.psubscribe(format!("{prefix}*")).await?;
    }
    for key in keys {
        channel.subscribe(format!("{prefix}{key}")).await?;
    }
    Ok(channel)
}

fn channel_prefix(link: &Link) -> String {
    format!("__keyspace@{}__:", link.database())
}

#[async_trait]
impl ConfigurationStore for Redis {
    async fn get(&self, request: ConfigurationRequest) -> Result<Items, ConfigurationError> {
        get(&self.link, request.keys).await.map_err(failure)
    }

    async fn subscribe(
        &self,
        request: ConfigurationRequest,
        sink: Arc<dyn ConfigurationSink>,
        shutdown: CancellationToken,
    ) -> Result<Watching, ConfigurationError> {
        let (link, keys) = (self.link.clone(), request.keys);
        let mut channel = listen(&link, &keys).await.map_err(failure)?;
        Ok(Box::pin(async move {
            let prefix = channel_prefix(&link);
            loop {
                let mut messages = channel.on_message();
                while let Some(Some(message)) = shutdown.run_until_cancelled(messages.next()).await {
                    let Some(key) = message.get_channel_name().strip_prefix(&prefix).map(str::to_owned) else {
                        continue;
                    };
                    match get(&link, vec![key.clone()]).await {
                        Ok(mut items) => {
                            items.entry(key).or_default();
                            sink.changed(items).await;
                        }
                        Err(error) => tracing::error!(key, %error, "changed configuration not read"),
                    }
                }
                drop(messages);
                // The connection is lost: changes until the next one are not seen, as with Dapr.
                channel = loop {
                    if shutdown.run_until_cancelled(tokio::time::sleep(RECONNECT_DELAY)).await.is_none() {
                        return;
                    }
                    if let Ok(channel) = listen(&link, &keys).await {
                        break channel;
                    }
                };
            }
        }))
    }
}

fn failure(error: RedisError) -> ConfigurationError {
    if redis_client::is_unavailable(&error) {
        ConfigurationError::Unavailable(error.into())
    } else {
        ConfigurationError::Other(error.into())
    }
}
