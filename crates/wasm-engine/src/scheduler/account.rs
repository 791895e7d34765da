//! The processor time of one application, and its share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::shares;
use super::task::Scheduled;
use super::workers::WORKERS;

/// The share of an application under contention, beside those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight(u32);

impl Weight {
    /// The least and the greatest.
    pub const RANGE: std::ops::RangeInclusive<u32> = 1..=10_000;

    /// A weight in [`RANGE`](Self::RANGE).
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

/// The time in which a single run that nothing could interrupt is forgiven; each further one doubles it.
const FIRST_PENALTY: Duration = Duration::from_secs(1);

/// The longest of these times.
const LONGEST_PENALTY: Duration = Duration::from_secs(3600);

/// A run on a thread that serves others which takes longer than this is one that the engine's clock could not interrupt.
const UNINTERRUPTED: Duration = Duration::from_millis(25);

/// How many times what it uses a part may have waited for the workers and be taken to have wanted a processor all that time. One
/// that computes in turns did; a small request that waited for the turns of others wanted next to nothing.
const MOST_QUEUED: u32 = 16;

/// The processor time of all instances of one application.
#[derive(Debug)]
pub struct Account {
    weight: Weight,
    /// Processor time used, in nanoseconds.
    used: AtomicU64,
    /// Processor time by weight that it has used with the workers.
    virtual_time: AtomicU64,
    /// Parts with the workers: waiting or running.
    pub(super) backlog: AtomicU64,
    /// Time used or waited for since the shares were last looked at, in nanoseconds.
    pub(super) wanted: AtomicU64,
    /// Whether it takes more than its share.
    pub(super) is_over_share: AtomicBool,
    /// Until when it stays with the workers, in milliseconds of [`now`].
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
    /// An account of an application with this weight.
    #[must_use]
    pub fn new(weight: Weight) -> Arc<Self> {
        let account = Arc::new(Self {
            weight,
            used: AtomicU64::new(0),
            virtual_time: AtomicU64::new(0),
            backlog: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            is_over_share: AtomicBool::new(false),
            banned_until: AtomicU64::new(0),
            penalty: AtomicU64::new(0),
        });
        shares::join(&account);
        account
    }

    /// Runs a guest of this application from its start. It computes for the account, and ends when this is dropped.
    pub fn run<F>(self: &Arc<Self>, guest: F) -> Scheduled<F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        Scheduled::new(self.clone(), true, guest)
    }

    /// The same for one request, which is short as a rule.
    pub fn answer<F>(self: &Arc<Self>, request: F) -> Scheduled<F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        Scheduled::new(self.clone(), false, request)
    }

    /// The processor time used so far.
    #[must_use]
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Relaxed))
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight.0.into()
    }

    /// Whether its guests may begin on the threads that serve everybody.
    pub(super) fn may_begin_anywhere(&self) -> bool {
        shares::look();
        !self.is_over_share.load(Relaxed) && (self.banned_until.load(Relaxed) == 0 || self.is_forgiven())
    }

    fn is_forgiven(&self) -> bool {
        now() >= self.banned_until.load(Relaxed)
    }

    /// Counts what a run on a thread that serves others has used. That is nothing to the order in which the workers take
    /// applications: who serves many small requests is not to wait for it.
    pub(super) fn charge_served(&self, used: Duration) {
        self.used.fetch_add(nanos(used), Relaxed);
        self.wanted.fetch_add(nanos(used), Relaxed);
        if used >= UNINTERRUPTED {
            let penalty = Duration::from_millis(self.penalty.load(Relaxed)).saturating_mul(2);
            let penalty = penalty.clamp(FIRST_PENALTY, LONGEST_PENALTY);
            let millis = u64::try_from(penalty.as_millis()).unwrap_or(u64::MAX);
            self.penalty.store(millis, Relaxed);
            self.banned_until.store(now().saturating_add(millis), Relaxed);
        }
        shares::look();
    }

    /// Counts what a run with the workers has used, and the time since it could have begun.
    pub(super) fn charge_worked(&self, used: Duration, since: Duration) {
        self.used.fetch_add(nanos(used), Relaxed);
        self.virtual_time.fetch_add(nanos(used).saturating_mul(100) / self.weight(), Relaxed);
        self.wanted.fetch_add(nanos(since.min(used.saturating_mul(MOST_QUEUED))), Relaxed);
        self.backlog.fetch_sub(1, Relaxed);
        shares::look();
    }

    /// A part joins the workers' queue. An application that comes back has no claim for the time in which it wanted nothing.
    pub(super) fn joins_queue(&self) {
        if self.backlog.fetch_add(1, Relaxed) == 0 {
            self.virtual_time.fetch_max(WORKERS.virtual_time(), Relaxed);
        }
    }

    pub(super) fn virtual_time(&self) -> u64 {
        self.virtual_time.load(Relaxed)
    }
}
