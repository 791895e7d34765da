//! The rate limiter, with its users' records in the state store.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dapr_client::state::{Entry, WriteOptions};
use dapr_client::{Dapr, Error, sleep, timeout};
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::Policy;
use super::backoff::delay;
use super::gcra::Decision;
use crate::Clock;
use crate::keyed_mutex::KeyedMutex;
use crate::overlap::flush_pending_writes;

/// Time that an absent user is remembered.
const RECORD_TTL: Duration = Duration::from_secs(3600);

/// Most attempts to update a record when other instances change it at the same time.
const MAX_ATTEMPTS: u32 = 32;

/// Counts and limits the requests of users.
pub struct Limiter {
    dapr: Dapr,
    store: String,
    policy: Policy,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    locks: KeyedMutex<IpAddr>,
}

/// Decision about a user's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Within the limit.
    Allowed,
    /// The user is over the limit, and must wait this long.
    Limited(Duration),
}

/// Stored record of a user.
#[derive(Serialize, Deserialize)]
struct Record {
    tat_us: u64,
    last_seen_ms: u64,
}

impl Limiter {
    /// Creates a limiter with its records in `store`; `deadline` limits each access to it.
    pub fn new(dapr: Dapr, store: String, policy: Policy, deadline: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { dapr, store, policy, deadline, clock, locks: KeyedMutex::new() }
    }

    /// Counts a request, and runs `work` while the count is written, if the user is within the limit.
    ///
    /// Reading and writing may each take as long as the deadline, however long the work takes.
    ///
    /// # Errors
    /// The time to wait, if the user is over the limit.
    pub async fn check<T>(&self, user: IpAddr, work: impl FnOnce() -> T) -> Result<T, Duration> {
        let writing = Notify::new();
        let mut counting = pin!(self.count(user, &writing));
        let begun = pin!(writing.notified());
        let (verdict, done) = match timeout(self.deadline, select(counting.as_mut(), begun)).await {
            Ok(Either::Left((Ok(Verdict::Limited(wait)), _))) => return Err(wait),
            Ok(Either::Left(_)) | Err(_) => return Ok(work()),
            Ok(Either::Right(_)) => {
                flush_pending_writes().await;
                let done = work();
                (timeout(self.deadline, counting).await, done)
            }
        };
        match verdict {
            Ok(Ok(Verdict::Limited(wait))) => Err(wait),
            // Without a verdict from the store, the user is let through.
            Ok(Ok(Verdict::Allowed) | Err(_)) | Err(_) => Ok(done),
        }
    }

    /// Counts a request. Notifies `writing` once the request is within the limit and the count is being written.
    async fn count(&self, user: IpAddr, writing: &Notify) -> Result<Verdict, Error> {
        let _lock = self.locks.lock(user).await;
        let (store, key) = (self.dapr.state(&self.store), format!("user-{user}"));
        for attempt in 0..MAX_ATTEMPTS {
            let entry: Option<Entry<Record>> = store.get(&key).await?;
            let now = self.clock.now();
            let tat_us = match self.policy.decide(micros(now), entry.as_ref().map(|entry| entry.value.tat_us)) {
                Decision::Limited { retry_after } => return Ok(Verdict::Limited(retry_after)),
                Decision::Allowed { tat_us } => tat_us,
            };
            let record = Record { tat_us, last_seen_ms: micros(now) / 1000 };
            let is_new = entry.is_none();
            let options =
                entry.and_then(|entry| entry.etag).map_or_else(WriteOptions::if_absent, WriteOptions::if_unchanged);
            writing.notify_one();
            match store.save_with(&key, &record, &options.expiring_in(RECORD_TTL)).await {
                Ok(()) => return Ok(Verdict::Allowed),
                // Redis reports a lost race for a new record as a plain error: the next read shows it.
                Err(error) if error.is_conflict() || (is_new && error.code().is_some()) => {
                    sleep(delay(attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
        // Other instances count this user faster than this one can: a user this frequent can ask again.
        Ok(Verdict::Limited(Duration::from_secs(1)))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use dapr_client::fake::{FakeDapr, FaultMode};
    use serde_json::json;

    use super::*;
    use crate::clock::fixed::FixedClock;

    const USER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    fn limiter(dapr: &Arc<FakeDapr>, clock: &Arc<FixedClock>) -> Limiter {
        let policy = Policy::per_minute(60, 2).unwrap();
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        Limiter::new(dapr.client(), "statestore".to_owned(), policy, Duration::from_millis(250), clock)
    }

    fn not_begun() {
        panic!("work for a user who is over the limit");
    }

    #[tokio::test]
    async fn user_over_the_limit_does_not_affect_others() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(5_000)));
        let limiter = limiter(&dapr, &clock);
        assert_eq!(limiter.check(USER, || "done").await, Ok("done"));
        assert_eq!(limiter.check(USER, || "done").await, Ok("done"));
        assert_eq!(limiter.check(USER, not_begun).await, Err(Duration::from_secs(1)));
        assert_eq!(limiter.check("8.8.8.8".parse().unwrap(), || "done").await, Ok("done"));
        clock.advance_ms(1_000);
        assert_eq!(limiter.check(USER, || "done").await, Ok("done"));
    }

    #[tokio::test]
    async fn record_holds_arrival_time_and_last_seen_and_expires() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(5_000)));
        limiter(&dapr, &clock).check(USER, || ()).await.unwrap();
        let record = dapr.record("user-9.9.9.9").unwrap();
        assert_eq!(record.value, json!({"tat_us": 6_000_000, "last_seen_ms": 5_000}));
        assert_eq!(record.ttl_seconds.as_deref(), Some("3600"));
    }

    #[tokio::test]
    async fn concurrent_count_of_another_instance_is_kept() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(0)));
        dapr.after_next_read(|dapr| dapr.put_record("user-9.9.9.9", json!({"tat_us": 2_000_000, "last_seen_ms": 0})));
        let mut is_done = false;
        let checked = limiter(&dapr, &clock).check(USER, || is_done = true).await;
        assert_eq!((checked, is_done), (Err(Duration::from_secs(1)), true));
    }

    #[tokio::test(start_paused = true)]
    async fn contended_user_within_the_limit_goes_through() {
        fn count_again(dapr: &FakeDapr, times: u32) {
            dapr.put_record("user-9.9.9.9", json!({"tat_us": 0, "last_seen_ms": 0}));
            if times > 0 {
                dapr.after_next_read(move |dapr| count_again(dapr, times - 1));
            }
        }
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(0)));
        count_again(&dapr, 15);
        assert_eq!(limiter(&dapr, &clock).check(USER, || "done").await, Ok("done"));
        assert_eq!(dapr.record("user-9.9.9.9").unwrap().value["tat_us"], 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn missing_state_store_lets_users_through() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(0)));
        let limiter = limiter(&dapr, &clock);
        dapr.set_state_mode(FaultMode::Failing);
        assert_eq!(limiter.check(USER, || "done").await, Ok("done"));
        dapr.set_state_mode(FaultMode::Hanging);
        assert_eq!(limiter.check(USER, || "done").await, Ok("done"));
    }
}
