//! Detects wake-ups of a future while it runs.
//!
//! tokio puts a task that is woken while it runs at the end of its queue, and wakes another thread to take it from
//! there. A future that knows of such a wake-up can poll again at once instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// A waker that notes wake-ups, and forwards those that come while nothing runs.
#[derive(Default)]
pub(super) struct WakeTracker {
    state: AtomicU8,
    task: AtomicWaker,
}

const WOKEN: u8 = 0;
const RUNNING: u8 = 1;
const IDLE: u8 = 2;

impl WakeTracker {
    /// Forwards wake-ups to `task` from now on.
    pub(super) fn forward_to(&self, task: &Waker) {
        self.task.register(task);
    }

    /// Starts a poll, which sees all events up to now.
    pub(super) fn begin(&self) {
        self.state.swap(RUNNING, Ordering::AcqRel);
    }

    /// Suspends, and returns true, unless there was a wake-up since `begin`.
    pub(super) fn try_suspend(&self) -> bool {
        self.state.compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Wake for WakeTracker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == IDLE {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts wake-ups.
    #[derive(Default)]
    struct Task(AtomicU8);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wake_while_running_is_noted_and_while_idle_forwarded() {
        let (task, wakes) = (Arc::<Task>::default(), Arc::<WakeTracker>::default());
        let waker = Waker::from(wakes.clone());
        let woken = || task.0.load(Ordering::Relaxed);
        wakes.forward_to(&task.clone().into());
        wakes.begin();
        waker.wake_by_ref();
        assert!(!wakes.try_suspend(), "it was woken");
        wakes.begin();
        assert!(wakes.try_suspend(), "it was not");
        assert_eq!(woken(), 0);
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert_eq!(woken(), 1);
    }
}
