//! What the host sees of a running guest, so that it can choose among several of one module.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Whether a guest computes or waits, and the connections that it has. One for each run of a module.
#[derive(Debug)]
pub struct Activity {
    begun: Instant,
    /// Since when the guest computes, in microseconds from `begun`; [`WAITS`] while it waits for something.
    computing_since: AtomicU64,
    /// Since when the guest waits, in microseconds from `begun`.
    waiting_since: AtomicU64,
    /// Waits that have ended: what was true during one of them need not be any more.
    waits: AtomicU64,
    connections: AtomicUsize,
    accepted: AtomicU64,
}

/// The guest is suspended in a call that waits.
const WAITS: u64 = u64::MAX;

impl Default for Activity {
    /// A guest that is about to begin.
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            computing_since: AtomicU64::new(0),
            waiting_since: AtomicU64::new(0),
            waits: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
        }
    }
}

impl Activity {
    /// How long the guest has computed without waiting for anything; zero while it waits.
    #[must_use]
    pub fn computing(&self) -> Duration {
        match self.computing_since.load(Ordering::Relaxed) {
            WAITS => Duration::ZERO,
            since => self.begun.elapsed().saturating_sub(Duration::from_micros(since)),
        }
    }

    /// Connections that it has accepted at its application's [`Door`](crate::Door) and not closed yet.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Connections that it has accepted there since it began.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// The guest is suspended.
    pub(crate) fn waits(&self) {
        if self.computing_since.swap(WAITS, Ordering::Relaxed) != WAITS {
            self.waiting_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// How long the guest has waited; zero while it computes.
    pub(crate) fn waiting(&self) -> Duration {
        if self.computing_since.load(Ordering::Relaxed) != WAITS {
            return Duration::ZERO;
        }
        let since = Duration::from_micros(self.waiting_since.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(since)
    }

    /// Microseconds from `begun`.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(WAITS - 1)
    }

    /// The guest goes on after a wait, long or short.
    pub(crate) fn goes_on(&self) {
        self.computing_since.store(self.now(), Ordering::Relaxed);
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    /// The guest was kept waiting that long in a call that computes for it: for others to finish, which is no fault of its own.
    pub(crate) fn was_kept(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(WAITS);
        let later = |since: u64| (since != WAITS).then(|| since.saturating_add(micros).min(WAITS - 1));
        // Only this guest's own calls write it.
        let _ = self.computing_since.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// Which wait is the current one, or the next.
    pub(crate) fn wait(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }
}

/// One accepted connection, counted until it is dropped.
pub(crate) struct Counted(Arc<Activity>);

impl Counted {
    pub(crate) fn new(activity: Arc<Activity>) -> Self {
        activity.connections.fetch_add(1, Ordering::Relaxed);
        activity.accepted.fetch_add(1, Ordering::Relaxed);
        Self(activity)
    }

    /// Its guest's.
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
