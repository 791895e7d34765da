//! The worker threads for long-running guests, and their queue.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, LazyLock, Mutex, Once, PoisonError};
use std::thread;
use std::time::Instant;

use super::account::Account;

/// The workers' `nice` value. Any other thread that wants a processor gets it about nine times in ten.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A runnable part of a guest.
pub(super) trait Part: Send + Sync {
    /// Account to charge.
    fn account(&self) -> &Account;

    /// Runs until it suspends or its turn is over. `since` is when it could have started.
    fn work(self: Arc<Self>, since: Instant);
}

/// Workers of this process, shared like its processors.
pub(super) static WORKERS: LazyLock<Workers> = LazyLock::new(|| Workers {
    queue: Mutex::new(Vec::new()),
    queued: Condvar::new(),
    started: Once::new(),
    virtual_time: AtomicU64::new(0),
});

pub(super) struct Workers {
    /// Queue in order of arrival.
    queue: Mutex<Vec<(Instant, Arc<dyn Part>)>>,
    queued: Condvar,
    started: Once,
    /// Virtual time of the account whose part was taken last.
    virtual_time: AtomicU64,
}

impl Workers {
    pub(super) fn virtual_time(&self) -> u64 {
        self.virtual_time.load(Relaxed)
    }

    /// Queues a part.
    pub(super) fn push(&'static self, part: Arc<dyn Part>) {
        self.started.call_once(|| self.start());
        part.account().join_queue();
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), part));
        self.queued.notify_one();
    }

    fn start(&'static self) {
        for number in 0..thread::available_parallelism().map_or(1, usize::from) {
            // They end with the process.
            let started = thread::Builder::new().name(format!("guest-{number}")).spawn(|| self.work());
            if let Err(error) = started {
                tracing::error!(%error, "worker thread not started");
            }
        }
    }

    fn work(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::warn!(%error, "worker threads keep their priority");
        }
        loop {
            let (since, part) = self.take();
            part.work(since);
        }
    }

    /// Waits for a part, and takes one of the account with the least weighted use.
    fn take(&self) -> (Instant, Arc<dyn Part>) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queue = self.queued.wait_while(queue, |queue| queue.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let next = queue.iter().enumerate().min_by_key(|(_, (_, part))| part.account().virtual_time());
        let index = next.map_or(0, |(index, _)| index);
        let (since, part) = queue.remove(index);
        self.virtual_time.fetch_max(part.account().virtual_time(), Relaxed);
        (since, part)
    }
}
