//! A guest as a future that runs where the scheduler places it.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::account::Account;
use super::workers::{Part, WORKERS};
use super::{SERVING_TIME_LIMIT, cpu};

/// Suspended until woken.
const IDLE: u8 = 0;
/// Ready to run where its future is polled.
const WOKEN: u8 = 1;
/// In the workers' queue.
const QUEUED: u8 = 2;
/// Running.
const RUNNING: u8 = 3;
/// Running, and woken meanwhile.
const RUNNING_WOKEN: u8 = 4;
/// Ended.
const ENDED: u8 = 5;

/// A guest of an [`Account`].
pub struct Scheduled<F: Future + Send + 'static>(Arc<Task<F>>)
where
    F::Output: Send;

struct Task<F: Future> {
    account: Arc<Account>,
    /// True while the guest starts, which happens on the workers: a start is rarely short.
    is_start: bool,
    /// Runtime whose I/O and timers the guest uses, whatever thread runs it.
    runtime: Handle,
    state: AtomicU8,
    /// Processor time used, in nanoseconds.
    used: AtomicU64,
    is_dropped: AtomicBool,
    /// Waker of the task that owns the future.
    outer: Mutex<Option<Waker>>,
    guest: Mutex<Guest<F>>,
}

enum Guest<F: Future> {
    Running(Pin<Box<F>>),
    Ended(F::Output),
    Panicked(Box<dyn Any + Send>),
    Gone,
}

impl<F> Scheduled<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    pub(super) fn new(account: Arc<Account>, is_start: bool, guest: F) -> Self {
        Self(Arc::new(Task {
            account,
            is_start,
            runtime: Handle::current(),
            state: AtomicU8::new(IDLE),
            used: AtomicU64::new(0),
            is_dropped: AtomicBool::new(false),
            outer: Mutex::new(None),
            guest: Mutex::new(Guest::Running(Box::pin(guest))),
        }))
    }
}

impl<F> Future for Scheduled<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let task = &self.0;
        if task.set_outer(cx.waker()) {
            if task.is_start || !task.account.may_run_anywhere() {
                task.resume(false);
                return Poll::Pending;
            }
            task.state.store(WOKEN, Ordering::SeqCst);
        }
        if task.transition(WOKEN, RUNNING) {
            let (is_over, used) = task.run();
            task.account.charge_serving(used);
            if !is_over && !task.suspend() {
                task.resume(used < SERVING_TIME_LIMIT && task.account.may_run_anywhere());
            }
        }
        if task.state.load(Ordering::SeqCst) != ENDED {
            return Poll::Pending;
        }
        match mem::replace(&mut *task.lock(), Guest::Gone) {
            Guest::Ended(output) => Poll::Ready(output),
            Guest::Panicked(panic) => resume_unwind(panic),
            // Polled after its end, against the contract of futures.
            Guest::Running(_) | Guest::Gone => Poll::Pending,
        }
    }
}

impl<F> Drop for Scheduled<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn drop(&mut self) {
        self.0.is_dropped.store(true, Ordering::SeqCst);
        self.0.end_if_dropped();
    }
}

impl<F> Task<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn lock(&self) -> MutexGuard<'_, Guest<F>> {
        self.guest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the polling task's waker; returns whether this is the first poll.
    fn set_outer(&self, waker: &Waker) -> bool {
        let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *outer {
            Some(outer) => {
                outer.clone_from(waker);
                false
            }
            None => {
                *outer = Some(waker.clone());
                true
            }
        }
    }

    fn wake_outer(&self) {
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }

    fn transition(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Runs the guest until it suspends, its turn is over, or it ends. Returns whether it has ended, and the time used.
    fn run(self: &Arc<Self>) -> (bool, Duration) {
        let waker = Waker::from(self.clone());
        let mut guest = self.lock();
        let Guest::Running(future) = &mut *guest else { return (true, Duration::ZERO) };
        let before = Duration::from_nanos(self.used.load(Ordering::Relaxed));
        let poll = || catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))));
        let (polled, used) = cpu::measure(before, poll);
        self.used.fetch_add(u64::try_from(used.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let has_ended = !matches!(polled, Ok(Poll::Pending));
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(output)) => *guest = Guest::Ended(output),
            Err(panic) => *guest = Guest::Panicked(panic),
        }
        if has_ended {
            self.state.store(ENDED, Ordering::SeqCst);
        }
        drop(guest);
        self.end_if_dropped();
        (has_ended, used)
    }

    /// Suspends, unless it was woken while it ran.
    fn suspend(&self) -> bool {
        self.transition(RUNNING, IDLE)
    }

    /// Resumes where it is polled, or on the workers.
    fn resume(self: &Arc<Self>, anywhere: bool) {
        if anywhere {
            self.state.store(WOKEN, Ordering::SeqCst);
            self.wake_outer();
        } else {
            self.state.store(QUEUED, Ordering::SeqCst);
            WORKERS.push(self.clone());
        }
    }

    /// Ends a dropped guest, unless it runs: then the running thread does this.
    fn end_if_dropped(&self) {
        if self.is_dropped.load(Ordering::SeqCst)
            && let Ok(mut guest) = self.guest.try_lock()
        {
            let guest = mem::replace(&mut *guest, Guest::Gone);
            self.state.store(ENDED, Ordering::SeqCst);
            let _runtime = self.runtime.enter();
            drop(guest);
        }
    }
}

impl<F> Part for Task<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn account(&self) -> &Account {
        &self.account
    }

    fn work(self: Arc<Self>, since: Instant) {
        let _runtime = self.runtime.enter();
        if !self.transition(QUEUED, RUNNING) {
            // It was dropped while queued.
            self.account.charge_working(Duration::ZERO, Duration::ZERO);
            return;
        }
        let (has_ended, used) = self.run();
        self.account.charge_working(used, since.elapsed());
        if has_ended {
            self.wake_outer();
        } else if !self.suspend() && self.state.load(Ordering::SeqCst) != ENDED {
            self.resume(false);
        }
    }
}

impl<F> Wake for Task<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        loop {
            let now = self.state.load(Ordering::SeqCst);
            match now {
                IDLE if self.transition(IDLE, RUNNING) => return self.resume(self.account.may_run_anywhere()),
                RUNNING if self.transition(RUNNING, RUNNING_WOKEN) => return,
                IDLE | RUNNING => {}
                _ => return,
            }
        }
    }
}
