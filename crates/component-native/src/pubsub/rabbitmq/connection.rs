//! Connection to the server: one for all subscriptions, with a channel for publishing, restored when it is lost.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dapr_building_blocks::pubsub::Message;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind, ExchangeKind};
use tokio::sync::Mutex;

use super::config::Config;

/// Limit on the time to connect, and on that for a response.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Link {
    pub(super) config: Config,
    current: Mutex<Option<Open>>,
}

#[derive(Clone)]
struct Open {
    connection: Arc<Connection>,
    publisher: Channel,
    /// Exchanges that were declared over this connection.
    exchanges: Arc<std::sync::Mutex<HashSet<String>>>,
}

impl Open {
    fn is_usable(&self) -> bool {
        self.connection.status().connected() && self.publisher.status().connected()
    }
}

impl Link {
    pub(super) fn new(config: Config) -> Self {
        Self { config, current: Mutex::default() }
    }

    /// Connects, unless there is a connection.
    pub(super) async fn open(&self) -> lapin::Result<()> {
        self.usable().await.map(drop)
    }

    /// Returns the open connection, or opens a new one. Requests that wait for it share it.
    async fn usable(&self) -> lapin::Result<Open> {
        let mut current = self.current.lock().await;
        if let Some(open) = current.as_ref().filter(|open| open.is_usable()) {
            return Ok(open.clone());
        }
        *current = None;
        let connect = async {
            let mut properties = ConnectionProperties::default();
            if let Some(name) = &self.config.client_name {
                properties = properties.with_connection_name(name.as_str().into());
            }
            let (uri, tls) = (self.config.uri.clone(), self.config.tls.clone());
            let runtime = lapin::runtime::default_runtime()?;
            let connection = Connection::connect_uri_with_config(uri, properties, tls, runtime).await?;
            let publisher = connection.create_channel().await?;
            if self.config.publisher_confirm {
                publisher.confirm_select(ConfirmSelectOptions::default()).await?;
            }
            Ok(Open { connection: Arc::new(connection), publisher, exchanges: Arc::default() })
        };
        let open = limited(connect).await?;
        Ok(current.insert(open).clone())
    }

    /// Opens a channel of its own for a subscription.
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        let open = self.usable().await?;
        limited(open.connection.create_channel()).await
    }

    /// Publishes a message; returns false if the server has rejected it.
    pub(super) async fn publish(
        &self,
        message: &Message,
        routing_key: &str,
        properties: BasicProperties,
    ) -> lapin::Result<bool> {
        let open = self.usable().await?;
        let Message { topic, data, .. } = message;
        let is_declared = || open.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(topic);
        if !is_declared() {
            limited(self.declare_exchange(&open.publisher, topic)).await?;
            open.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(topic.clone());
        }
        let options = BasicPublishOptions::default();
        let publish = async {
            let publish =
                open.publisher.basic_publish(topic.as_str().into(), routing_key.into(), options, data, properties);
            publish.await?.await
        };
        limited(publish).await.map(|confirmation| !confirmation.is_nack())
    }

    /// Declares the exchange of a topic.
    pub(super) async fn declare_exchange(&self, channel: &Channel, topic: &str) -> lapin::Result<()> {
        let Config { exchange_kind, is_durable, deletes_unused, .. } = &self.config;
        declare(channel, topic, exchange_kind.clone(), *is_durable, *deletes_unused).await
    }
}

/// Declares an exchange.
pub(super) async fn declare(
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
    durable: bool,
    auto_delete: bool,
) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable, auto_delete, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await
}

async fn limited<T>(request: impl Future<Output = lapin::Result<T>>) -> lapin::Result<T> {
    let late = |_| std::io::Error::new(std::io::ErrorKind::TimedOut, "RabbitMQ did not respond in time");
    match tokio::time::timeout(TIMEOUT, request).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(ErrorKind::IOError(Arc::new(late(elapsed))).into()),
    }
}
