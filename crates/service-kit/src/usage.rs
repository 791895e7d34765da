//! Rate limit and events of the image services, and their settings.

use std::sync::Arc;
use std::time::Duration;

use dapr_client::{Dapr, Endpoint};
use http::Method;

use crate::events::{EventSink, EventSinkSettings};
use crate::rate_limit::{Limiter, Policy};
use crate::{Check, Environment, StderrLog, SystemClock};

/// Timeout of each probe for `/healthz`.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// Settings for rate limiting and event delivery.
#[derive(Debug, Clone)]
pub struct UsageSettings {
    /// Dapr's endpoint.
    pub endpoint: Endpoint,
    /// Rate limit; `None` for no limit.
    pub limit: Option<Policy>,
    /// Longest time that the state store may hold up a request.
    pub state_deadline: Duration,
    /// Settings for event delivery.
    pub events: EventSinkSettings,
}

/// Rate limit and events of an image service.
#[derive(Clone)]
pub struct Usage {
    /// Limits how often a user may call.
    pub limiter: Limiter,
    /// Records an event for each image.
    pub events: EventSink,
    dapr: Dapr,
    settings: Arc<EventSinkSettings>,
}

impl UsageSettings {
    /// Reads Dapr's endpoint (see [`Endpoint::from_lookup`]), `STATE_STORE`, `EVENTS_APP_ID`, `RATE_LIMIT_PER_MINUTE`
    /// (0 for no limit), `RATE_LIMIT_BURST`, `STATE_DEADLINE_MS` and `EVENT_DEADLINE_MS`.
    pub fn read(environment: &mut Environment<'_>, default_dapr_port: u16) -> Self {
        let endpoint = environment.dapr_endpoint(default_dapr_port);
        let store = environment.text("STATE_STORE").unwrap_or_else(|| "statestore".to_owned());
        let recorder = environment.text("EVENTS_APP_ID").unwrap_or_else(|| "events-service".to_owned());
        let per_minute = environment.parsed("RATE_LIMIT_PER_MINUTE", "a number of requests", 6000);
        let burst = environment.parsed("RATE_LIMIT_BURST", "a number of requests", 1000);
        let state_deadline = environment.milliseconds("STATE_DEADLINE_MS", 250);
        let deadline = environment.milliseconds("EVENT_DEADLINE_MS", 500);
        Self {
            endpoint,
            limit: Policy::per_minute(per_minute, burst),
            state_deadline,
            events: EventSinkSettings { recorder, store, deadline },
        }
    }
}

impl Usage {
    /// Connects to the Dapr endpoint of the settings.
    #[must_use]
    pub fn new(settings: UsageSettings) -> Self {
        Self::with_client(Dapr::connect(settings.endpoint.clone()), settings)
    }

    /// Uses a given Dapr client, such as a fake in tests.
    #[must_use]
    pub fn with_client(dapr: Dapr, settings: UsageSettings) -> Self {
        let UsageSettings { limit, state_deadline, events, .. } = settings;
        let limiter = Limiter::new(dapr.clone(), events.store.clone(), limit, state_deadline, Arc::new(SystemClock));
        let sink = EventSink::new(dapr.clone(), events.clone(), Arc::new(StderrLog));
        Self { limiter, events: sink, dapr, settings: Arc::new(events) }
    }

    /// Checks the state store and the recorder. Users are served without either, so that a missing one only degrades.
    pub async fn checks(&self) -> Vec<Check> {
        let dapr = self.dapr.with_deadline(PROBE_TIMEOUT);
        let (store, recorder) = (&self.settings.store, &self.settings.recorder);
        let state = match dapr.state(store).get::<serde_json::Value>("healthz").await {
            Ok(_) => Check::ok("state store"),
            Err(error) => Check::degraded("state store", format!("users are not limited: {error}")),
        };
        let answer = dapr.invoke(recorder, Method::GET, "healthz").send().await;
        let recorder = match answer.map(|response| response.status()) {
            Ok(status) if status.is_success() => Check::ok("event recorder"),
            Ok(status) => Check::degraded("event recorder", format!("events wait: {recorder} answers {status}")),
            Err(error) => Check::degraded("event recorder", format!("events wait: {error}")),
        };
        vec![state, recorder]
    }
}
