//! Subscriptions of the application: those it declares by `GET /dapr/subscribe`, and those of Subscription resources.
//!
//! Follows `dapr/pkg/runtime/pubsub/subscriptions.go`, `pkg/runtime/compstore/subscriptions.go` and
//! `pkg/runtime/processor/subscriber`.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dapr_building_blocks::Metadata;
use dapr_building_blocks::middleware::empty_body;
use dapr_building_blocks::pubsub::{MessageHandler, SubscribeRequest};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::bulk_subscription::Collector;
use super::subscription::{Deliverer, read};
use super::{Broker, PubSubs, Rule};
use crate::backoff::Backoff;
use crate::calls::CallTarget;
use crate::resiliency::{ComponentKind, Policy};
use crate::{InvokeError, Sidecar};

/// Path at which the application declares its subscriptions.
const PATH: &str = "/dapr/subscribe";
/// Maximum number of subscriptions that an application declares, and of messages in a bulk delivery.
const MAX_SUBSCRIPTIONS: usize = 1000;
const MAX_BULK: usize = 1000;

/// A subscription of the application to one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Name of the broker.
    pub pubsub: String,
    /// Topic, or a pattern.
    pub topic: String,
    /// Metadata of the subscription.
    pub metadata: Metadata,
    /// Topic for messages that are not processed; empty for none.
    pub dead_letter_topic: String,
    /// Rules that choose the path of an event, in order.
    pub rules: Vec<Rule>,
    /// Delivery of several messages at once, if enabled.
    pub bulk: Option<BulkSubscribe>,
    /// Origin of the subscription.
    pub kind: SubscriptionKind,
}

/// Limits of a bulk delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSubscribe {
    /// Maximum number of messages.
    pub max_messages: usize,
    /// Longest time that the first message waits for more.
    pub max_await: Duration,
}

impl BulkSubscribe {
    /// Creates limits; numbers that are not positive are Dapr's defaults, 100 messages and 1 s.
    #[must_use]
    pub fn new(max_messages: i64, max_await_millis: i64) -> Self {
        let positive = |number: i64, default: u64| u64::try_from(number).ok().filter(|it| *it > 0).unwrap_or(default);
        Self {
            // Each message is in memory.
            max_messages: usize::try_from(positive(max_messages, 100)).unwrap_or(usize::MAX).min(MAX_BULK),
            max_await: Duration::from_millis(positive(max_await_millis, 1000)),
        }
    }
}

/// Origin of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionKind {
    /// A Subscription resource.
    Declarative,
    /// The application itself.
    Programmatic,
}

impl SubscriptionKind {
    /// Returns Dapr's name of the kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declarative => "DECLARATIVE",
            Self::Programmatic => "PROGRAMMATIC",
        }
    }
}

/// The subscriptions of one application.
#[derive(Default)]
pub(crate) struct Subscriptions {
    /// Those of Subscription resources.
    declared: Vec<Subscription>,
    /// Those of the application itself, once it was asked.
    own: Vec<Subscription>,
}

impl Sidecar {
    /// Sets the subscriptions of Subscription resources, in order.
    pub fn set_declared_subscriptions(&self, declared: Vec<Subscription>) {
        self.subscriptions.write().unwrap_or_else(PoisonError::into_inner).declared = declared;
    }

    /// Lists the subscriptions known so far.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let all = self.subscriptions.read().unwrap_or_else(PoisonError::into_inner);
        merge(all.declared.clone(), all.own.clone())
    }
}

/// Subscriptions whose messages are delivered.
#[derive(Default)]
pub(crate) struct RunningSubscriptions {
    has_asked: bool,
    running: Vec<Running>,
}

struct Running {
    subscription: Subscription,
    broker: Broker,
    /// Ends it.
    end: CancellationToken,
    /// Its deliveries.
    ended: watch::Receiver<()>,
}

