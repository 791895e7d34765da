//! Whether something was woken while it ran.
//!
//! tokio puts a task that is woken while it runs at the end of its queue, and wakes another thread to take it from there. Who can go on
//! at once tells by this that he should.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Takes wakes, and passes on those that come while nothing runs.
#[derive(Default)]
pub(super) struct Wakes {
    state: AtomicU8,
    task: AtomicWaker,
}

const WOKEN: u8 = 0;
const RUNS: u8 = 1;
const WAITS: u8 = 2;

impl Wakes {
    /// Wakes go to `task` from now on.
    pub(super) fn pass_on_to(&self, task: &Waker) {
        self.task.register(task);
    }

    /// What follows sees whatever there was to be woken for until now.
    pub(super) fn begin(&self) {
        self.state.swap(RUNS, Ordering::AcqRel);
    }

    /// Begins to wait, unless there was a wake since it began.
    pub(super) fn wait(&self) -> bool {
        self.state.compare_exchange(RUNS, WAITS, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == WAITS {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it was woken.
    #[derive(Default)]
    struct Task(AtomicU8);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_wake_while_it_runs_is_told_and_one_while_it_waits_is_passed_on_once() {
        let (task, wakes) = (Arc::<Task>::default(), Arc::<Wakes>::default());
        let waker = Waker::from(wakes.clone());
        let woken = || task.0.load(Ordering::Relaxed);
        wakes.pass_on_to(&task.clone().into());
        wakes.begin();
        waker.wake_by_ref();
        assert!(!wakes.wait(), "it was woken");
        wakes.begin();
        assert!(wakes.wait(), "it was not");
        assert_eq!(woken(), 0);
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert_eq!(woken(), 1);
    }
}
