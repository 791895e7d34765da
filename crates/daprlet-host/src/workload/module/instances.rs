//! Scales a module: starts instances while connections queue, stops idle ones.
//!
//! The first instance always runs (`GuestApp::supervise`). Another one is started when a connection, or a started
//! request, has waited while all instances were busy, and is stopped when it has been idle for a while. The compiled
//! code is shared, and so are the pages of the module's data that no instance has written to; the rest of its memory is
//! each instance's own.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dapr_runtime::Backoff;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use guest_engine::RejectionLog;
use guest_wasmedge::{AcceptQueue, Activity, Stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::first_request::{MAX_HELD_BACK, header_timeout, wait_for_header};
use super::guest::GuestApp;
use crate::accept::{AcceptRetry, is_about_one_connection};
use crate::lifetime::Lifetime;

/// Time that a connection waits before another instance is started.
///
/// Instances that serve small requests become idle sooner.
const SCALE_UP_AFTER: Duration = Duration::from_millis(5);

/// Idle time after which an additional instance is stopped; up to twice this long in practice.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The accept queue of one application and its instances.
pub(crate) struct Instances {
    pub(crate) guest: Arc<GuestApp>,
    pub(crate) queue: AcceptQueue,
    /// Maximum instances, including the first.
    pub(crate) max_instances: usize,
    /// Time that a connection waits for an instance before it is rejected.
    pub(crate) queue_timeout: Duration,
    pub(crate) rejections: RejectionLog,
}

impl Instances {
    /// Moves connections from `listener` to the queue, and starts instances on demand, until the host stops.
    ///
    /// While requests are drained, existing connections are served and new ones are not accepted.
    pub(crate) async fn run(self, listener: std::net::TcpListener, lifetime: Lifetime) {
        let listening = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        let Ok(mut listener) =
            listening.map(Some).inspect_err(|error| tracing::error!(%error, "cannot use the app port"))
        else {
            return;
        };
        let mut more = JoinSet::new();
        let mut started = 1_u64;
        let mut held_back = FuturesUnordered::new();
        let mut retry = AcceptRetry::default();
        let mut retry_at = tokio::time::Instant::now();
        let mut backoff = Backoff::default();
        let mut not_before = Instant::now();
        let mut checks = tokio::time::interval(SCALE_UP_AFTER);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = accept(listener.as_ref(), retry_at), if held_back.len() < MAX_HELD_BACK && (self.queue.has_capacity() || self.queue.is_overloaded()) => {
                    match accepted {
                        Ok(stream) => {
                            retry.succeeded(&self.guest.app);
                            held_back.push(wait_for_header(stream, header_timeout(held_back.len())));
                        }
                        Err(error) if is_about_one_connection(&error) => {}
                        Err(error) => retry_at = tokio::time::Instant::now() + retry.failed(&self.guest.app, &error),
                    }
                }
                Some(checked) = held_back.next() => {
                    let pushed = match checked {
                        Ok(stream) if self.queue.is_overloaded() => {
                            self.reject(Stream::tcp(stream).into_iter().collect());
                            Ok(())
                        }
                        checked => checked.and_then(|stream| self.queue.push(stream)),
                    };
                    if let Err(error) = pushed {
                        tracing::debug!(app = %self.guest.app, %error, "connection ended before its first request");
                    }
                }
                () = self.queue.wait_for_demand() => {}
                _ = checks.tick(), if self.queue.has_demand() => {
                    self.reject(self.queue.take_overdue(self.queue_timeout));
                    self.queue.wake_waiters();
                    if self.needs_another(1 + more.len()) && Instant::now() >= not_before {
                        started += 1;
                        more.spawn(run_additional(self.guest.clone(), started));
                    }
                }
                Some(ended) = more.join_next() => {
                    // Do not replace a failed instance at once: others may fail like it.
                    if !ended.is_ok_and(|ended| ended == Ended::Unneeded) {
                        not_before = Instant::now() + backoff.next_delay();
                    }
                }
                () = lifetime.draining.cancelled(), if listener.is_some() => listener = None,
                () = lifetime.stopped.cancelled() => return,
            }
        }
    }

    /// Responds to connections that all instances are busy.
    fn reject(&self, streams: Vec<Stream>) {
        if let Some(requests) = self.rejections.count(streams.len() as u64) {
            tracing::warn!(app = %self.guest.app, requests, "requests refused: all instances busy");
        }
        for stream in streams {
            tokio::spawn(stream.reject());
        }
    }

    /// Returns whether another instance would help.
    ///
    /// While a started one does not listen yet, it is waited for: it may be enough.
    fn needs_another(&self, running: usize) -> bool {
        self.queue.needs_scale_up(SCALE_UP_AFTER)
            && running < self.max_instances
            && self.queue.listener_count() >= running
    }
}

/// Accepts a connection from `retry_at` on; waits for ever once the listener is gone.
async fn accept(listener: Option<&TcpListener>, retry_at: tokio::time::Instant) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => {
            tokio::time::sleep_until(retry_at).await;
            listener.accept().await.map(|(stream, _)| stream)
        }
        None => std::future::pending().await,
    }
}

/// Reason for the end of an additional instance.
#[derive(PartialEq, Eq)]
enum Ended {
    Failed,
    Unneeded,
}

/// Runs an additional instance until it ends or is not needed any more.
async fn run_additional(guest: Arc<GuestApp>, number: u64) -> Ended {
    let app = &guest.app;
    tracing::info!(%app, "started instance {number}: all instances busy");
    let activity = Arc::<Activity>::default();
    // Both in one task: no connection is accepted between the idle check and the end.
    let ended = tokio::select! {
        ended = guest.run(activity.clone()) => ended,
        () = wait_until_unneeded(&activity, || guest.is_idle(&activity)) => {
            tracing::info!(%app, "stopped instance {number}: idle");
            return Ended::Unneeded;
        }
    };
    match ended {
        Ok(code) => tracing::warn!(%app, code, "instance {number} exited; others continue"),
        Err(error) => tracing::error!(
            %app,
            "instance {number} failed; others continue: {}: {}", guest.path.display(), error.report(),
        ),
    }
    Ended::Failed
}

async fn wait_until_unneeded(activity: &Activity, is_idle: impl Fn() -> bool) {
    let mut before = activity.accepted();
    loop {
        tokio::time::sleep(IDLE_TIMEOUT).await;
        let now = activity.accepted();
        if now == before && is_idle() {
            return;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idle_instance_is_kept_for_twenty_seconds() {
        let begin = tokio::time::Instant::now();
        wait_until_unneeded(&Activity::default(), || true).await;
        assert_eq!(begin.elapsed().as_secs(), 20);
    }
}
