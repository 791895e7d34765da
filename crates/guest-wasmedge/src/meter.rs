//! Measures processor time without progress, which tells a hung guest from a busy one.

use std::time::{Duration, Instant};

use guest_engine::task_time;

/// Processor time since the guest last sent or received, minus time spent waiting.
#[derive(Default)]
pub(crate) struct Meter {
    /// The guest's processor time from which the meter counts.
    mark: Duration,
    /// Time that host-side inference has taken for the guest.
    host_time: Duration,
    waited: Duration,
    suspended_since: Option<Instant>,
    has_progress: bool,
}

impl Meter {
    /// Records that the guest has sent or received something.
    pub(crate) fn record_progress(&mut self) {
        self.has_progress = true;
    }

    /// Records that the guest is suspended, unless it is already.
    pub(crate) fn suspend(&mut self) {
        self.suspended_since.get_or_insert_with(Instant::now);
    }

    /// Records that the guest runs, whether it was suspended or not.
    pub(crate) fn resume(&mut self) {
        self.waited += self.suspended_since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// Adds time that the host has computed for the guest.
    pub(crate) fn add_host_time(&mut self, time: Duration) {
        self.host_time += time;
    }

    /// Returns the processor time without progress. Call it while the guest runs.
    pub(crate) fn time_without_progress(&mut self) -> Duration {
        let now = task_time() + self.host_time;
        let waited = std::mem::take(&mut self.waited);
        let since = if std::mem::take(&mut self.has_progress) { now } else { self.mark + waited };
        self.mark = since.min(now);
        now - self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_resets_time_and_waiting_reduces_it() {
        let mut meter = Meter::default();
        meter.add_host_time(Duration::from_secs(9));
        assert_eq!(meter.time_without_progress().as_secs(), 9);
        meter.waited = Duration::from_secs(4);
        assert_eq!(meter.time_without_progress().as_secs(), 5);
        meter.resume();
        assert_eq!(meter.time_without_progress().as_secs(), 5);
        meter.record_progress();
        assert_eq!(meter.time_without_progress(), Duration::ZERO);
    }
}
