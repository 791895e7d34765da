//! Measures the processor time of guests; other tasks on the same thread do not count.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    /// Times of the task that this thread runs.
    ///
    /// Its processor time before this run, and the thread's at its start.
    static RUNNING: Cell<Option<(Duration, Duration)>> = const { Cell::new(None) };
}

/// Processor time of this thread.
#[cfg(target_os = "linux")]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Wall time, for lack of a better clock.
#[cfg(not(target_os = "linux"))]
fn thread_time() -> Duration {
    static BEGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGIN.elapsed()
}

/// Processor time of the calling guest since its start; zero outside of guests.
#[must_use]
pub fn task_time() -> Duration {
    let running = RUNNING.get();
    running.map_or(Duration::ZERO, |(before, begin)| before + thread_time().saturating_sub(begin))
}

/// Runs a part of a task that has used `before`. Also returns the time of this part.
pub(super) fn measure<T>(before: Duration, part: impl FnOnce() -> T) -> (T, Duration) {
    let begin = thread_time();
    let outer = RUNNING.replace(Some((before, begin)));
    let done = part();
    RUNNING.set(outer);
    (done, thread_time().saturating_sub(begin))
}
