//! Circuit breakers: `dapr/pkg/resiliency/breaker`, and `gobreaker`, whose states and counts it has.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dapr_resources::resiliency::CircuitBreakerResource;
use tokio::time::Instant;

use super::Interruption;
use crate::condition::{self, Condition};

/// Default of the time in the open state.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Consecutive failures after which a breaker without a condition opens.
const MAX_CONSECUTIVE_FAILURES: u32 = 5;

/// Variables of the condition `trip`.
const VARIABLES: &[&str] =
    &["requests", "totalSuccesses", "totalFailures", "consecutiveSuccesses", "consecutiveFailures"];

/// Settings of the breakers of one policy.
#[derive(Debug)]
pub(super) struct BreakerSettings {
    policy: String,
    /// Requests at once while half-open, and successes that close the breaker.
    max_requests: u32,
    /// Time after which the closed state forgets its counts; zero means never.
    interval: Duration,
    /// Time in the open state.
    timeout: Duration,
    /// Condition for opening.
    trip: Option<Condition>,
}

/// Ends calls at once while its target fails.
pub(crate) struct CircuitBreaker {
    /// Target.
    name: String,
    settings: Arc<BreakerSettings>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Counts up with each change of the state and each reset of the counts.
    generation: u64,
    counts: Counts,
    /// End of the state, if it has one.
    expiry: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    HalfOpen,
    Open,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u32,
    total_successes: u32,
    total_failures: u32,
    consecutive_successes: u32,
    consecutive_failures: u32,
}

/// A call that the breaker lets pass. A dropped one counts as a failure, as one that Go's context ends.
pub(crate) struct Admission<'a> {
    breaker: &'a CircuitBreaker,
    generation: u64,
    is_success: bool,
}

impl BreakerSettings {
    pub(super) fn new(policy: &str, resource: &CircuitBreakerResource) -> Result<Self, String> {
        let trip = resource.trip.trim();
        Ok(Self {
            policy: policy.to_owned(),
            max_requests: resource.max_requests.max(1),
            interval: resource.interval,
            timeout: Some(resource.timeout).filter(|timeout| !timeout.is_zero()).unwrap_or(TIMEOUT),
            trip: (!trip.is_empty()).then(|| Condition::new(trip, VARIABLES)).transpose()?,
        })
    }

    /// Returns whether a closed breaker with these counts opens. A condition that cannot be evaluated opens none.
    fn trips(&self, counts: Counts) -> bool {
        let Some(trip) = &self.trip else { return counts.consecutive_failures > MAX_CONSECUTIVE_FAILURES };
        let Ok(mut context) = condition::context() else { return false };
        let Counts { requests, total_successes, total_failures, consecutive_successes, consecutive_failures } = counts;
        let values = [requests, total_successes, total_failures, consecutive_successes, consecutive_failures];
        for (name, value) in VARIABLES.iter().zip(values) {
            context.add_variable_from_value(*name, i64::from(value));
        }
        trip.matches(&context).unwrap_or_else(|why| {
            tracing::warn!(policy = self.policy, why, "cannot evaluate the condition of a circuit breaker");
            false
        })
    }
}

/// Creates breakers of a policy.
pub(super) trait Breakers {
    /// Creates a closed breaker for the target `name`.
    fn breaker(&self, name: String) -> Arc<CircuitBreaker>;
}

impl Breakers for Arc<BreakerSettings> {
    fn breaker(&self, name: String) -> Arc<CircuitBreaker> {
        let expiry = (!self.interval.is_zero()).then(|| Instant::now() + self.interval);
        let inner = Inner { state: State::Closed, generation: 0, counts: Counts::default(), expiry };
        Arc::new(CircuitBreaker { name, settings: self.clone(), inner: Mutex::new(inner) })
    }
}

