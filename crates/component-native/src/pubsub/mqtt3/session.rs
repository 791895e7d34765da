//! The connection of a component, restored when it is lost, and the messages that it carries.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dapr_building_blocks::InitError;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, Outgoing, Publish, QoS,
    SubscribeReasonCode,
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::config::Config;

/// Publishes that wait for the server's acknowledgement.
const MAX_PUBLISHES: usize = 1000;
/// Requests to the connection: more than publishes and acknowledgements together.
const MAX_REQUESTS: usize = MAX_PUBLISHES + 2 * MAX_RECEIVED;
/// Messages that wait for a subscription, or in one. The server sends no more without acknowledgements.
const MAX_RECEIVED: usize = 65_536;
/// Limit on the time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Delay between two attempts to connect again.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// The connection of a component. Its session stays with the server when this is dropped.
pub(super) struct Session {
    state: Arc<State>,
    publishes: Semaphore,
    task: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct State {
    pubsub: String,
    client: AsyncClient,
    exchange: Mutex<Exchange>,
}

/// Messages under way in both directions. A request and its place in here change together.
#[derive(Default)]
struct Exchange {
    is_connected: bool,
    /// Publishes that are not sent yet, in their order, and those that are, by packet id.
    unsent: VecDeque<oneshot::Sender<()>>,
    sent: HashMap<u16, oneshot::Sender<()>>,
    /// The same for subscriptions; one that is restored has no one who waits.
    unsent_subscriptions: VecDeque<Option<oneshot::Sender<bool>>>,
    sent_subscriptions: HashMap<u16, oneshot::Sender<bool>>,
    subscriptions: Vec<Subscriber>,
    /// Messages for which there is no subscription yet.
    unclaimed: VecDeque<Received>,
    /// Messages that the server waits for the acknowledgement of, by packet id.
    unacknowledged: HashMap<u16, Unacknowledged>,
    next_token: u64,
}

struct Subscriber {
    topic: String,
    qos: QoS,
    messages: mpsc::Sender<Received>,
}

struct Unacknowledged {
    token: u64,
    topic: String,
    payload: Bytes,
    /// True if it was processed while the connection was lost.
    is_processed: bool,
}

/// A message from the server.
pub(super) struct Received {
    token: u64,
    pub(super) publish: Publish,
}

impl Session {
    /// Connects to the server, and keeps the connection.
    pub(super) async fn connect(pubsub: &str, config: &Config) -> Result<Self, InitError> {
        let (client, mut events) = AsyncClient::new(config.options.clone(), MAX_REQUESTS);
        let state = Arc::new(State { pubsub: pubsub.to_owned(), client, exchange: Mutex::default() });
        match tokio::time::timeout(CONNECT_TIMEOUT, events.poll()).await {
            Ok(Ok(event)) => state.handle(event),
            Ok(Err(ConnectionError::ConnectionRefused(code))) if code != ConnectReturnCode::ServiceUnavailable => {
                return Err(InitError::misconfigured(ConnectionError::ConnectionRefused(code)));
            }
            Ok(Err(error)) => return Err(InitError::unavailable(error)),
            Err(elapsed) => return Err(InitError::unavailable(elapsed)),
        }
        let task = tokio::spawn(run(state.clone(), events)).abort_handle();
        Ok(Self { state, publishes: Semaphore::new(MAX_PUBLISHES), task })
    }

    /// Publishes a message; returns true once the server has acknowledged it, and false if the connection is lost.
    pub(super) async fn publish(&self, topic: &str, qos: QoS, retain: bool, data: Bytes) -> bool {
        let Ok(_permit) = self.publishes.acquire().await else { return false };
        let (sender, acknowledged) = oneshot::channel();
        {
            let mut exchange = self.state.exchange();
            if self.state.client.try_publish(topic, qos, retain, data).is_err() {
                return false;
            }
            exchange.unsent.push_back(sender);
        }
        acknowledged.await.is_ok()
    }

