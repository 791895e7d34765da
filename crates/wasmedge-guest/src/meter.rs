//! Processor time that a guest uses while nothing comes of it: what tells a hung guest from a busy one.

use std::time::{Duration, Instant};

use wasm_engine::task_time;

/// The time since the guest last sent or received something, less the time that it has waited since.
#[derive(Default)]
pub(crate) struct Meter {
    /// The guest's processor time from which it counts.
    mark: Duration,
    /// Time that others have computed for it.
    elsewhere: Duration,
    waited: Duration,
    waits_since: Option<Instant>,
    has_progressed: bool,
}

impl Meter {
    /// The guest has sent or received something.
    pub(crate) fn progressed(&mut self) {
        self.has_progressed = true;
    }

    /// The guest begins to wait, unless it waits already.
    pub(crate) fn waits(&mut self) {
        self.waits_since.get_or_insert_with(Instant::now);
    }

    /// The guest goes on, whether it had to wait or not.
    pub(crate) fn goes_on(&mut self) {
        self.waited += self.waits_since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// Others have computed that long for the guest.
    pub(crate) fn computed_elsewhere(&mut self, time: Duration) {
        self.elsewhere += time;
    }

    /// Processor time of which nothing came so far. To be asked while the guest computes.
    pub(crate) fn fruitless(&mut self) -> Duration {
        let now = task_time() + self.elsewhere;
        let waited = std::mem::take(&mut self.waited);
        let since = if std::mem::take(&mut self.has_progressed) { now } else { self.mark + waited };
        self.mark = since.min(now);
        now - self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_resets_and_waiting_makes_up_for_time() {
        let mut meter = Meter::default();
        meter.computed_elsewhere(Duration::from_secs(9));
        assert_eq!(meter.fruitless().as_secs(), 9);
        meter.waited = Duration::from_secs(4);
        assert_eq!(meter.fruitless().as_secs(), 5);
        meter.goes_on();
        assert_eq!(meter.fruitless().as_secs(), 5);
        meter.progressed();
        assert_eq!(meter.fruitless(), Duration::ZERO);
    }
}
