//! `pubsub.mqtt3`: topics of a server for MQTT 3.1.1: `components-contrib/pubsub/mqtt3`.
//!
//! As in Dapr, a component is one connection with the client id `consumerID`, whose session the server keeps, and a
//! message is acknowledged once it is processed. MQTT 3 cannot reject a message, so one that is not processed is
//! delivered again from memory, or by the server once the connection is restored; Dapr waits for the latter.

mod config;
mod session;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::pubsub::{
    Deliveries, Message, MessageHandler, PubSub, PubSubError, PubSubFeature, SubscribeRequest,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use tokio_util::sync::CancellationToken;

use self::config::Config;
use self::session::Session;
use self::subscription::Subscription;

/// Limit on the time for a response of the server, as in Dapr.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects to the server.
pub(super) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let config = Config::read(&spec.properties, &context)?;
    let session = Session::connect(&spec.name, &config).await?;
    Ok(Component::from_pubsub(Mqtt { name: spec.name, config, session: Arc::new(session) }))
}

struct Mqtt {
    name: String,
    config: Config,
    session: Arc<Session>,
}

#[async_trait]
impl PubSub for Mqtt {
    fn features(&self) -> &[PubSubFeature] {
        &[PubSubFeature::SubscribeWildcards]
    }

    async fn publish(&self, message: Message) -> Result<(), PubSubError> {
        let Message { topic, data, metadata, .. } = message;
        if topic.is_empty() || topic.contains(['+', '#']) {
            return Err(PubSubError::Other("a topic to publish to must not be empty or contain + or #".into()));
        }
        let retain = match metadata.get("retain").map(|text| text.trim().to_ascii_lowercase()) {
            None => self.config.retain,
            Some(text) => match text.as_str() {
                "" => self.config.retain,
                "true" | "t" | "1" => true,
                "false" | "f" | "0" => false,
                _ => return Err(PubSubError::Other("the metadata \"retain\" must be true or false".into())),
            },
        };
        let published = self.session.publish(&topic, self.config.qos, retain, data);
        match tokio::time::timeout(RESPONSE_TIMEOUT, published).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(PubSubError::Unavailable("the connection to the MQTT server is lost".into())),
            Err(_) => Err(PubSubError::Unavailable("the MQTT server did not respond in time".into())),
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequest,
        handler: Arc<dyn MessageHandler>,
        shutdown: CancellationToken,
    ) -> Result<Deliveries, PubSubError> {
        let SubscribeRequest { topic, metadata, batch } = request;
        let unsubscribes = metadata.get("unsubscribeOnClose").is_some_and(|text| text == "true" || text == "1");
        let subscribed = self.session.subscribe(&topic, self.config.qos);
        let messages = tokio::time::timeout(RESPONSE_TIMEOUT, subscribed).await;
        let late = |_| PubSubError::Unavailable("the MQTT server did not respond in time".into());
        let messages = messages.map_err(late)?.map_err(|error| PubSubError::Other(error.into()))?;
        let subscription = Subscription {
            pubsub: self.name.clone(),
            session: self.session.clone(),
            concurrency: self.config.concurrency.max(batch),
            unsubscribes: unsubscribes || self.config.clean_session,
            topic,
            handler,
        };
        Ok(Box::pin(subscription.run(messages, shutdown)))
    }
}
