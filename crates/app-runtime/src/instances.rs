//! More instances of one module, behind the door of its application.
//!
//! The first instance always runs (`GuestApp::supervise`). Another one is started when a connection, or a request that was
//! begun, has waited while all that run were busy, and ends when it has had nothing to do for a while. The compiled code is
//! shared, and so are the pages of the module's data that no instance has written to; the rest of its memory is each instance's
//! own.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use wasm_engine::Refusals;
use wasmedge_guest::{Activity, Door, Stream};

use crate::accept::{AcceptRetry, is_about_one_connection};
use crate::backoff::Backoff;
use crate::first_request::{MAX_HELD_BACK, header_timeout, wait_for_header};
use crate::guest_app::GuestApp;
use crate::lifetime::Lifetime;

/// How long a connection waits for one of the instances that run before another one is started. Those who answer small
/// requests come back sooner.
const PATIENCE: Duration = Duration::from_millis(5);

/// An instance that was given no connection for this long, or twice this long, and has none, is not needed any more.
const UNNEEDED: Duration = Duration::from_secs(60);

/// Who looks after the door of one application.
pub(crate) struct Instances {
    pub(crate) guest: Arc<GuestApp>,
    pub(crate) door: Door,
    /// The most instances, with the first.
    pub(crate) most: usize,
    /// The longest time that a connection waits for an instance before its client is told to come back later.
    pub(crate) patience: Duration,
    pub(crate) refusals: Refusals,
}

impl Instances {
    /// Takes connections from `listener` to the door, and starts instances by need, until the host stops.
    /// While requests are drained, connections that are there are served and new ones are not accepted.
    pub(crate) async fn attend(self, listener: std::net::TcpListener, lifetime: Lifetime) {
        let listening = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        let Ok(mut listener) =
            listening.map(Some).inspect_err(|error| tracing::error!(%error, "the app port cannot be used"))
        else {
            return;
        };
        let mut more = JoinSet::new();
        let mut started = 1_u64;
        let mut held_back = FuturesUnordered::new();
        let mut retry = AcceptRetry::default();
        let mut retry_at = tokio::time::Instant::now();
        let mut backoff = Backoff::new();
        let mut not_before = Instant::now();
        let mut looks = tokio::time::interval(PATIENCE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = accept(listener.as_ref(), retry_at), if held_back.len() < MAX_HELD_BACK && (self.door.has_room() || self.door.is_overloaded()) => {
                    match accepted {
                        Ok(stream) => {
                            retry.succeeded(&self.guest.app);
                            held_back.push(wait_for_header(stream, header_timeout(held_back.len())));
                        }
                        Err(error) if is_about_one_connection(&error) => {}
                        Err(error) => retry_at = tokio::time::Instant::now() + retry.failed(&self.guest.app, &error),
                    }
                }
                Some(heard) = held_back.next() => {
                    let arrived = match heard {
                        Ok(stream) if self.door.is_overloaded() => {
                            self.refuse(Stream::tcp(stream).into_iter().collect());
                            Ok(())
                        }
                        heard => heard.and_then(|stream| self.door.arrive(stream)),
                    };
                    if let Err(error) = arrived {
                        tracing::debug!(app = %self.guest.app, %error, "a connection ended before its first request");
                    }
                }
                () = self.door.arrived() => {}
                _ = looks.tick(), if self.door.is_in_demand() => {
                    self.refuse(self.door.overdue(self.patience));
                    self.door.remind();
                    if self.needs_another(1 + more.len()) && Instant::now() >= not_before {
                        started += 1;
                        more.spawn(another(self.guest.clone(), started));
                    }
                }
                Some(ended) = more.join_next() => {
                    // One that failed is not replaced at once: it is needed or not, and others may fail like it.
                    if !ended.is_ok_and(|ended| ended == Ended::Unneeded) {
                        not_before = Instant::now() + backoff.next();
                    }
                }
                () = lifetime.draining.cancelled(), if listener.is_some() => listener = None,
                () = lifetime.stopped.cancelled() => return,
            }
        }
    }

    /// Tells clients that nobody has time for them.
    fn refuse(&self, streams: Vec<Stream>) {
        if let Some(requests) = self.refusals.count(streams.len() as u64) {
            tracing::warn!(app = %self.guest.app, requests, "requests refused: all instances busy");
        }
        for stream in streams {
            tokio::spawn(stream.refuse());
        }
    }

    /// Whether one more would help `running` ones. While one of those is on its way, it is waited for: it may be enough.
    fn needs_another(&self, running: usize) -> bool {
        self.door.is_neglected(PATIENCE) && running < self.most && self.door.listening() >= running
    }
}

/// Accepts a connection from `retry_at` on; never, where nothing is accepted any more.
async fn accept(listener: Option<&TcpListener>, retry_at: tokio::time::Instant) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => {
            tokio::time::sleep_until(retry_at).await;
            listener.accept().await.map(|(stream, _)| stream)
        }
        None => std::future::pending().await,
    }
}

/// How an instance beside the first has ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Failed,
    Unneeded,
}

/// Runs the instance with this number until it ends or is not needed any more.
async fn another(guest: Arc<GuestApp>, number: u64) -> Ended {
    let app = &guest.app;
    tracing::info!(%app, "instance {number} is started: a request waits and all others are busy");
    let activity = Arc::<Activity>::default();
    // Both in one task: no connection is accepted between the look that finds none and the end.
    let ended = tokio::select! {
        ended = guest.run(activity.clone()) => ended,
        () = until_unneeded(&activity) => {
            tracing::info!(%app, "instance {number} is ended: it had nothing to do");
            return Ended::Unneeded;
        }
    };
    match ended {
        Ok(code) => tracing::warn!(%app, code, "instance {number} has exited; others go on"),
        Err(error) => tracing::error!(
            %app,
            "instance {number} ended and others go on: {}: {}", guest.path.display(), error.report(),
        ),
    }
    Ended::Failed
}

async fn until_unneeded(activity: &Activity) {
    let mut before = activity.accepted();
    loop {
        tokio::time::sleep(UNNEEDED).await;
        let now = activity.accepted();
        if now == before && activity.connections() == 0 {
            return;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_instance_that_is_given_nothing_is_kept_for_a_minute() {
        let begin = tokio::time::Instant::now();
        until_unneeded(&Activity::default()).await;
        assert_eq!(begin.elapsed().as_secs(), 60);
    }
}