impl RunningSubscriptions {
    /// Starts and ends subscriptions, until `shutdown`, so that they are those of the sidecar at its present brokers.
    ///
    /// The first time that there is a broker, the application is asked for its subscriptions. One that follows another
    /// of the same topic begins when the deliveries of that one have ended.
    pub(crate) async fn update(&mut self, sidecar: &Arc<Sidecar>, shutdown: &CancellationToken) {
        let components = sidecar.components();
        let PubSubs(brokers) = &components.pubsub;
        if !brokers.is_empty() && !self.has_asked {
            self.has_asked = true;
            let own = ask(sidecar, shutdown).await;
            sidecar.subscriptions.write().unwrap_or_else(PoisonError::into_inner).own = own;
        }
        let wanted: Vec<_> = sidecar
            .subscriptions()
            .into_iter()
            .filter_map(|subscription| Some((brokers.get(&subscription.pubsub)?.clone(), subscription)))
            .collect();
        let is_wanted = |running: &mut Running| wanted.iter().any(|(broker, it)| running.is(broker, it));
        let ended: Vec<_> = self.running.extract_if(.., |running| !is_wanted(running)).collect();
        ended.iter().for_each(|running| running.end.cancel());
        for (broker, subscription) in wanted {
            if self.running.iter().any(|running| running.is(&broker, &subscription)) {
                continue;
            }
            let Subscription { pubsub, topic, .. } = &subscription;
            if !broker.scopes.may_subscribe(sidecar.app_id(), topic) {
                let error = format!("subscription to topic '{topic}' on pubsub '{pubsub}' is not allowed");
                tracing::error!(app = sidecar.app_id(), pubsub, topic, error, "not subscribed");
                continue;
            }
            let is_before = |it: &&Running| (&it.subscription.pubsub, &it.subscription.topic) == (pubsub, topic);
            let before = ended.iter().find(is_before).map(|running| running.ended.clone());
            let (end, (ending, ended)) = (shutdown.child_token(), watch::channel(()));
            let deliverer =
                Deliverer { sidecar: sidecar.clone(), broker: broker.clone(), subscription: subscription.clone() };
            self.running.push(Running { subscription, broker, end: end.clone(), ended });
            match before {
                None => start(deliverer, end, ending).await,
                Some(mut before) => {
                    tokio::spawn(async move {
                        // An error means that the deliveries have ended.
                        while end.run_until_cancelled(before.changed()).await.is_some_and(|it| it.is_ok()) {}
                        if !end.is_cancelled() {
                            start(deliverer, end, ending).await;
                        }
                    });
                }
            }
        }
    }
}

impl Running {
    /// Returns whether this is `subscription` at `broker`.
    fn is(&self, broker: &Broker, subscription: &Subscription) -> bool {
        Arc::ptr_eq(&self.broker.pubsub, &broker.pubsub) && self.subscription == *subscription
    }
}

/// Starts a subscription until `end`, now or as soon as its broker lets it. `ending` is dropped with its deliveries.
async fn start(deliverer: Deliverer, end: CancellationToken, ending: watch::Sender<()>) {
    let ending = Arc::new(ending);
    if let Err(deliverer) = subscribe(deliverer, &end, &ending).await {
        tokio::spawn(retry(deliverer, end, ending));
    }
}

/// Subscribes, or returns the deliverer for another attempt.
async fn subscribe(
    deliverer: Deliverer,
    shutdown: &CancellationToken,
    ending: &Arc<watch::Sender<()>>,
) -> Result<(), Deliverer> {
    let Deliverer { sidecar, broker, subscription } = &deliverer;
    let Subscription { pubsub, topic, metadata, .. } = subscription;
    let batch = subscription.bulk.map_or(1, |limits| limits.max_messages);
    let request = SubscribeRequest { topic: broker.topic(topic), metadata: metadata.clone(), batch };
    let handler: Arc<dyn MessageHandler> = match subscription.bulk {
        None => Arc::new(deliverer.clone()),
        Some(limits) => Arc::new(Collector::start(deliverer.clone(), limits, shutdown.clone())),
    };
    let target = CallTarget::Component(ComponentKind::Pubsub, pubsub);
    let call = |(request, handler)| broker.pubsub.subscribe(request, handler, shutdown.clone());
    // As in Dapr, policies are for messages; a subscription that fails is retried by itself.
    let policy = Policy::default();
    match sidecar.calls.run_with(&policy, target, "subscribe", (request, handler), call, |_, _| {}).await {
        Ok(deliveries) => {
            let ending = ending.clone();
            sidecar.deliveries.spawn(async move {
                deliveries.await;
                drop(ending);
            });
            tracing::info!(app = sidecar.app_id(), pubsub, topic, "subscribed");
            Ok(())
        }
        Err(error) => {
            tracing::error!(app = sidecar.app_id(), pubsub, topic, %error, "not subscribed; retrying");
            Err(deliverer)
        }
    }
}