    /// Subscribes to a topic or pattern, and returns its messages.
    pub(super) async fn subscribe(&self, topic: &str, qos: QoS) -> Result<mpsc::Receiver<Received>, String> {
        let (messages, receiver) = mpsc::channel(MAX_RECEIVED);
        let (sender, accepted) = oneshot::channel();
        {
            let mut exchange = self.state.exchange();
            if exchange.subscriptions.iter().any(|known| known.topic == topic) {
                return Err(format!("there is a subscription to {topic:?} already"));
            }
            if self.state.client.try_subscribe(topic, qos).is_err() {
                return Err(format!("{topic:?} is no topic, and no pattern of topics"));
            }
            exchange.unsent_subscriptions.push_back(Some(sender));
            let subscriber = Subscriber { topic: topic.to_owned(), qos, messages };
            let (claimed, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut exchange.unclaimed)
                .into_iter()
                .partition(|received| matches(topic, &received.publish.topic));
            exchange.unclaimed = rest.into();
            for received in claimed {
                // The queue is as long as that of unclaimed messages.
                let _ = subscriber.messages.try_send(received);
            }
            exchange.subscriptions.push(subscriber);
        }
        match accepted.await {
            Ok(true) => Ok(receiver),
            outcome => {
                self.state.exchange().subscriptions.retain(|known| known.topic != topic);
                Err(match outcome {
                    Ok(_) => "the MQTT server has rejected the subscription".to_owned(),
                    Err(_) => "the connection to the MQTT server is lost".to_owned(),
                })
            }
        }
    }

    /// Ends a subscription. Its messages wait for the next one, here or with the server.
    pub(super) fn end(&self, topic: &str, unsubscribes: bool, rest: Vec<Received>) {
        let mut exchange = self.state.exchange();
        exchange.subscriptions.retain(|known| known.topic != topic);
        if unsubscribes {
            // Without a connection, the session ends anyway, or it goes on.
            let _ = self.state.client.try_unsubscribe(topic);
        } else {
            rest.into_iter().rev().for_each(|received| exchange.unclaimed.push_front(received));
        }
    }

    /// Acknowledges a message that was processed.
    pub(super) fn acknowledge(&self, received: &Received) {
        let mut exchange = self.state.exchange();
        let is_connected = exchange.is_connected;
        let pkid = received.publish.pkid;
        let Some(known) = exchange.unacknowledged.get_mut(&pkid).filter(|known| known.token == received.token) else {
            return;
        };
        if is_connected && self.state.client.try_ack(&received.publish).is_ok() {
            exchange.unacknowledged.remove(&pkid);
        } else {
            known.is_processed = true;
        }
    }
}

/// Keeps the connection until the session is dropped.
async fn run(state: Arc<State>, mut events: EventLoop) {
    loop {
        match events.poll().await {
            Ok(event) => state.handle(event),
            Err(error) => {
                state.lose(&mut events, &error);
                tokio::time::sleep(RECONNECT_DELAY).await;
            }
        }
    }
}

impl State {
    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails all requests under way: their senders repeat them.
    fn lose(&self, events: &mut EventLoop, error: &ConnectionError) {
        let mut exchange = self.exchange();
        if std::mem::take(&mut exchange.is_connected) {
            tracing::error!(pubsub = self.pubsub, %error, "connection to the MQTT server lost; reconnecting");
        }
        // Takes requests out of the queue, too.
        events.clean();
        events.pending.clear();
        events.state.events.clear();
        events.state.collision = None;
        exchange.unsent.clear();
        exchange.sent.clear();
        exchange.unsent_subscriptions.clear();
        exchange.sent_subscriptions.clear();
    }

