//! Processor time of one application, and its share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::shares;
use super::task::Scheduled;
use super::workers::WORKERS;

/// Weight of an application's share relative to others, under contention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight(u32);

impl Weight {
    /// Valid weights.
    pub const RANGE: std::ops::RangeInclusive<u32> = 1..=10_000;

    /// Creates a weight within [`RANGE`](Self::RANGE).
    #[must_use]
    pub fn new(weight: u32) -> Option<Self> {
        Self::RANGE.contains(&weight).then_some(Self(weight))
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(100)
    }
}

/// Duration of the first penalty for a run that could not be interrupted. Each further one doubles it.
const FIRST_PENALTY: Duration = Duration::from_secs(1);

/// Maximum duration of a penalty.
const MAX_PENALTY: Duration = Duration::from_secs(3600);

/// Length of a run that shows that the epoch clock could not interrupt it. Applies to serving threads.
const UNINTERRUPTIBLE_RUN: Duration = Duration::from_millis(25);

/// Maximum queueing time of a part that counts as demand, as a multiple of its processor time.
///
/// A guest that computes in turns wanted a processor all that time; a small request that waited for others wanted next
/// to nothing.
const MAX_QUEUED_FACTOR: u32 = 16;

/// Processor time of all instances of one application.
#[derive(Debug)]
pub struct Account {
    weight: Weight,
    /// Processor time used, in nanoseconds.
    used: AtomicU64,
    /// Weighted processor time used on the workers.
    virtual_time: AtomicU64,
    /// Parts on the workers: queued or running.
    pub(super) backlog: AtomicU64,
    /// Demand since the last update of the shares, in nanoseconds used or waited.
    pub(super) demand: AtomicU64,
    /// True if the application exceeds its share.
    pub(super) is_over_share: AtomicBool,
    /// Time until which it stays on the workers, in milliseconds of [`now`].
    banned_until: AtomicU64,
    penalty: AtomicU64,
}

/// Milliseconds since the first call.
fn now() -> u64 {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    u64::try_from(BEGIN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Account {
    /// Creates the account of an application with this weight.
    #[must_use]
    pub fn new(weight: Weight) -> Arc<Self> {
        let account = Arc::new(Self {
            weight,
            used: AtomicU64::new(0),
            virtual_time: AtomicU64::new(0),
            backlog: AtomicU64::new(0),
            demand: AtomicU64::new(0),
            is_over_share: AtomicBool::new(false),
            banned_until: AtomicU64::new(0),
            penalty: AtomicU64::new(0),
        });
        shares::join(&account);
        account
    }

    /// Runs a guest of this application, from its start.
    ///
    /// Its time is charged to the account, and it ends when the future is dropped.
    pub fn run<F>(self: &Arc<Self>, guest: F) -> Scheduled<F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        Scheduled::new(self.clone(), true, guest)
    }

    /// Runs one request, which is usually short.
    pub fn run_request<F>(self: &Arc<Self>, request: F) -> Scheduled<F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        Scheduled::new(self.clone(), false, request)
    }

    /// Processor time used so far.
    #[must_use]
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Relaxed))
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight.0.into()
    }

    /// Returns whether its guests may run on serving threads.
    pub(super) fn may_run_anywhere(&self) -> bool {
        shares::update();
        !self.is_over_share.load(Relaxed) && (self.banned_until.load(Relaxed) == 0 || self.is_forgiven())
    }

    fn is_forgiven(&self) -> bool {
        now() >= self.banned_until.load(Relaxed)
    }

    /// Charges a run on a serving thread.
    ///
    /// It does not affect the workers' order: an application that serves many small requests is not to wait for it.
    pub(super) fn charge_serving(&self, used: Duration) {
        self.used.fetch_add(nanos(used), Relaxed);
        self.demand.fetch_add(nanos(used), Relaxed);
        if used >= UNINTERRUPTIBLE_RUN {
            let penalty = Duration::from_millis(self.penalty.load(Relaxed)).saturating_mul(2);
            let penalty = penalty.clamp(FIRST_PENALTY, MAX_PENALTY);
            let millis = u64::try_from(penalty.as_millis()).unwrap_or(u64::MAX);
            self.penalty.store(millis, Relaxed);
            self.banned_until.store(now().saturating_add(millis), Relaxed);
        }
        shares::update();
    }

    /// Charges a run on a worker, and the time since it could have started.
    pub(super) fn charge_working(&self, used: Duration, since: Duration) {
        self.used.fetch_add(nanos(used), Relaxed);
        self.virtual_time.fetch_add(nanos(used).saturating_mul(100) / self.weight(), Relaxed);
        self.demand.fetch_add(nanos(since.min(used.saturating_mul(MAX_QUEUED_FACTOR))), Relaxed);
        self.backlog.fetch_sub(1, Relaxed);
        shares::update();
    }

    /// Adds a part to the workers' queue.
    ///
    /// An application that was idle has no claim for that time.
    pub(super) fn join_queue(&self) {
        if self.backlog.fetch_add(1, Relaxed) == 0 {
            self.virtual_time.fetch_max(WORKERS.virtual_time(), Relaxed);
        }
    }

    pub(super) fn virtual_time(&self) -> u64 {
        self.virtual_time.load(Relaxed)
    }
}