async fn retry(mut deliverer: Deliverer, shutdown: CancellationToken, ending: Arc<watch::Sender<()>>) {
    let mut backoff = Backoff::default();
    while shutdown.run_until_cancelled(tokio::time::sleep(backoff.next_delay())).await.is_some() {
        match subscribe(deliverer, &shutdown, &ending).await {
            Ok(()) => return,
            Err(again) => deliverer = again,
        }
    }
}

/// Merges subscriptions: one for each broker and topic. The application's own replace declared ones.
fn merge(declared: Vec<Subscription>, programmatic: Vec<Subscription>) -> Vec<Subscription> {
    let mut all: Vec<Subscription> = Vec::new();
    for subscription in declared.into_iter().chain(programmatic) {
        let is_same =
            |known: &&mut Subscription| known.pubsub == subscription.pubsub && known.topic == subscription.topic;
        match all.iter_mut().find(is_same) {
            None => all.push(subscription),
            Some(known) if subscription.kind == SubscriptionKind::Programmatic => *known = subscription,
            Some(_) => {}
        }
    }
    all
}

/// Asks the application for its subscriptions.
async fn ask(sidecar: &Sidecar, shutdown: &CancellationToken) -> Vec<Subscription> {
    let app = sidecar.app_id();
    let mut delays = sidecar.calls.resiliency().initialization().delays();
    let response = loop {
        match sidecar.app().call(question(app)).await {
            Ok(response) => break response,
            Err(InvokeError::NoApplication) => return Vec::new(),
            Err(error) => {
                let Some(delay) = delays.next() else {
                    tracing::error!(app, %error, "cannot ask the application for its subscriptions");
                    return Vec::new();
                };
                if shutdown.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
                    return Vec::new();
                }
            }
        }
    };
    let status = response.status();
    let body = read(response).await;
    match status {
        StatusCode::OK => parse(&body).unwrap_or_else(|error| {
            tracing::error!(app, error, "cannot read the subscriptions that the application declares at {PATH}");
            Vec::new()
        }),
        StatusCode::NOT_FOUND => Vec::new(),
        status => {
            tracing::error!(app, %status, "cannot ask the application for its subscriptions");
            Vec::new()
        }
    }
}

fn question(app_id: &str) -> Request<crate::Body> {
    let mut request = Request::new(empty_body());
    *request.uri_mut() = PathAndQuery::from_static(PATH).into();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::try_from(app_id) {
        request.headers_mut().insert("dapr-app-id", id);
    }
    request
}

/// Parses the application's answer: a list of `SubscriptionJSON`.
fn parse(body: &[u8]) -> Result<Vec<Subscription>, String> {
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let items = match go_compat::decode(body, "SubscriptionJSON").map_err(|error| error.to_string())? {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        other => return Err(go_compat::mismatch(&other, "[]pubsub.SubscriptionJSON").to_string()),
    };
    let mut subscriptions = Vec::new();
    for item in &items {
        if subscriptions.len() == MAX_SUBSCRIPTIONS {
            return Err(format!("there are more than {MAX_SUBSCRIPTIONS}"));
        }
        let subscription = one(Fields::new(item)?)?;
        if subscription.rules.is_empty() {
            let Subscription { pubsub, topic, .. } = &subscription;
            tracing::warn!(pubsub, topic, "subscription without a route; ignoring it");
            continue;
        }
        subscriptions.push(subscription);
    }
    Ok(subscriptions)
}

fn one(fields: Fields<'_>) -> Result<Subscription, String> {
    let (routes, bulk) = (fields.object("routes")?, fields.object("bulkSubscribe")?);
    let mut rules = Vec::new();
    for rule in routes.list("rules")? {
        let rule = Fields::new(rule)?;
        let condition = rule.text("match")?;
        let created = Rule::new(&condition, &rule.text("path")?);
        rules.push(created.map_err(|why| format!("the rule {condition:?} {why}"))?);
    }
    let default = Some(routes.text("default")?).filter(|path| !path.is_empty());
    let route = Some(fields.text("route")?).filter(|path| !path.is_empty());
    rules.extend(default.or(route).map(|path| Rule::new("", &path)).transpose()?);
    let limits = BulkSubscribe::new(bulk.number("maxMessagesCount")?, bulk.number("maxAwaitDurationMs")?);
    Ok(Subscription {
        pubsub: fields.text("pubsubname")?,
        topic: fields.text("topic")?,
        metadata: fields.texts("metadata")?,
        dead_letter_topic: fields.text("deadLetterTopic")?,
        rules,
        bulk: bulk.flag("enabled")?.then_some(limits),
        kind: SubscriptionKind::Programmatic,
    })
}