    fn handle(&self, event: Event) {
        let mut exchange = self.exchange();
        match event {
            Event::Incoming(Incoming::ConnAck(accepted)) => {
                exchange.is_connected = true;
                if !accepted.session_present {
                    exchange.unacknowledged.clear();
                    exchange.unclaimed.clear();
                }
                let topics: Vec<_> =
                    exchange.subscriptions.iter().map(|known| (known.topic.clone(), known.qos)).collect();
                for (topic, qos) in topics {
                    if self.client.try_subscribe(topic, qos).is_ok() {
                        exchange.unsent_subscriptions.push_back(None);
                    }
                }
            }
            Event::Incoming(Incoming::Publish(publish)) => self.receive(&mut exchange, publish),
            Event::Outgoing(Outgoing::Publish(pkid)) => {
                if let Some(waiting) = exchange.unsent.pop_front() {
                    match pkid {
                        // The server does not acknowledge it.
                        0 => drop(waiting.send(())),
                        pkid => drop(exchange.sent.insert(pkid, waiting)),
                    }
                }
            }
            Event::Incoming(Incoming::PubAck(rumqttc::PubAck { pkid }))
            | Event::Incoming(Incoming::PubComp(rumqttc::PubComp { pkid })) => {
                if let Some(waiting) = exchange.sent.remove(&pkid) {
                    let _ = waiting.send(());
                }
            }
            Event::Outgoing(Outgoing::Subscribe(pkid)) => {
                if let Some(Some(waiting)) = exchange.unsent_subscriptions.pop_front() {
                    exchange.sent_subscriptions.insert(pkid, waiting);
                }
            }
            Event::Incoming(Incoming::SubAck(accepted)) => {
                let is_accepted = !accepted.return_codes.contains(&SubscribeReasonCode::Failure);
                match exchange.sent_subscriptions.remove(&accepted.pkid) {
                    Some(waiting) => drop(waiting.send(is_accepted)),
                    None if is_accepted => {}
                    None => tracing::error!(pubsub = self.pubsub, "the MQTT server has rejected a subscription"),
                }
            }
            _ => {}
        }
    }

    fn receive(&self, exchange: &mut Exchange, publish: Publish) {
        let token = exchange.next_token;
        exchange.next_token += 1;
        if publish.qos != QoS::AtMostOnce {
            let Publish { topic, payload, pkid, .. } = &publish;
            let known = exchange.unacknowledged.get(pkid);
            if let Some(known) = known.filter(|known| known.topic == *topic && known.payload == *payload && publish.dup)
            {
                if known.is_processed && self.client.try_ack(&publish).is_ok() {
                    exchange.unacknowledged.remove(pkid);
                }
                return;
            }
            let kept = Unacknowledged { token, topic: topic.clone(), payload: payload.clone(), is_processed: false };
            exchange.unacknowledged.insert(*pkid, kept);
        }
        let exact = exchange.subscriptions.iter().find(|known| known.topic == publish.topic);
        let pattern = || exchange.subscriptions.iter().find(|known| matches(&known.topic, &publish.topic));
        match exact.or_else(pattern) {
            Some(subscriber) => {
                if subscriber.messages.try_send(Received { token, publish }).is_err() {
                    tracing::warn!(pubsub = self.pubsub, "message not taken: too many wait");
                }
            }
            None if publish.qos == QoS::AtMostOnce || exchange.unclaimed.len() >= MAX_RECEIVED => {
                tracing::warn!(pubsub = self.pubsub, topic = publish.topic, "message without a subscription");
            }
            None => exchange.unclaimed.push_back(Received { token, publish }),
        }
    }
}

/// Returns whether a topic matches a pattern, which may begin with `$share/GROUP/`.
fn matches(pattern: &str, topic: &str) -> bool {
    let shared = pattern.strip_prefix("$share/").and_then(|rest| rest.split_once('/')).map(|(_, pattern)| pattern);
    let (mut levels, mut pattern) = (topic.split('/'), shared.unwrap_or(pattern).split('/'));
    loop {
        match (pattern.next(), levels.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(expected), Some(level)) if expected == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_levels_of_topics() {
        for (pattern, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("a/#", "a/b/c", true),
            ("a/#", "a", true),
            ("\u{e4}/+", "\u{e4}/b", true),
            ("$share/group/a/+", "a/b", true),
            ("$share/group/a", "b", false),
        ] {
            assert_eq!(matches(pattern, topic), expected, "{pattern} {topic}");
        }
    }
}
