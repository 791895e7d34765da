//! The end of a host: it drains first, then it stops.

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

/// The longest time that applications may take to stop once requests are drained.
const STOP_TIMEOUT: Duration = Duration::from_millis(1700);

/// Something that whoever runs the host has to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostEvent {
    /// An application has exited by itself, with this exit code.
    Exited {
        /// The application's id.
        app: String,
        /// Its exit code; 128 and the signal's number where a signal ended it.
        code: i32,
    },
    /// An application has ended because its Dapr API was asked to shut down. Its neighbours go on.
    ShutDown {
        /// The application's id.
        app: String,
    },
    /// An application cannot start, and another attempt would not change that.
    CannotStart(StartError),
    /// A task of the host itself has panicked, so that the host is no longer whole.
    Broken {
        /// Which task.
        task: &'static str,
    },
}

/// The tasks of a host or of one of its applications, and the two steps in which they end.
#[derive(Clone)]
pub(crate) struct Lifetime {
    /// Cancelled first: nothing new is accepted, and what is under way is finished.
    pub(crate) draining: CancellationToken,
    /// Cancelled to end without waiting for what is under way.
    pub(crate) forced: CancellationToken,
    /// Cancelled next: everything ends.
    pub(crate) stopped: CancellationToken,
    /// The tasks that draining waits for.
    under_way: TaskTracker,
    tasks: TaskTracker,
    /// Those of the applications, which end with the host's.
    children: Arc<Mutex<Vec<Self>>>,
    events: mpsc::UnboundedSender<HostEvent>,
}

impl Lifetime {
    /// A lifetime that ends in order once `draining` is cancelled.
    pub(crate) fn new(draining: CancellationToken) -> (Self, mpsc::UnboundedReceiver<HostEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let (under_way, tasks) = (TaskTracker::new(), TaskTracker::new());
        let (forced, stopped) = (CancellationToken::new(), CancellationToken::new());
        let children = Arc::default();
        (Self { draining, forced, stopped, under_way, tasks, children, events }, receiver)
    }

    /// The lifetime of one application, which can end before the others.
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

    /// Runs a task that lasts until [`stopped`](Self::stopped). If it panics, the host is told to be broken.
    pub(crate) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let events = self.events.clone();
        self.tasks.spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task of the host has panicked");
                // Without a receiver the host is being dropped.
                let _ = events.send(HostEvent::Broken { task: name });
            }
        });
    }

    /// Runs a task that ends by itself once draining begins, and which draining waits for.
    pub(crate) fn spawn_under_way(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.under_way.spawn(task);
    }

    /// Tells whoever runs the host.
    pub(crate) fn tell(&self, event: HostEvent) {
        // Without a receiver the host is being dropped.
        let _ = self.events.send(event);
    }

    /// Finishes what is under way, for at most `graceful`, and then ends everything.
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
        // Guests hold nothing that an abrupt end could spoil, so what does not end in time is dropped.
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
    async fn end_waits_for_what_is_under_way_but_not_for_ever() {
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
