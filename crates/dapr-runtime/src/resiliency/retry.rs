//! Retries: `dapr/pkg/resiliency/retry.go` and `dapr/kit/retry`.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use dapr_resources::resiliency::RetryResource;

/// Default of a constant delay.
const DURATION: Duration = Duration::from_secs(5);
/// First exponential delay.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// Factor from one exponential delay to the next.
const MULTIPLIER: f64 = 1.5;
/// Default of the longest exponential delay.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// Time after which exponential retries end.
const MAX_ELAPSED: Duration = Duration::from_secs(15 * 60);

/// A retry policy.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    delays: DelayKind,
    /// `None` for no limit.
    pub(crate) max_retries: Option<u64>,
    /// Statuses to retry; `None` for all.
    http_statuses: Option<Vec<RangeInclusive<u16>>>,
}

#[derive(Clone, Copy, Debug)]
enum DelayKind {
    Constant(Duration),
    /// Random within half of an exponential delay.
    Exponential {
        max: Duration,
        max_elapsed: Duration,
    },
}

impl Retry {
    pub(crate) fn from_resource(resource: &RetryResource) -> Self {
        let max = resource.max_interval.unwrap_or(MAX_INTERVAL);
        Self {
            delays: if resource.is_exponential {
                DelayKind::Exponential { max, max_elapsed: MAX_ELAPSED }
            } else {
                DelayKind::Constant(resource.duration.unwrap_or(DURATION))
            },
            max_retries: resource.max_retries.and_then(|max| u64::try_from(max).ok()),
            http_statuses: resource.http_statuses.clone(),
        }
    }

    /// `DaprBuiltInInitializationRetries`.
    pub(crate) fn initialization() -> Self {
        let delays = DelayKind::Exponential { max: Duration::from_secs(1), max_elapsed: Duration::from_secs(10) };
        Self { delays, max_retries: Some(3), http_statuses: None }
    }

    /// Returns whether a call may be repeated at all.
    pub(crate) fn has_retries(&self) -> bool {
        self.max_retries != Some(0)
    }

    /// Returns whether an answer with this status is to be retried.
    pub(crate) fn matches(&self, status: u16) -> bool {
        self.http_statuses.as_ref().is_none_or(|codes| codes.iter().any(|range| range.contains(&status)))
    }

    /// Returns the delays before each retry.
    pub(crate) fn delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let (begin, delays, mut next) = (Instant::now(), self.delays, FIRST_DELAY);
        let mut left = self.max_retries;
        std::iter::from_fn(move || {
            left = match left {
                Some(left) => Some(left.checked_sub(1)?),
                None => None,
            };
            match delays {
                DelayKind::Constant(delay) => Some(delay),
                DelayKind::Exponential { max, max_elapsed } => {
                    let delay = next.min(max).mul_f64(0.5 + fastrand::f64());
                    next = next.mul_f64(MULTIPLIER).min(max);
                    (begin.elapsed() + delay <= max_elapsed).then_some(delay)
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_delays_end_after_the_maximum_of_retries() {
        let resource = RetryResource { max_retries: Some(2), ..RetryResource::default() };
        assert_eq!(Retry::from_resource(&resource).delays().collect::<Vec<_>>(), [DURATION; 2]);
        let endless = Retry::from_resource(&RetryResource { max_retries: Some(-1), ..RetryResource::default() });
        assert_eq!(endless.delays().take(100).count(), 100);
        let none = Retry::from_resource(&RetryResource { max_retries: Some(0), ..RetryResource::default() });
        assert!(!none.has_retries() && none.delays().next().is_none());
    }

    #[test]
    fn exponential_delays_grow_to_the_longest() {
        let max_interval = Some(Duration::from_secs(2));
        let resource = RetryResource { is_exponential: true, max_interval, ..RetryResource::default() };
        let mut middle = 0.5_f64;
        for delay in Retry::from_resource(&resource).delays().take(20) {
            let factor = delay.as_secs_f64() / middle;
            assert!((0.5..=1.5).contains(&factor), "{delay:?} around {middle} s");
            middle = (middle * MULTIPLIER).min(2.0);
        }
    }

    #[test]
    fn statuses_that_match_are_retried() {
        let retry = |http_statuses| Retry::from_resource(&RetryResource { http_statuses, ..RetryResource::default() });
        assert!(retry(None).matches(404));
        let some = retry(Some(vec![429..=429, 500..=599]));
        assert_eq!([429, 500, 599, 404].map(|status| some.matches(status)), [true, true, true, false]);
    }
}
