//! The threads on which guests compute that take long, and their queue.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, LazyLock, Mutex, Once, PoisonError};
use std::thread;
use std::time::Instant;

use super::account::Account;

/// The workers' `nice`. Whoever else wants a processor gets it about nine times in ten.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A part of a guest that can go on.
pub(super) trait Part: Send + Sync {
    /// The account that it computes for.
    fn account(&self) -> &Account;

    /// Goes on until it waits or its turn is over; `since` is when it could have begun.
    fn work(self: Arc<Self>, since: Instant);
}

/// The workers of this process: processors are the process's, too.
pub(super) static WORKERS: LazyLock<Workers> = LazyLock::new(|| Workers {
    queue: Mutex::new(Vec::new()),
    arrived: Condvar::new(),
    started: Once::new(),
    virtual_time: AtomicU64::new(0),
});

pub(super) struct Workers {
    /// In the order of arrival.
    queue: Mutex<Vec<(Instant, Arc<dyn Part>)>>,
    arrived: Condvar,
    started: Once,
    /// That of the account whose part was taken last.
    virtual_time: AtomicU64,
}

impl Workers {
    pub(super) fn virtual_time(&self) -> u64 {
        self.virtual_time.load(Relaxed)
    }

    /// Takes a part over.
    pub(super) fn push(&'static self, part: Arc<dyn Part>) {
        self.started.call_once(|| self.start());
        part.account().joins_queue();
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), part));
        self.arrived.notify_one();
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

    /// Waits for parts, and takes one of the account that has used least for its weight.
    fn take(&self) -> (Instant, Arc<dyn Part>) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queue =
            self.arrived.wait_while(queue, |queue| queue.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let next = queue.iter().enumerate().min_by_key(|(_, (_, part))| part.account().virtual_time());
        let index = next.map_or(0, |(index, _)| index);
        let (since, part) = queue.remove(index);
        self.virtual_time.fetch_max(part.account().virtual_time(), Relaxed);
        (since, part)
    }
}
