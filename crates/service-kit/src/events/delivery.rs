//! The path of an event: to the recorder, or into the outbox and from there to the recorder.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use axum::{Extension, Json};
use dapr_client::{Dapr, TraceContext, timeout};
use futures_util::future::Either;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::sync::Mutex;

use super::Event;
use super::outbox::Outbox;
use super::recorder::{Attempt, record};
use crate::access_log::Unlogged;
use crate::in_flight::{self, InFlight};
use crate::{Log, Problem};

/// Response header with the outcome of the request's event.
pub(crate) const EVENT_DELIVERY: HeaderName = HeaderName::from_static("event-delivery");

/// Most events delivered in one round, so that a round ends before the next is due.
const MAX_EVENTS_PER_ROUND: usize = 200;

/// Timeout for recording one event of a round; no user waits for it.
const ROUND_TIMEOUT: Duration = Duration::from_secs(5);

/// Settings for event delivery.
#[derive(Debug, Clone)]
pub struct EventSinkSettings {
    /// App id of the service that records events.
    pub recorder: String,
    /// State store that keeps pending events.
    pub store: String,
    /// Longest delay of a user's response, recorder and state store together.
    pub deadline: Duration,
}

/// Delivers events to the recorder, or keeps them in the outbox. Clones share the outbox.
#[derive(Clone)]
pub struct EventSink {
    dapr: Dapr,
    settings: Arc<EventSinkSettings>,
    outbox: Arc<Outbox>,
    delivering: Arc<Mutex<()>>,
    log: Arc<dyn Log>,
}

/// An event on its way to the recorder. It arrives even if this is dropped.
pub struct EventDelivery(Either<Delivery, InFlight<Delivery>>);

/// Outcome of an event by the time the user's response is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// The event is in the table.
    Recorded,
    /// The event is in the outbox and will be in the table.
    Deferred,
    /// Neither the recorder nor the state store confirmed the event in time.
    Dropped,
}

/// Outcome of one round of deliveries: the response to the cron binding.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Round {
    /// Events now in the table.
    pub delivered: usize,
    /// Events that the recorder rejected for good; each is logged.
    pub refused: usize,
    /// Events still in the outbox.
    pub waiting: usize,
}

impl EventSink {
    /// Creates a sink that calls the recorder and the state store through `dapr`.
    pub fn new(dapr: Dapr, settings: EventSinkSettings, log: Arc<dyn Log>) -> Self {
        let outbox = Arc::new(Outbox::new(dapr.clone(), settings.store.clone()));
        Self { dapr, settings: Arc::new(settings), outbox, delivering: Arc::default(), log }
    }

    /// Sends an event, and returns while it is on its way.
    pub async fn begin(&self, event: Event, trace: TraceContext) -> EventDelivery {
        let sink = self.clone();
        let request = async move { sink.take(&event, trace).await };
        EventDelivery(in_flight::start(request, std::future::ready(())).await)
    }

    /// Takes an event. Never fails, and returns within the deadline: half for the recorder, half for the store.
    async fn take(&self, event: &Event, trace: TraceContext) -> Delivery {
        let half = self.settings.deadline / 2;
        let recorder = self.dapr.with_deadline(half).with_trace(trace);
        match record(&recorder, &self.settings.recorder, event).await {
            Attempt::Recorded => return Delivery::Recorded,
            Attempt::Refused => return Delivery::Dropped,
            Attempt::Failed => {}
        }
        match timeout(half, self.outbox.keep(event)).await {
            Ok(Ok(())) => Delivery::Deferred,
            Ok(Err(_)) | Err(_) => Delivery::Dropped,
        }
    }

    /// Delivers pending events. Does nothing while another round is running.
    ///
    /// # Errors
    /// 503 if the state store cannot be reached; pending events stay in the outbox.
    pub async fn deliver(&self) -> Result<Round, Problem> {
        let Ok(_round) = self.delivering.try_lock() else { return Ok(Round::default()) };
        let events = self.outbox.waiting().await?;
        let recorder = self.dapr.with_deadline(ROUND_TIMEOUT);
        let (mut round, mut done) = (Round::default(), HashSet::new());
        for event in events.iter().take(MAX_EVENTS_PER_ROUND) {
            match record(&recorder, &self.settings.recorder, event).await {
                Attempt::Recorded => round.delivered += 1,
                Attempt::Refused => {
                    self.log.line(&format!("event dropped: rejected by the recorder: {}", event.event_id));
                    round.refused += 1;
                }
                Attempt::Failed => break,
            }
            done.insert(event.event_id.as_str());
        }
        round.waiting = events.len() - done.len();
        if !done.is_empty() {
            let removed = self.outbox.remove(&done).await;
            removed.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
        }
        Ok(round)
    }
}

impl Delivery {
    /// Returns the value of the `Event-Delivery` header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Deferred => "deferred",
            Self::Dropped => "dropped",
        }
    }
}

impl EventDelivery {
    /// Waits for the outcome, at most as long as the sink's deadline.
    pub async fn finish(self) -> Delivery {
        match self.0 {
            Either::Left(delivery) => delivery,
            Either::Right(request) => request.response().await,
        }
    }
}

/// Adds the outcome to a response.
impl IntoResponseParts for Delivery {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().insert(EVENT_DELIVERY, HeaderValue::from_static(self.name()));
        Ok(parts)
    }
}

/// A round without events is not logged: it happens every few seconds.
impl IntoResponse for Round {
    fn into_response(self) -> Response {
        let is_idle = self == Self::default();
        (is_idle.then_some(Extension(Unlogged)), Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests;
