//! Probes an application's health: `dapr/pkg/apphealth/health.go`.
//!
//! While an application is unhealthy, it cannot be invoked, and its input bindings and subscriptions pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dapr_building_blocks::middleware::empty_body;
use http::Request;
use http::uri::PathAndQuery;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{App, events};
use crate::Sidecar;

/// Probe settings (`--enable-app-health-check` and its family).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Path of `GET`; a healthy application responds with 2xx.
    pub path: PathAndQuery,
    /// Time between probes.
    pub interval: Duration,
    /// Response timeout, at most the interval.
    pub timeout: Duration,
    /// Consecutive failures after which the application is unhealthy; at least 1.
    pub threshold: u32,
}

/// Health of one application.
pub(crate) struct AppHealth {
    check: HealthCheck,
    /// Consecutive failures.
    failures: AtomicU32,
}

/// A change of health after a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Healthy,
    Unhealthy,
}

impl AppHealth {
    /// Creates the state, unhealthy until a probe succeeds.
    pub(crate) fn new(check: HealthCheck) -> Self {
        Self { failures: AtomicU32::new(check.threshold), check }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.failures.load(Ordering::Relaxed) < self.check.threshold
    }

    /// Records the outcome of a probe; returns the change, if any.
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

    async fn probe(&self, app: &App) -> Result<(), String> {
        let mut request = Request::new(empty_body());
        *request.uri_mut() = self.check.path.clone().into();
        match tokio::time::timeout(self.check.timeout, app.send_plain(request)).await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => Err(format!("status {}", response.status())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no response within {:?}", self.check.timeout)),
        }
    }
}

/// Probes the application until `shutdown`.
///
/// Starts the delivery of events when it becomes healthy, and ends it when it becomes unhealthy.
pub(crate) async fn watch(sidecar: Arc<Sidecar>, shutdown: CancellationToken) {
    let Some(health) = &sidecar.app().health else { return };
    let app = sidecar.app_id().to_owned();
    let mut delivery: Option<CancellationToken> = None;
    let mut ticks = tokio::time::interval(health.check.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let outcome = health.probe(sidecar.app()).await;
        match health.record(outcome.is_ok()) {
            Some(Change::Healthy) => {
                tracing::info!(app, "app healthy");
                let token = delivery.insert(shutdown.child_token()).clone();
                events::deliver(&sidecar, token).await;
            }
            Some(Change::Unhealthy) => {
                let error = outcome.err().unwrap_or_default();
                tracing::warn!(
                    app,
                    error,
                    failures = health.check.threshold,
                    "app unhealthy: pausing requests and events"
                );
                if let Some(token) = delivery.take() {
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