/// The fields of an object, whose names match in any case, as in Go; absent and `null` ones are empty.
struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    fn new(value: &'a Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self(Some(fields))),
            Value::Null => Ok(Self(None)),
            other => Err(go_compat::mismatch(other, "pubsub.SubscriptionJSON").to_string()),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        let mut fields = self.0?.iter();
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).filter(|it| !it.is_null())
    }

    fn read<T>(&self, name: &str, expected: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, String> {
        let wrong = |value: &Value| format!("{name} is {}, not {expected}", go_compat::kind(value));
        self.get(name).map(|value| read(value).ok_or_else(|| wrong(value))).transpose()
    }

    fn text(&self, name: &str) -> Result<String, String> {
        let text = self.read(name, "a string", Value::as_str)?;
        Ok(text.unwrap_or_default().to_owned())
    }

    fn number(&self, name: &str) -> Result<i64, String> {
        Ok(self.read(name, "an integer", Value::as_i64)?.unwrap_or_default())
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        Ok(self.read(name, "a boolean", Value::as_bool)?.unwrap_or_default())
    }

    fn list(&self, name: &str) -> Result<&'a [Value], String> {
        Ok(self.read(name, "an array", |value| value.as_array().map(Vec::as_slice))?.unwrap_or_default())
    }

    fn object(&self, name: &str) -> Result<Self, String> {
        Ok(Self(self.read(name, "an object", Value::as_object)?))
    }

    fn texts(&self, name: &str) -> Result<Metadata, String> {
        let Self(object) = self.object(name)?;
        let text = |(key, value): (&String, &Value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            Value::Null => Ok((key.clone(), String::new())),
            other => Err(format!("{name}.{key} is {}, not a string", go_compat::kind(other))),
        };
        object.into_iter().flatten().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_subscriptions_are_read() {
        let body = br#"[
            {"pubsubname":"p","topic":"a","route":"/a","metadata":{"rawPayload":"true"}},
            {"pubsubName":"p","Topic":"b","deadLetterTopic":"dead","bulkSubscribe":{"enabled":true,"maxMessagesCount":5},
             "routes":{"rules":[{"match":"event.type == 'x'","path":"/x"}],"default":"/b"}},
            {"pubsubname":"p","topic":"without a route"}
        ]"#;
        let parsed = parse(body).unwrap();
        let [first, second] = parsed.as_slice() else { panic!("{parsed:?}") };
        assert_eq!((first.topic.as_str(), first.rules[0].path.as_str()), ("a", "/a"));
        assert_eq!(first.metadata["rawPayload"], "true");
        let rules: Vec<_> = second.rules.iter().map(|rule| (rule.condition(), rule.path.as_str())).collect();
        assert_eq!(rules, [("event.type == 'x'", "/x"), ("", "/b")]);
        assert_eq!((second.pubsub.as_str(), second.dead_letter_topic.as_str()), ("p", "dead"));
        assert_eq!(second.bulk, Some(BulkSubscribe::new(5, 1000)));
    }

    #[test]
    fn malformed_subscriptions_are_errors() {
        for (body, why) in [
            ("{}", "cannot unmarshal object"),
            (r#"[{"topic":5}]"#, "topic is number, not a string"),
            (r#"[{"routes":{"rules":[{"match":"event.type ==","path":"/"}]}}]"#, "is no CEL"),
            ("[", "unexpected EOF"),
        ] {
            let error = parse(body.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{body}: {error}");
        }
        assert!(parse(b"").unwrap().is_empty() && parse(b"null").unwrap().is_empty());
    }

    #[test]
    fn own_subscription_replaces_a_declared_one() {
        let subscription = |topic: &str, path: &str, kind| Subscription {
            pubsub: "p".to_owned(),
            topic: topic.to_owned(),
            metadata: Metadata::new(),
            dead_letter_topic: String::new(),
            rules: vec![Rule::new("", path).unwrap()],
            bulk: None,
            kind,
        };
        use SubscriptionKind::{Declarative, Programmatic};
        let declared = ["/1", "/2"].map(|path| subscription("a", path, Declarative));
        let own = [subscription("b", "/3", Programmatic), subscription("a", "/4", Programmatic)];
        let paths = |all: Vec<Subscription>| all.iter().map(|it| it.rules[0].path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(merge(declared.to_vec(), Vec::new())), ["/1"]);
        assert_eq!(paths(merge(declared.to_vec(), own.to_vec())), ["/4", "/3"]);
    }
}
