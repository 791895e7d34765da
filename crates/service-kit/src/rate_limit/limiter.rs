//! The rate limiter, with its users' records in the state store.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dapr_client::state::{Entry, WriteOptions};
use dapr_client::{Dapr, Error, sleep, timeout};
use futures_util::future::Either;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::backoff::delay;
use super::gcra::Decision;
use super::{Policy, RateLimited};
use crate::Clock;
use crate::in_flight::{self, InFlight};
use crate::keyed_mutex::KeyedMutex;

/// Time that an absent user is remembered.
const RECORD_TTL: Duration = Duration::from_secs(3600);

/// Most attempts to update a record when other instances change it at the same time.
const MAX_ATTEMPTS: u32 = 32;

/// Limits the requests of users. Clones count together.
#[derive(Clone)]
pub struct Limiter {
    counter: Option<Arc<Counter>>,
    deadline: Duration,
}

/// Counts the requests of users in the state store.
struct Counter {
    dapr: Dapr,
    store: String,
    policy: Policy,
    clock: Arc<dyn Clock>,
    locks: KeyedMutex<IpAddr>,
}

/// A user's permission to go on, while the count is written. It counts even if this is dropped.
#[must_use = "another instance may have counted the last allowed request first, which `confirm` tells"]
pub struct Turn {
    counting: Option<InFlight<Verdict>>,
    deadline: Duration,
}

/// Decision about a user's request, or the error of the state store.
type Verdict = Result<Result<(), RateLimited>, Error>;

/// Stored record of a user.
#[derive(Serialize, Deserialize)]
struct Record {
    tat_us: u64,
    last_seen_ms: u64,
}

impl Limiter {
    /// Creates a limiter with its records in `store`; `deadline` limits each access to it. Without a policy, there is
    /// no limit.
    pub fn new(dapr: Dapr, store: String, policy: Option<Policy>, deadline: Duration, clock: Arc<dyn Clock>) -> Self {
        let counter = policy.map(|policy| Counter { dapr, store, policy, clock, locks: KeyedMutex::new() });
        Self { counter: counter.map(Arc::new), deadline }
    }

    /// Reserves a turn for a user, and returns while the count is being written.
    ///
    /// Without a response from the store within the deadline, the user is let through.
    ///
    /// # Errors
    /// If the user is over the limit.
    pub async fn reserve(&self, user: IpAddr) -> Result<Turn, RateLimited> {
        let free = Turn { counting: None, deadline: self.deadline };
        let Some(counter) = self.counter.clone() else { return Ok(free) };
        let writing = Arc::new(Notify::new());
        let begun = Box::pin({
            let writing = Arc::clone(&writing);
            async move { writing.notified().await }
        });
        let counting = async move { counter.count(user, &writing).await };
        match timeout(self.deadline, in_flight::start(counting, begun)).await {
            Ok(Either::Left(Ok(verdict))) => verdict.map(|()| free),
            Ok(Either::Right(counting)) => Ok(Turn { counting: Some(counting), ..free }),
            Ok(Either::Left(Err(_))) | Err(_) => Ok(free),
        }
    }
}

