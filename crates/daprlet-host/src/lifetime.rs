//! Shutdown of a host: it drains first, then it stops.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::StartError;

/// Maximum time that applications may take to stop once requests are drained.
const STOP_TIMEOUT: Duration = Duration::from_millis(1700);

/// An event for the caller that runs the host.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostEvent {
    /// An application has exited by itself.
    Exited {
        /// The application's id.
        app: String,
        /// Exit code; 128 plus the signal's number where a signal ended it.
        code: i32,
    },
    /// An application has ended because its Dapr API was asked to shut down. The others keep running.
    ShutDown {
        /// The application's id.
        app: String,
    },
    /// An application cannot start, and a retry would not help.
    CannotStart(StartError),
    /// A task of the host itself has panicked, so the host is broken.
    Broken {
        /// Name of the task.
        task: &'static str,
    },
}

/// Tasks of a host or of one of its applications, and the two steps of their shutdown.
#[derive(Clone)]
pub(crate) struct Lifetime {
    /// Cancelled first: new work is rejected, and requests under way are finished.
    pub(crate) draining: CancellationToken,
    /// Cancelled to end without waiting for requests under way.
    pub(crate) forced: CancellationToken,
    /// Cancelled next: all tasks end.
    pub(crate) stopped: CancellationToken,
    /// Tasks that draining waits for.
    under_way: TaskTracker,
    tasks: TaskTracker,
    /// Lifetimes of the applications, which end with the host's.
    children: Arc<Mutex<Vec<Self>>>,
    events: mpsc::UnboundedSender<HostEvent>,
}

impl Lifetime {
    /// Creates a lifetime that shuts down once `draining` is cancelled.
    pub(crate) fn new(draining: CancellationToken) -> (Self, mpsc::UnboundedReceiver<HostEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let (under_way, tasks) = (TaskTracker::new(), TaskTracker::new());
        let (forced, stopped) = (CancellationToken::new(), CancellationToken::new());
        let children = Arc::default();
        (Self { draining, forced, stopped, under_way, tasks, children, events }, receiver)
    }

    /// Creates the lifetime of one application, which can end before the others.
    pub(crate) fn child(&self) -> Self {
        let child = Self {
            draining: self.draining.child_token(),
            forced: self.forced.child_token(),
            stopped: self.stopped.child_token(),
            under_way: TaskTracker::new(),
            tasks: TaskTracker::new(),
            children: Arc::default(),
            events: self.events.clone(),
        };
        self.children.lock().unwrap_or_else(PoisonError::into_inner).push(child.clone());
        child
    }

    /// Runs a task that lasts until [`stopped`](Self::stopped). If it panics, the host is reported as broken.
    pub(crate) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let events = self.events.clone();
        self.tasks.spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "host task panicked");
                // Without a receiver the host is being dropped.
                let _ = events.send(HostEvent::Broken { task: name });
            }
        });
    }

    /// Runs a task that draining waits for, and that ends by itself then.
    pub(crate) fn spawn_under_way(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.under_way.spawn(task);
    }

    /// Sends an event to the caller that runs the host.
    pub(crate) fn send(&self, event: HostEvent) {
        // Without a receiver the host is being dropped.
        let _ = self.events.send(event);
    }

    /// Finishes requests under way, for at most `graceful`, then ends everything.
    pub(crate) async fn end(&self, graceful: Duration) {
        self.draining.cancel();
        let mut all = self.children.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.push(self.clone());
        all.iter().for_each(|lifetime| _ = lifetime.under_way.close());
        let finished = join_all(all.iter().map(|lifetime| lifetime.under_way.wait()));
        if tokio::time::timeout(graceful, self.forced.run_until_cancelled(finished)).await.is_err() {
            let connections: usize = all.iter().map(|lifetime| lifetime.under_way.len()).sum();
            tracing::warn!(connections, "requests cut off: not finished within {graceful:?}");
        }
        self.stopped.cancel();
        all.iter().for_each(|lifetime| _ = lifetime.tasks.close());
        // An abrupt end does no harm to guests, so those that do not end in time are dropped.
        let _ = tokio::time::timeout(STOP_TIMEOUT, join_all(all.iter().map(|lifetime| lifetime.tasks.wait()))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panicking_task_breaks_the_host() {
        let (lifetime, mut events) = Lifetime::new(CancellationToken::new());
        lifetime.spawn("test", async { panic!("expected by the test") });
        assert!(matches!(events.recv().await, Some(HostEvent::Broken { task: "test" })));
    }

    #[tokio::test(start_paused = true)]
    async fn child_ends_alone_and_with_its_host() {
        let (host, _events) = Lifetime::new(CancellationToken::new());
        let (one, other) = (host.child(), host.child());
        for lifetime in [&one, &other] {
            let draining = lifetime.draining.clone();
            lifetime.spawn_under_way(async move { draining.cancelled().await });
        }
        one.end(Duration::from_secs(5)).await;
        assert!(one.stopped.is_cancelled() && !host.draining.is_cancelled() && !other.draining.is_cancelled());
        host.end(Duration::from_secs(5)).await;
        assert!(other.stopped.is_cancelled() && other.under_way.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn end_waits_for_requests_within_graceful_period() {
        for (takes, expected) in [(2, 2), (60, 5)] {
            let (lifetime, _events) = Lifetime::new(CancellationToken::new());
            let begin = tokio::time::Instant::now();
            lifetime.spawn_under_way(tokio::time::sleep(Duration::from_secs(takes)));
            let stopped = lifetime.stopped.clone();
            lifetime.spawn("test", async move { stopped.cancelled().await });
            lifetime.end(Duration::from_secs(5)).await;
            assert_eq!(begin.elapsed().as_secs(), expected);
        }
    }
}
