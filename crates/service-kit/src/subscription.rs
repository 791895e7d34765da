//! Subscriptions to topics, as routes: Dapr asks for them at `GET /dapr/subscribe`, and posts each message to its route.
//!
//! ```
//! use axum::Router;
//! use service_kit::{Delivery, Event, Subscriptions};
//!
//! async fn shipped(Event { id, data, .. }: Event<String>) -> Delivery {
//!     println!("order {data} is shipped (event {id})");
//!     Delivery::Success
//! }
//!
//! let routes: Router = Subscriptions::new().subscribe("messages", "shipped", "/shipped", shipped).into_router();
//! # drop(routes);
//! ```

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The subscriptions of a service.
///
/// A handler is one of axum, which usually takes an [`Event`] and returns a [`Delivery`]. Any answer of 2xx without one
/// means that the message is processed, 404 that it never will be, and any other status that Dapr may try again.
pub struct Subscriptions<S> {
    declared: Vec<Declared>,
    routes: Router<S>,
}

/// A subscription as Dapr reads it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Declared {
    #[serde(rename = "pubsubname")]
    pubsub: String,
    topic: String,
    route: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_topic: Option<String>,
}

impl<S: Clone + Send + Sync + 'static> Default for Subscriptions<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Subscriptions<S> {
    /// Creates a service without subscriptions.
    #[must_use]
    pub fn new() -> Self {
        Self { declared: Vec::new(), routes: Router::new() }
    }

    /// Delivers the messages of `topic` at the broker `pubsub` to `handler`, as `POST path`.
    ///
    /// # Panics
    /// If another subscription has this path.
    #[must_use]
    pub fn subscribe<H: Handler<T, S>, T: 'static>(
        mut self,
        pubsub: &str,
        topic: &str,
        path: &str,
        handler: H,
    ) -> Self {
        let [pubsub, topic, route] = [pubsub, topic, path].map(str::to_owned);
        self.declared.push(Declared { pubsub, topic, route, dead_letter_topic: None });
        Self { routes: self.routes.route(path, post(handler)), ..self }
    }

    /// Sends messages of the last subscription that are not processed to the topic `topic`.
    #[must_use]
    pub fn dead_letter(mut self, topic: &str) -> Self {
        if let Some(last) = self.declared.last_mut() {
            last.dead_letter_topic = Some(topic.to_owned());
        }
        self
    }

    /// Returns the routes of the subscriptions, and the one at which Dapr asks for them.
    pub fn into_router(self) -> Router<S> {
        let Self { declared, routes } = self;
        routes.route("/dapr/subscribe", get(async move || Json(declared)))
    }
}

/// A message, whose data is read from JSON. As an extractor, it drops a message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event<T> {
    /// Id, which is the same each time that Dapr delivers the message.
    pub id: String,
    /// App id of the publisher, or what it says instead.
    #[serde(default)]
    pub source: String,
    /// Type of the event; Dapr's default is `com.dapr.event.sent`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Topic of the message.
    #[serde(default)]
    pub topic: String,
    /// Broker of the message.
    #[serde(default, rename = "pubsubname")]
    pub pubsub: String,
    /// Subject, if the publisher gives one.
    pub subject: Option<String>,
    /// Time of publishing, as in RFC 3339.
    pub time: Option<String>,
    /// Payload.
    pub data: T,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Event<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        serde_json::from_slice(&body).map_err(|_| Delivery::Drop.into_response())
    }
}

/// Outcome of a delivery, as a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "UPPERCASE")]
pub enum Delivery {
    /// The message is processed.
    Success,
    /// Dapr may deliver the message again.
    Retry,
    /// The message will never be processed; it goes to the dead letter topic, if there is one.
    Drop,
}

impl IntoResponse for Delivery {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    async fn double(Event { data, .. }: Event<i32>) -> Delivery {
        if data > 0 { Delivery::Success } else { Delivery::Retry }
    }

    async fn answer(method: &str, path: &str, body: &str) -> Value {
        let subscriptions = Subscriptions::new().subscribe("p", "t", "/t", double).dead_letter("dead");
        let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
        let response = subscriptions.into_router().oneshot(request).await.unwrap();
        serde_json::from_slice(&to_bytes(response.into_body(), 1000).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn subscriptions_are_declared_to_dapr() {
        let expected = json!([{"pubsubname": "p", "topic": "t", "route": "/t", "deadLetterTopic": "dead"}]);
        assert_eq!(answer("GET", "/dapr/subscribe", "").await, expected);
    }

    #[tokio::test]
    async fn handler_decides_and_unreadable_message_is_dropped() {
        for (body, expected) in [
            (r#"{"id":"1","data":1}"#, "SUCCESS"),
            (r#"{"id":"1","data":0,"type":"x","subject":null}"#, "RETRY"),
            (r#"{"id":"1","data":"text"}"#, "DROP"),
            ("{", "DROP"),
        ] {
            assert_eq!(answer("POST", "/t", body).await, json!({ "status": expected }), "{body}");
        }
    }
}