impl CircuitBreaker {
    /// Lets a call pass, if the breaker is closed, or half-open with few calls.
    ///
    /// # Errors
    /// When the call is to end at once.
    pub(crate) fn admit(&self) -> Result<Admission<'_>, Interruption> {
        let mut inner = self.current();
        match inner.state {
            State::Open => return Err(Interruption::BreakerOpen),
            State::HalfOpen if inner.counts.requests >= self.settings.max_requests => {
                return Err(Interruption::TooManyRequests);
            }
            State::HalfOpen | State::Closed => {}
        }
        inner.counts.requests += 1;
        Ok(Admission { breaker: self, generation: inner.generation, is_success: false })
    }

    fn record(&self, generation: u64, is_success: bool) {
        let mut inner = self.current();
        if inner.generation != generation {
            return;
        }
        let counts = &mut inner.counts;
        if is_success {
            counts.total_successes += 1;
            counts.consecutive_successes += 1;
            counts.consecutive_failures = 0;
        } else {
            counts.total_failures += 1;
            counts.consecutive_failures += 1;
            counts.consecutive_successes = 0;
        }
        let (state, counts) = (inner.state, inner.counts);
        match (state, is_success) {
            (State::HalfOpen, true) if counts.consecutive_successes >= self.settings.max_requests => {
                self.change(&mut inner, State::Closed);
            }
            (State::HalfOpen, false) => self.change(&mut inner, State::Open),
            (State::Closed, false) if self.settings.trips(counts) => self.change(&mut inner, State::Open),
            _ => {}
        }
    }

    /// Returns the state after the changes that time has brought.
    fn current(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.expiry.is_some_and(|expiry| expiry < Instant::now()) {
            match inner.state {
                State::Open => self.change(&mut inner, State::HalfOpen),
                State::Closed | State::HalfOpen => self.renew(&mut inner),
            }
        }
        inner
    }

    fn change(&self, inner: &mut Inner, state: State) {
        let (from, policy, target) = (inner.state, &self.settings.policy, &self.name);
        tracing::warn!(policy, target, ?from, to = ?state, "circuit breaker changed its state");
        inner.state = state;
        self.renew(inner);
    }

    /// Begins a new generation of the state.
    fn renew(&self, inner: &mut Inner) {
        inner.generation += 1;
        inner.counts = Counts::default();
        let BreakerSettings { interval, timeout, .. } = *self.settings;
        inner.expiry = match inner.state {
            State::Closed => (!interval.is_zero()).then(|| Instant::now() + interval),
            State::Open => Some(Instant::now() + timeout),
            State::HalfOpen => None,
        };
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CircuitBreaker").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Admission<'_> {
    /// Records the outcome of the call.
    pub(crate) fn finish(mut self, is_success: bool) {
        self.is_success = is_success;
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.breaker.record(self.generation, self.is_success);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(resource: &CircuitBreakerResource) -> Arc<CircuitBreaker> {
        Arc::new(BreakerSettings::new("policy", resource).unwrap()).breaker("target".to_owned())
    }

    /// Makes calls with these outcomes, and returns the last error of admission.
    fn call(breaker: &CircuitBreaker, outcomes: &[bool]) -> Option<Interruption> {
        let mut refused = None;
        for outcome in outcomes {
            match breaker.admit() {
                Ok(admission) => admission.finish(*outcome),
                Err(why) => refused = Some(why),
            }
        }
        refused
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_opens_and_closes_as_gobreaker() {
        let breaker = breaker(&CircuitBreakerResource { max_requests: 2, ..CircuitBreakerResource::default() });
        assert_eq!(call(&breaker, &[false, false, false, true, false, false, false, false, false]), None);
        assert_eq!(call(&breaker, &[false]), None, "the sixth in a row");
        assert_eq!(call(&breaker, &[true]), Some(Interruption::BreakerOpen));
        tokio::time::advance(TIMEOUT + Duration::from_millis(1)).await;
        let (first, second) = (breaker.admit().unwrap(), breaker.admit().unwrap());
        assert_eq!(breaker.admit().err(), Some(Interruption::TooManyRequests));
        first.finish(true);
        assert_eq!(breaker.admit().err(), Some(Interruption::TooManyRequests));
        second.finish(true);
        assert_eq!(call(&breaker, &[true, false, true]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn failure_while_half_open_opens_again() {
        let breaker = breaker(&CircuitBreakerResource {
            timeout: Duration::from_secs(1),
            trip: "consecutiveFailures >= 1".to_owned(),
            ..CircuitBreakerResource::default()
        });
        assert_eq!(call(&breaker, &[false, true]), Some(Interruption::BreakerOpen));
        tokio::time::advance(Duration::from_millis(1001)).await;
        drop(breaker.admit().unwrap());
        assert_eq!(breaker.admit().err(), Some(Interruption::BreakerOpen), "a dropped call has failed");
    }

    #[tokio::test(start_paused = true)]
    async fn closed_breaker_forgets_after_its_interval() {
        let breaker = breaker(&CircuitBreakerResource {
            interval: Duration::from_secs(1),
            trip: "totalFailures > 2 && requests >= 3".to_owned(),
            ..CircuitBreakerResource::default()
        });
        assert_eq!(call(&breaker, &[false, false]), None);
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert_eq!(call(&breaker, &[false, false, true]), None);
        assert_eq!(call(&breaker, &[false, true]), Some(Interruption::BreakerOpen));
    }

    #[test]
    fn condition_with_an_unknown_variable_is_an_error() {
        let trip = "failures > 1".to_owned();
        let error = BreakerSettings::new("p", &CircuitBreakerResource { trip, ..Default::default() }).unwrap_err();
        assert!(error.contains("names the variable failures") && error.contains("consecutiveFailures"), "{error}");
    }
}
