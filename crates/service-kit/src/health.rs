//! Health of a service and of the things that it depends on.

use std::fmt;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

/// Body of the response to `GET /healthz`.
#[derive(Debug, Serialize)]
pub struct Health {
    status: Status,
    checks: Vec<Check>,
}

/// State of one dependency.
#[derive(Debug, Serialize)]
pub struct Check {
    name: &'static str,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Degraded,
    Unavailable,
}

impl Check {
    /// A dependency that works.
    #[must_use]
    pub fn ok(name: &'static str) -> Self {
        Self { name, status: Status::Ok, reason: None }
    }

    /// A dependency that users cannot be served without, by the result of using it.
    #[must_use]
    pub fn required<T, E: fmt::Display>(name: &'static str, result: Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::ok(name),
            Err(error) => Self::unavailable(name, error.to_string()),
        }
    }

    /// Adds an explanation.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// A missing dependency that users can be served without.
    #[must_use]
    pub fn degraded(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, status: Status::Degraded, reason: Some(reason.into()) }
    }

    /// A missing dependency that users cannot be served without.
    #[must_use]
    pub fn unavailable(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, status: Status::Unavailable, reason: Some(reason.into()) }
    }
}

impl Health {
    /// Combines checks: the worst one decides.
    #[must_use]
    pub fn from_checks(checks: Vec<Check>) -> Self {
        let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
        Self { status, checks }
    }

    /// Returns the response status. 503 tells a load balancer to send users elsewhere, so only `unavailable` leads to
    /// it.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        match self.status {
            Status::Ok | Status::Degraded => StatusCode::OK,
            Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        (self.http_status(), Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_the_worst_check_and_degraded_is_200() {
        assert_eq!(Health::from_checks(vec![]).http_status(), StatusCode::OK);
        let degraded = Health::from_checks(vec![Check::ok("a"), Check::degraded("b", "gone")]);
        assert_eq!(degraded.http_status(), StatusCode::OK);
        let expected = r#"{"status":"degraded","checks":[{"name":"a","status":"ok"},{"name":"b","status":"degraded","reason":"gone"}]}"#;
        assert_eq!(serde_json::to_string(&degraded).unwrap(), expected);
        let down = Health::from_checks(vec![Check::unavailable("a", "gone"), Check::degraded("b", "slow")]);
        assert_eq!(down.http_status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
