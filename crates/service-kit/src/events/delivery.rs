//! The path of an event: to the recorder, or into the outbox and from there to the recorder.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dapr_client::{Dapr, TraceContext, timeout};
use http::header::{HeaderName, HeaderValue};
use tokio::sync::Mutex;

use super::Event;
use super::outbox::Outbox;
use super::recorder::{Attempt, record};
use crate::{Log, Problem, Response};

/// Response header with the outcome of the request's event.
const EVENT_DELIVERY: HeaderName = HeaderName::from_static("event-delivery");

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

/// Delivers events to the recorder, or keeps them in the outbox.
pub struct EventSink {
    dapr: Dapr,
    settings: EventSinkSettings,
    outbox: Outbox,
    delivering: Mutex<()>,
    log: Arc<dyn Log>,
}

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

/// Outcome of one round of deliveries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
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
        let outbox = Outbox::new(dapr.clone(), settings.store.clone());
        Self { dapr, settings, outbox, delivering: Mutex::new(()), log }
    }

    /// Takes an event. Never fails, and returns within the deadline: half for the recorder, half for the store.
    pub async fn take(&self, event: &Event, trace: TraceContext) -> Delivery {
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
    /// If the state store cannot be reached; pending events stay in the outbox.
    pub async fn deliver(&self) -> Result<Round, String> {
        let Ok(_round) = self.delivering.try_lock() else { return Ok(Round::default()) };
        let events = self.outbox.waiting().await.map_err(|error| error.to_string())?;
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
            self.outbox.remove(&done).await.map_err(|error| error.to_string())?;
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

    /// Adds the outcome to a response.
    pub fn add_to_response(self, response: &mut Response) {
        response.headers_mut().insert(EVENT_DELIVERY, HeaderValue::from_static(self.name()));
    }

    /// Adds the outcome to an error that happened after the event was taken.
    #[must_use]
    pub fn add_to_problem(self, problem: Problem) -> Problem {
        problem.with_header(EVENT_DELIVERY, HeaderValue::from_static(self.name()))
    }
}

#[cfg(test)]
mod tests;
