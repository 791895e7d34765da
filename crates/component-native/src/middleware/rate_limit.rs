//! `middleware.http.ratelimit`: limits requests per second, with a burst of one second's worth.
//!
//! `daprd` counts per remote address, which a header may forge; here all requests count together.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use dapr_building_blocks::middleware::{Body, Next};
use dapr_building_blocks::{Component, ComponentSpec, Context, HttpMiddleware, InitError, Properties};
use http::{Request, Response, StatusCode};

/// Dapr's default limit.
const MAX_REQUESTS_PER_SECOND: f64 = 100.0;

/// Creates the component.
pub(crate) async fn create(spec: ComponentSpec, _: Context) -> Result<Component, InitError> {
    RateLimit::new(&spec.properties).map(Component::from_http_middleware).map_err(InitError::misconfigured)
}

struct RateLimit {
    per_second: f64,
    bucket: Mutex<Bucket>,
}

/// Tokens for requests that may pass now.
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl RateLimit {
    fn new(properties: &Properties) -> Result<Self, String> {
        let per_second = properties.int::<f64>("maxRequestsPerSecond").map_err(|error| error.to_string())?;
        let per_second = per_second.unwrap_or(MAX_REQUESTS_PER_SECOND);
        if !(per_second.is_finite() && per_second > 0.0) {
            return Err("metadata property maxRequestsPerSecond must be a positive value".to_owned());
        }
        Ok(Self { per_second, bucket: Mutex::new(Bucket { tokens: burst(per_second), at: Instant::now() }) })
    }

    fn admits(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let refilled = now.saturating_duration_since(bucket.at).as_secs_f64() * self.per_second;
        bucket.tokens = (bucket.tokens + refilled).min(burst(self.per_second));
        bucket.at = now;
        let admits = bucket.tokens >= 1.0;
        if admits {
            bucket.tokens -= 1.0;
        }
        admits
    }
}

/// Computes the burst: the requests of one second, but at least one.
fn burst(per_second: f64) -> f64 {
    per_second.floor().max(1.0)
}

#[async_trait]
impl HttpMiddleware for RateLimit {
    async fn handle(&self, request: Request<Body>, next: Next<'_>) -> Response<Body> {
        if self.admits(Instant::now()) {
            return next.run(request).await;
        }
        super::plain(StatusCode::TOO_MANY_REQUESTS, "You have reached maximum request limit.")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limit(value: &str) -> Result<RateLimit, String> {
        RateLimit::new(&[("maxRequestsPerSecond", value)].into_iter().collect())
    }

    #[test]
    fn burst_passes_and_then_one_for_each_refill() {
        let limit = limit("2").unwrap();
        let now = Instant::now();
        let admitted: Vec<_> = (0..4).map(|_| limit.admits(now)).collect();
        assert_eq!(admitted, [true, true, false, false]);
        let later = now + Duration::from_millis(500);
        assert!(limit.admits(later) && !limit.admits(later));
        // A clock that goes back adds no tokens.
        assert!(!limit.admits(now));
    }

    #[test]
    fn limit_must_be_positive() {
        assert!(["0", "-1", "many", "inf"].iter().all(|value| limit(value).is_err()));
        assert!(limit("0.5").unwrap().admits(Instant::now()));
    }
}
