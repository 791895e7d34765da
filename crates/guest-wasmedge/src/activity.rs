//! The activity of a running guest, by which the host chooses among a module's instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Busy or idle state and connections of one run of a module.
#[derive(Debug)]
pub struct Activity {
    started: Instant,
    /// Microseconds from `started` since which the guest is busy; [`IDLE`] while it is suspended.
    busy_since: AtomicU64,
    /// Microseconds from `started` since which the guest is idle.
    idle_since: AtomicU64,
    /// Number of finished suspensions. A fact seen during one may be stale in the next.
    suspensions: AtomicU64,
    connections: AtomicUsize,
    accepted: AtomicU64,
}

/// The guest is suspended in a call that waits.
const IDLE: u64 = u64::MAX;

impl Default for Activity {
    /// The activity of a guest that is about to start.
    fn default() -> Self {
        Self {
            started: Instant::now(),
            busy_since: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            suspensions: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
        }
    }
}

impl Activity {
    /// Returns how long the guest has been busy without suspending; zero while it is idle.
    #[must_use]
    pub fn busy_for(&self) -> Duration {
        match self.busy_since.load(Ordering::Relaxed) {
            IDLE => Duration::ZERO,
            since => self.started.elapsed().saturating_sub(Duration::from_micros(since)),
        }
    }

    /// Connections that the guest has accepted from its [`AcceptQueue`](crate::AcceptQueue) and not closed yet.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Connections that the guest has accepted from its queue since it started.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Marks the guest as suspended.
    pub(crate) fn suspend(&self) {
        if self.busy_since.swap(IDLE, Ordering::Relaxed) != IDLE {
            self.idle_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Returns how long the guest has been idle; zero while it is busy.
    pub(crate) fn idle_for(&self) -> Duration {
        if self.busy_since.load(Ordering::Relaxed) != IDLE {
            return Duration::ZERO;
        }
        let since = Duration::from_micros(self.idle_since.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(since)
    }

    /// Microseconds since `started`.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(IDLE - 1)
    }

    /// Marks the guest as running again after a suspension, long or short.
    pub(crate) fn resume(&self) {
        self.busy_since.store(self.now(), Ordering::Relaxed);
        self.suspensions.fetch_add(1, Ordering::Relaxed);
    }

    /// Excludes `time` from the busy time: the guest waited for other guests within a host call.
    pub(crate) fn exclude_time(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(IDLE);
        let later = |since: u64| (since != IDLE).then(|| since.saturating_add(micros).min(IDLE - 1));
        // Only this guest's own calls write this value.
        let _ = self.busy_since.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// The number of the current suspension, or of the next.
    pub(crate) fn suspension(&self) -> u64 {
        self.suspensions.load(Ordering::Relaxed)
    }
}

/// Counts one accepted connection until it is dropped.
pub(crate) struct ConnectionGuard(Arc<Activity>);

impl ConnectionGuard {
    pub(crate) fn new(activity: Arc<Activity>) -> Self {
        activity.connections.fetch_add(1, Ordering::Relaxed);
        activity.accepted.fetch_add(1, Ordering::Relaxed);
        Self(activity)
    }

    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.0
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
