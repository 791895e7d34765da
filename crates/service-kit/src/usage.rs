//! Rate limiting and event recording that an image service does for every image.

use std::sync::Arc;
use std::time::Duration;

use dapr_client::{Dapr, Endpoint, TraceContext};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use serde_json::json;

use crate::access_log::Unlogged;
use crate::events::{Delivery, Event, EventSink, EventSinkSettings, Round};
use crate::overlap::overlap;
use crate::rate_limit::{Limiter, Policy};
use crate::{Call, Check, Clock, Environment, Log, Problem, Response};

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

/// Limits how often users may call, and records an event for each image.
pub struct UsagePolicy {
    dapr: Dapr,
    limiter: Option<Limiter>,
    sink: EventSink,
    settings: UsageSettings,
    clock: Arc<dyn Clock>,
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

impl UsagePolicy {
    /// Connects to the Dapr endpoint of the settings.
    #[must_use]
    pub fn new(settings: UsageSettings, clock: Arc<dyn Clock>, log: Arc<dyn Log>) -> Self {
        Self::with_client(Dapr::connect(settings.endpoint.clone()), settings, clock, log)
    }

    /// Uses a given Dapr client, such as a fake in tests.
    #[must_use]
    pub fn with_client(dapr: Dapr, settings: UsageSettings, clock: Arc<dyn Clock>, log: Arc<dyn Log>) -> Self {
        let limiter = settings.limit.map(|policy| {
            let store = settings.events.store.clone();
            Limiter::new(dapr.clone(), store, policy, settings.state_deadline, Arc::clone(&clock))
        });
        let sink = EventSink::new(dapr.clone(), settings.events.clone(), log);
        Self { dapr, limiter, sink, settings, clock }
    }

    /// Counts the user of a call, and runs `work` while the count travels to the state store.
    ///
    /// The work does not start for a user who is already over the limit. Its result is discarded where another instance
    /// counted the last allowed request first.
    ///
    /// # Errors
    /// 429 with `Retry-After` if the user is over the limit.
    pub async fn admit<T>(&self, call: &Call, work: impl FnOnce() -> T) -> Result<T, Problem> {
        let Some(limiter) = &self.limiter else { return Ok(work()) };
        limiter.check(call.user, work).await.map_err(too_many)
    }

    /// Records an input of `bytes` bytes, and runs `work` while the event is on its way.
    pub async fn record_event<T>(
        &self,
        call: &Call,
        op_type: &str,
        bytes: usize,
        work: impl FnOnce() -> T,
    ) -> (Delivery, T) {
        let event = Event::new(self.clock.now(), op_type, bytes);
        let trace = TraceContext::from_headers(call.request.headers());
        overlap(self.sink.take(&event, trace), work).await
    }

    /// Delivers the events in the outbox; the response to the cron binding.
    ///
    /// # Errors
    /// 503 if the state store cannot be reached; the next tick tries again.
    pub async fn deliver(&self) -> Result<Response, Problem> {
        let round = self.sink.deliver().await;
        let Round { delivered, refused, waiting } =
            round.map_err(|reason| Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason))?;
        let body = json!({ "delivered": delivered, "refused": refused, "waiting": waiting }).to_string();
        let mut response = Response::new(body.into());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if (delivered, refused, waiting) == (0, 0, 0) {
            response.extensions_mut().insert(Unlogged);
        }
        Ok(response)
    }

    /// Checks the state store and the recorder. Users are served without either, so that a missing one only degrades.
    pub async fn checks(&self) -> Vec<Check> {
        let dapr = self.dapr.with_deadline(PROBE_TIMEOUT);
        let (store, recorder) = (&self.settings.events.store, &self.settings.events.recorder);
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

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!("too many requests from your address; try again in {seconds} s");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
    problem.with_header(RETRY_AFTER, HeaderValue::from(seconds))
}
