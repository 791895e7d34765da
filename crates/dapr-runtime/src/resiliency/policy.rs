//! Runs a call under its policy: `dapr/pkg/resiliency/policy.go`.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use super::{CircuitBreaker, Retry};
use crate::calls::Outcome;

/// The policies of one call; without any, it runs once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// Longest time of each attempt.
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Arc<Retry>>,
    pub(crate) breaker: Option<Arc<CircuitBreaker>>,
}

/// Why a policy ended a call. The texts are Dapr's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Interruption {
    /// An attempt took longer than its timeout.
    #[error("context deadline exceeded")]
    Timeout,
    /// The circuit breaker is open.
    #[error("circuit breaker is open")]
    BreakerOpen,
    /// The circuit breaker is half-open, and enough calls are under way.
    #[error("too many requests")]
    TooManyRequests,
}

/// Outcome of an attempt, as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Success,
    /// A failure that is retried.
    Failure,
    /// A failure with an HTTP status, which is retried if the policy matches it.
    Status(u16),
    /// A failure that is never retried.
    Permanent,
}

impl Policy {
    /// Returns whether a call may be repeated.
    pub(crate) fn has_retries(&self) -> bool {
        self.retry.as_ref().is_some_and(|retry| retry.has_retries())
    }

    /// Makes one attempt, under the circuit breaker and the timeout.
    pub(crate) async fn attempt<O: Outcome>(&self, call: impl Future<Output = O>) -> (O, Verdict) {
        let admission = match self.breaker.as_ref().map(|breaker| breaker.admit()).transpose() {
            Ok(admission) => admission,
            Err(why) => return (O::interrupted(why), Verdict::Permanent),
        };
        let outcome = match self.timeout {
            None => call.await,
            Some(timeout) => {
                let finished = tokio::time::timeout(timeout, call).await;
                finished.unwrap_or_else(|_| O::interrupted(Interruption::Timeout))
            }
        };
        let verdict = outcome.verdict();
        if let Some(admission) = admission {
            admission.finish(verdict == Verdict::Success);
        }
        (outcome, verdict)
    }

    /// Returns the retries of one call.
    pub(crate) fn retries(&self) -> Retries<'_> {
        Retries { retry: self.retry.as_deref(), delays: None, attempts: 1 }
    }
}

/// Retries of one call.
pub(crate) struct Retries<'a> {
    retry: Option<&'a Retry>,
    delays: Option<Box<dyn Iterator<Item = Duration> + Send>>,
    /// Attempts so far.
    attempts: u64,
}

impl Retries<'_> {
    /// Returns the delay before the next attempt at the call `name`, or `None` if the last one was final.
    pub(crate) fn next(&mut self, verdict: Verdict, name: &dyn Display) -> Option<Duration> {
        let retry = self.retry?;
        let is_retried = match verdict {
            Verdict::Success | Verdict::Permanent => false,
            Verdict::Failure => true,
            Verdict::Status(status) => retry.matches(status),
        };
        if !is_retried {
            if verdict == Verdict::Success && self.attempts > 1 {
                tracing::info!(attempts = self.attempts, "call recovered: {name}");
            }
            return None;
        }
        let delay = self.delays.get_or_insert_with(|| Box::new(retry.delays())).next()?;
        if self.attempts == 1 {
            tracing::warn!(?delay, "call failed, retrying: {name}");
        }
        self.attempts += 1;
        Some(delay)
    }
}
