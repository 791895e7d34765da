//! Probes of an application's health: `dapr/pkg/apphealth/health.go`.
//!
//! While an application is not healthy nobody can invoke it, and its input bindings rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Request;
use http::uri::PathAndQuery;
use sidecar::{Sidecar, empty_body};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::directory::Callee;
use crate::input_bindings;

/// Settings of the probes (`--enable-app-health-check` and its family).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path of `GET`, which 2xx answers where the application is healthy.
    pub path: PathAndQuery,
    /// Time from one probe to the next.
    pub interval: Duration,
    /// Time that a response may take, at most the interval.
    pub timeout: Duration,
    /// Failures in a row after which the application is not healthy; at least 1.
    pub threshold: u32,
}

/// The health of one application.
pub(crate) struct AppHealth {
    check: HealthCheck,
    /// Failures in a row.
    failures: AtomicU32,
}

/// A change that a probe has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Healthy,
    Unhealthy,
}

impl AppHealth {
    /// Not healthy, until a probe has shown otherwise.
    pub(crate) fn new(check: HealthCheck) -> Self {
        Self { failures: AtomicU32::new(check.threshold), check }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.failures.load(Ordering::Relaxed) < self.check.threshold
    }

    /// Counts the outcome of a probe.
    fn record(&self, is_success: bool) -> Option<Change> {
        let was_healthy = self.is_healthy();
        let failures = if is_success { 0 } else { self.failures.load(Ordering::Relaxed).saturating_add(1) };
        self.failures.store(failures, Ordering::Relaxed);
        match (was_healthy, self.is_healthy()) {
            (false, true) => Some(Change::Healthy),
            (true, false) => Some(Change::Unhealthy),
            _ => None,
        }
    }

    async fn probe(&self, callee: &Callee) -> Result<(), String> {
        let mut request = Request::new(empty_body());
        *request.uri_mut() = self.check.path.clone().into();
        match tokio::time::timeout(self.check.timeout, callee.channel.send(request)).await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => Err(format!("status {}", response.status())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no response within {:?}", self.check.timeout)),
        }
    }
}

/// Probes the application until `shutdown`; starts its input bindings when it becomes healthy, and ends them when it no longer is.
pub(crate) async fn watch(sidecar: Arc<Sidecar>, callee: Arc<Callee>, shutdown: CancellationToken) {
    let Some(health) = &callee.health else { return };
    let app = sidecar.app_id().to_owned();
    let mut bindings: Option<CancellationToken> = None;
    let mut ticks = tokio::time::interval(health.check.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let outcome = health.probe(&callee).await;
        match health.record(outcome.is_ok()) {
            Some(Change::Healthy) => {
                tracing::info!(app, "app healthy");
                let token = bindings.insert(shutdown.child_token()).clone();
                input_bindings::run(sidecar.clone(), callee.clone(), token).await;
            }
            Some(Change::Unhealthy) => {
                let error = outcome.err().unwrap_or_default();
                tracing::warn!(
                    app,
                    error,
                    failures = health.check.threshold,
                    "app unhealthy: it gets no requests and no events"
                );
                if let Some(token) = bindings.take() {
                    token.cancel();
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(threshold: u32) -> AppHealth {
        let path = PathAndQuery::from_static("/healthz");
        AppHealth::new(HealthCheck {
            path,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            threshold,
        })
    }

    #[test]
    fn app_is_unhealthy_until_a_probe_succeeds() {
        let health = health(3);
        assert!(!health.is_healthy());
        assert_eq!(health.record(false), None);
        assert_eq!(health.record(true), Some(Change::Healthy));
        assert!(health.is_healthy());
    }

    #[test]
    fn only_failures_in_a_row_make_it_unhealthy() {
        let health = health(2);
        let outcomes = [true, false, true, false, false, false, true];
        let changes = outcomes.map(|outcome| health.record(outcome));
        let expected = [Some(Change::Healthy), None, None, None, Some(Change::Unhealthy), None, Some(Change::Healthy)];
        assert_eq!(changes, expected);
    }
}
