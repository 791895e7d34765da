//! The way of an event: to the recorder, or into the outbox and from there to the recorder.

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

/// Says what has become of a request's event.
const EVENT_DELIVERY: HeaderName = HeaderName::from_static("event-delivery");

/// How many events one round delivers at most, so that a round ends before the next one is due.
const ROUND_SIZE: usize = 200;

/// How long the recorder may take over one event of a round; nobody waits for it there.
const ROUND_DEADLINE: Duration = Duration::from_secs(5);

/// Where events go.
#[derive(Debug, Clone)]
pub struct EventSinkSettings {
    /// The app id of the service that records.
    pub recorder: String,
    /// The state store that keeps what waits.
    pub store: String,
    /// How long a user's answer may be held up, recorder and state store together.
    pub deadline: Duration,
}

/// Takes events.
pub struct EventSink {
    dapr: Dapr,
    settings: EventSinkSettings,
    outbox: Outbox,
    delivering: Mutex<()>,
    log: Arc<dyn Log>,
}

/// What has become of an event by the time of the user's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// It is in the table.
    Recorded,
    /// It waits in the state store, and will be in the table.
    Deferred,
    /// Neither recorder nor state store took it, as far as could be learnt in time.
    Dropped,
}

/// What a round of deliveries achieved.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Now in the table.
    pub delivered: usize,
    /// Never to be in the table, because the recorder refused them; each one is in the log.
    pub refused: usize,
    /// Still to come.
    pub waiting: usize,
}

impl EventSink {
    /// A sink that calls the recorder and the state store through `dapr`.
    pub fn new(dapr: Dapr, settings: EventSinkSettings, log: Arc<dyn Log>) -> Self {
        let outbox = Outbox::new(dapr.clone(), settings.store.clone());
        Self { dapr, settings, outbox, delivering: Mutex::new(()), log }
    }

    /// Takes an event. Never fails, and returns within the deadline: half of it for the recorder, half for the store.
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

    /// Delivers what waits. A round that is still under way does the work of the one that is asked for meanwhile.
    ///
    /// # Errors
    /// When the state store cannot be asked; what waits goes on waiting.
    pub async fn deliver(&self) -> Result<Round, String> {
        let Ok(_round) = self.delivering.try_lock() else { return Ok(Round::default()) };
        let events = self.outbox.waiting().await.map_err(|error| error.to_string())?;
        let recorder = self.dapr.with_deadline(ROUND_DEADLINE);
        let (mut round, mut done) = (Round::default(), HashSet::new());
        for event in events.iter().take(ROUND_SIZE) {
            match record(&recorder, &self.settings.recorder, event).await {
                Attempt::Recorded => round.delivered += 1,
                Attempt::Refused => {
                    self.log.line(&format!("event {} was refused by its recorder and is dropped", event.event_id));
                    round.refused += 1;
                }
                Attempt::Failed => break,
            }
            done.insert(event.event_id.as_str());
        }
        round.waiting = events.len() - done.len();
        if !done.is_empty() {
            self.outbox.forget(&done).await.map_err(|error| error.to_string())?;
        }
        Ok(round)
    }
}

impl Delivery {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Deferred => "deferred",
            Self::Dropped => "dropped",
        }
    }

    /// Says on an answer what has become of its event.
    pub fn tell(self, response: &mut Response) {
        response.headers_mut().insert(EVENT_DELIVERY, HeaderValue::from_static(self.name()));
    }

    /// The same on an answer that says what went wrong after that.
    #[must_use]
    pub fn told(self, problem: Problem) -> Problem {
        problem.with_header(EVENT_DELIVERY, HeaderValue::from_static(self.name()))
    }
}

#[cfg(test)]
mod tests;
