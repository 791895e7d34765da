//! Whether a service can do its work, and what stands in its way.

use http::StatusCode;
use serde::Serialize;

/// What `GET /healthz` answers.
#[derive(Debug, Serialize)]
pub struct Health {
    status: Status,
    checks: Vec<Check>,
}

/// One thing that a service needs or would like to have.
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
    /// All is well.
    #[must_use]
    pub fn ok(name: &'static str) -> Self {
        Self { name, status: Status::Ok, reason: None }
    }

    /// The same with a word on how.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Missing, and users are served all the same.
    #[must_use]
    pub fn degraded(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, status: Status::Degraded, reason: Some(reason.into()) }
    }

    /// Missing, and users cannot be served without it.
    #[must_use]
    pub fn unavailable(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, status: Status::Unavailable, reason: Some(reason.into()) }
    }
}

impl Health {
    /// The health that these checks add up to: the worst of them.
    #[must_use]
    pub fn of(checks: Vec<Check>) -> Self {
        let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
        Self { status, checks }
    }

    /// 503 tells a load balancer to send users elsewhere, so that only what keeps them from being served leads to it.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        match self.status {
            Status::Ok | Status::Degraded => StatusCode::OK,
            Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides_and_degraded_still_serves() {
        assert_eq!(Health::of(vec![]).http_status(), StatusCode::OK);
        let degraded = Health::of(vec![Check::ok("a"), Check::degraded("b", "gone")]);
        assert_eq!(degraded.http_status(), StatusCode::OK);
        let expected = r#"{"status":"degraded","checks":[{"name":"a","status":"ok"},{"name":"b","status":"degraded","reason":"gone"}]}"#;
        assert_eq!(serde_json::to_string(&degraded).unwrap(), expected);
        let down = Health::of(vec![Check::unavailable("a", "gone"), Check::degraded("b", "slow")]);
        assert_eq!(down.http_status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