impl Turn {
    /// Waits until the count is written, at most as long as the deadline.
    ///
    /// # Errors
    /// If another instance counted the last allowed request first.
    pub async fn confirm(self) -> Result<(), RateLimited> {
        let Some(counting) = self.counting else { return Ok(()) };
        match timeout(self.deadline, counting.response()).await {
            Ok(Ok(verdict)) => verdict,
            // Without a verdict from the store, the user is let through.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

impl Counter {
    /// Counts a request. Notifies `writing` once the request is within the limit and the count is being written.
    async fn count(&self, user: IpAddr, writing: &Notify) -> Verdict {
        let _lock = self.locks.lock(user).await;
        let (store, key) = (self.dapr.state(&self.store), format!("user-{user}"));
        for attempt in 0..MAX_ATTEMPTS {
            let entry: Option<Entry<Record>> = store.get(&key).await?;
            let now = self.clock.now();
            let tat_us = match self.policy.decide(micros(now), entry.as_ref().map(|entry| entry.value.tat_us)) {
                Decision::Limited { retry_after } => return Ok(Err(RateLimited { retry_after })),
                Decision::Allowed { tat_us } => tat_us,
            };
            let record = Record { tat_us, last_seen_ms: micros(now) / 1000 };
            let is_new = entry.is_none();
            let options =
                entry.and_then(|entry| entry.etag).map_or_else(WriteOptions::if_absent, WriteOptions::if_unchanged);
            writing.notify_one();
            match store.save_with(&key, &record, &options.expiring_in(RECORD_TTL)).await {
                Ok(()) => return Ok(Ok(())),
                // Redis reports a lost race for a new record as a plain error: the next read shows it.
                Err(error) if error.is_conflict() || (is_new && error.code().is_some()) => {
                    sleep(delay(attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
        // Other instances count this user faster than this one can: a user this frequent can ask again.
        Ok(Err(RateLimited { retry_after: Duration::from_secs(1) }))
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

    const OVER_LIMIT: RateLimited = RateLimited { retry_after: Duration::from_secs(1) };

    fn limiter(dapr: &Arc<FakeDapr>, clock: &Arc<FixedClock>) -> Limiter {
        let policy = Policy::per_minute(60, 2);
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        Limiter::new(dapr.client(), "statestore".to_owned(), policy, Duration::from_millis(250), clock)
    }

    async fn check(limiter: &Limiter, user: IpAddr) -> Result<(), RateLimited> {
        limiter.reserve(user).await?.confirm().await
    }

    #[tokio::test]
    async fn user_over_the_limit_does_not_affect_others() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(5_000)));
        let limiter = limiter(&dapr, &clock);
        assert_eq!(check(&limiter, USER).await, Ok(()));
        assert_eq!(check(&limiter, USER).await, Ok(()));
        assert_eq!(limiter.reserve(USER).await.err(), Some(OVER_LIMIT));
        assert_eq!(check(&limiter, "8.8.8.8".parse().unwrap()).await, Ok(()));
        clock.advance_ms(1_000);
        assert_eq!(check(&limiter, USER).await, Ok(()));
    }

    #[tokio::test]
    async fn record_holds_arrival_time_and_last_seen_and_expires() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(5_000)));
        check(&limiter(&dapr, &clock), USER).await.unwrap();
        let record = dapr.record("user-9.9.9.9").unwrap();
        assert_eq!(record.value, json!({"tat_us": 6_000_000, "last_seen_ms": 5_000}));
        assert_eq!(record.ttl_seconds.as_deref(), Some("3600"));
    }

    #[tokio::test]
    async fn dropped_turn_counts() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(5_000)));
        let limiter = limiter(&dapr, &clock);
        drop(limiter.reserve(USER).await.unwrap());
        drop(limiter.reserve(USER).await.unwrap());
        assert_eq!(limiter.reserve(USER).await.err(), Some(OVER_LIMIT));
    }

    #[tokio::test]
    async fn concurrent_count_of_another_instance_is_kept() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(0)));
        dapr.after_next_read(|dapr| dapr.put_record("user-9.9.9.9", json!({"tat_us": 2_000_000, "last_seen_ms": 0})));
        let turn = limiter(&dapr, &clock).reserve(USER).await.unwrap();
        assert_eq!(turn.confirm().await, Err(OVER_LIMIT));
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
        assert_eq!(check(&limiter(&dapr, &clock), USER).await, Ok(()));
        assert_eq!(dapr.record("user-9.9.9.9").unwrap().value["tat_us"], 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn missing_state_store_lets_users_through() {
        let (dapr, clock) = (FakeDapr::new(), Arc::new(FixedClock::at_ms(0)));
        let limiter = limiter(&dapr, &clock);
        dapr.set_state_mode(FaultMode::Failing);
        assert_eq!(check(&limiter, USER).await, Ok(()));
        dapr.set_state_mode(FaultMode::Hanging);
        assert_eq!(check(&limiter, USER).await, Ok(()));
    }
}
