//! Timer for a schedule.
//!
//! `@every` uses the monotonic clock. Fields are times of day, so the wall clock is checked repeatedly: setting it
//! forward or back disturbs one period, not an hour of them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, sleep_until};

use super::schedule::Schedule;

/// Time between two checks of the wall clock while the next event is far away.
const MAX_SLEEP: Duration = Duration::from_secs(10);
/// Clock correction up to which no event occurs twice.
const MAX_CORRECTION: SignedDuration = SignedDuration::from_secs(1);

/// Position in a schedule.
pub(super) struct Timer {
    clock: fn() -> Timestamp,
    /// Due time of the last event, by either clock.
    last_instant: Instant,
    last_time: Timestamp,
}

impl Timer {
    pub(super) fn new(clock: fn() -> Timestamp) -> Self {
        Self { clock, last_instant: Instant::now(), last_time: clock() }
    }

    /// Waits for the next event; returns `false` if there will never be one.
    pub(super) async fn next(&mut self, schedule: &Schedule) -> bool {
        let Schedule::Every(interval) = schedule else { return self.next_time(schedule).await };
        let due = self.last_instant.checked_add(*interval);
        let Some(due) = due else { return false };
        sleep_until(due).await;
        self.last_instant = due.max(Instant::now());
        true
    }

    async fn next_time(&mut self, schedule: &Schedule) -> bool {
        let mut now = (self.clock)();
        // After the clock was set back by more than that, the schedule starts anew.
        let is_corrected = self.last_time.duration_since(now) <= MAX_CORRECTION;
        let mut from = if is_corrected { self.last_time.max(now) } else { now };
        loop {
            let Some(due) = schedule.next_after(from) else { return false };
            let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
            if wait.is_zero() {
                self.last_time = due.max(now);
                return true;
            }
            sleep(wait.min(MAX_SLEEP)).await;
            let before = now;
            now = (self.clock)();
            if before.duration_since(now) > MAX_CORRECTION {
                from = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::{Mutex, PoisonError};

    use super::*;

    const HOUR: i64 = 3600;
    /// Offset of the test's clock, in seconds.
    static SET: AtomicI64 = AtomicI64::new(0);
    /// Start of the test's clock; also serializes tests that set the clock.
    static CLOCK: Mutex<Option<Instant>> = Mutex::new(None);

    fn clock() -> Timestamp {
        let start = CLOCK.lock().unwrap_or_else(PoisonError::into_inner).unwrap();
        let elapsed = SignedDuration::try_from(start.elapsed()).unwrap();
        Timestamp::from_second(1_700_000_000 + SET.load(Ordering::Relaxed)).unwrap() + elapsed
    }

    /// Returns the seconds between events. The clock is set by `set[i]` while the timer waits for an event.
    async fn gaps(schedule: &str, set: &[i64]) -> Vec<u64> {
        *CLOCK.lock().unwrap() = Some(Instant::now());
        SET.store(0, Ordering::Relaxed);
        let schedule = Schedule::parse(schedule).unwrap();
        let mut timer = Timer::new(clock);
        assert!(timer.next(&schedule).await);
        let mut gaps = Vec::new();
        for by in set {
            let begin = Instant::now();
            let (next, setting) = (timer.next(&schedule), async {
                sleep(Duration::from_secs(1)).await;
                SET.fetch_add(*by, Ordering::Relaxed);
            });
            assert!(tokio::join!(next, setting).0);
            gaps.push((begin.elapsed() + Duration::from_millis(500)).as_secs());
        }
        gaps
    }

    #[tokio::test(start_paused = true)]
    async fn clock_change_disturbs_one_period() {
        for by in [HOUR, -HOUR, HOUR + 17, -HOUR - 17] {
            let gaps = gaps("TZ=UTC */5 * * * *", &[0, by, 0, 0]).await;
            assert_eq!(gaps[0], 300, "{by}");
            assert!((1..=600).contains(&gaps[1]) && gaps[2] <= 300, "{by}: {gaps:?}");
            assert_eq!(gaps[3], 300, "{by}: {gaps:?}");
        }
        // In the same test, as the clock is shared.
        assert_eq!(gaps("@every 90s", &[0, HOUR, -2 * HOUR]).await, [90, 90, 90]);
        // Small corrections repeat no event.
        assert_eq!(gaps("TZ=UTC */10 * * * * *", &[0, -1, 0]).await, [10, 11, 10]);
    }
}
