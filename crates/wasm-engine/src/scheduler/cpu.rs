//! Processor time of guests: what others do meanwhile does not count.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    /// The task that this thread runs: its processor time before this run, and the thread's when it began.
    static RUNNING: Cell<Option<(Duration, Duration)>> = const { Cell::new(None) };
}

/// The processor time that this thread has used.
#[cfg(target_os = "linux")]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Wall time, where there is no better clock.
#[cfg(not(target_os = "linux"))]
fn thread_time() -> Duration {
    static BEGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGIN.elapsed()
}

/// The processor time of the guest that calls, since it began; zero outside of guests.
#[must_use]
pub fn task_time() -> Duration {
    let running = RUNNING.get();
    running.map_or(Duration::ZERO, |(before, begin)| before + thread_time().saturating_sub(begin))
}

/// Runs a part of a task that has used `before`; returns what this part used, too.
pub(super) fn measured<T>(before: Duration, part: impl FnOnce() -> T) -> (T, Duration) {
    let begin = thread_time();
    let outer = RUNNING.replace(Some((before, begin)));
    let done = part();
    RUNNING.set(outer);
    (done, thread_time().saturating_sub(begin))
}
