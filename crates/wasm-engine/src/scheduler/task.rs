//! One guest as a future that computes where the scheduler wants it to.

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
use super::{BRIEF, cpu};

/// It waits for something.
const WAITS: u8 = 0;
/// It can go on where its future is polled.
const CALLED: u8 = 1;
/// It is with the workers, in their queue.
const QUEUED: u8 = 2;
/// It computes.
const RUNS: u8 = 3;
/// It computes, and was woken meanwhile.
const RUNS_AGAIN: u8 = 4;
/// It has ended.
const ENDED: u8 = 5;

/// A guest of an [`Account`].
pub struct Scheduled<F: Future + Send + 'static>(Arc<Task<F>>)
where
    F::Output: Send;

struct Task<F: Future> {
    account: Arc<Account>,
    /// Begins with the workers: a start is rarely short.
    is_start: bool,
    /// What the guest waits for is waited for here, whoever computes.
    runtime: Handle,
    state: AtomicU8,
    /// Processor time used, in nanoseconds.
    used: AtomicU64,
    is_dropped: AtomicBool,
    /// The task in which the future lies.
    outer: Mutex<Option<Waker>>,
    guest: Mutex<Guest<F>>,
}

enum Guest<F: Future> {
    Going(Pin<Box<F>>),
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
            state: AtomicU8::new(WAITS),
            used: AtomicU64::new(0),
            is_dropped: AtomicBool::new(false),
            outer: Mutex::new(None),
            guest: Mutex::new(Guest::Going(Box::pin(guest))),
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
            if task.is_start || !task.account.may_begin_anywhere() {
                task.goes_on(false);
                return Poll::Pending;
            }
            task.state.store(CALLED, Ordering::SeqCst);
        }
        if task.changes(CALLED, RUNS) {
            let (is_over, used) = task.run();
            task.account.charge_served(used);
            if !is_over && !task.pauses() {
                task.goes_on(used < BRIEF && task.account.may_begin_anywhere());
            }
        }
        if task.state.load(Ordering::SeqCst) != ENDED {
            return Poll::Pending;
        }
        match mem::replace(&mut *task.lock(), Guest::Gone) {
            Guest::Ended(output) => Poll::Ready(output),
            Guest::Panicked(panic) => resume_unwind(panic),
            // Polled after its end, which is a mistake of who polls.
            Guest::Going(_) | Guest::Gone => Poll::Pending,
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

    /// Notes who polls; returns whether nobody has before.
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

    fn changes(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Runs the guest until it waits, its turn is over, or it ends; returns whether it has ended, and what it used.
    fn run(self: &Arc<Self>) -> (bool, Duration) {
        let waker = Waker::from(self.clone());
        let mut guest = self.lock();
        let Guest::Going(future) = &mut *guest else { return (true, Duration::ZERO) };
        let before = Duration::from_nanos(self.used.load(Ordering::Relaxed));
        let poll = || catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))));
        let (polled, used) = cpu::measured(before, poll);
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

    /// Waits, unless it was woken while it ran.
    fn pauses(&self) -> bool {
        self.changes(RUNS, WAITS)
    }

    /// Goes on: where it is polled, or with the workers.
    fn goes_on(self: &Arc<Self>, anywhere: bool) {
        if anywhere {
            self.state.store(CALLED, Ordering::SeqCst);
            self.wake_outer();
        } else {
            self.state.store(QUEUED, Ordering::SeqCst);
            WORKERS.push(self.clone());
        }
    }

    /// Ends the guest where nobody waits for it any more, unless it runs: then who runs it does this.
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
        if !self.changes(QUEUED, RUNS) {
            // It was ended in the queue.
            self.account.charge_worked(Duration::ZERO, Duration::ZERO);
            return;
        }
        let (has_ended, used) = self.run();
        self.account.charge_worked(used, since.elapsed());
        if has_ended {
            self.wake_outer();
        } else if !self.pauses() && self.state.load(Ordering::SeqCst) != ENDED {
            self.goes_on(false);
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
                WAITS if self.changes(WAITS, RUNS) => return self.goes_on(self.account.may_begin_anywhere()),
                RUNS if self.changes(RUNS, RUNS_AGAIN) => return,
                WAITS | RUNS => {}
                _ => return,
            }
        }
    }
}
