//! State of an accept queue: pending connections and accepting instances.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::ConnectionOwner;
use crate::activity::Activity;
use crate::socket::stream::Stream;

/// Both lists, in order of arrival.
#[derive(Default)]
pub(super) struct QueueState {
    pub(super) pending: VecDeque<PendingConnection>,
    pub(super) acceptors: Vec<Acceptor>,
    pub(super) next_acceptor: u64,
    /// True if requests were blocked since the last check.
    pub(super) has_blocked_requests: bool,
}

/// A connection that waits for an instance.
pub(super) struct PendingConnection {
    pub(super) stream: Stream,
    pub(super) since: Instant,
    pub(super) owner: Option<ConnectionOwner>,
    /// Acceptor of the instance that had the connection before; the last choice to get it back.
    pub(super) previous: Option<u64>,
}

/// The listener of one instance.
pub(super) struct Acceptor {
    pub(super) number: u64,
    pub(super) activity: Arc<Activity>,
    /// Suspension in which the instance last checked for a connection and found none.
    pub(super) checked_in: Option<u64>,
    /// Suspension before which the instance last accepted.
    pub(super) accepted_in: Option<u64>,
    /// The instance has enough work and checks again later.
    pub(super) is_saturated: bool,
    pub(super) waker: Option<Waker>,
}

/// Idle time after which a saturated instance accepts a connection all the same.
const IDLE_AFTER: Duration = Duration::from_millis(5);

impl QueueState {
    /// Wakes the best of the suspended acceptors for the last connection.
    pub(super) fn wake_one(&mut self) {
        let previous = self.pending.back().and_then(|connection| connection.previous);
        let suspended = self.acceptors.iter_mut().filter(|acceptor| acceptor.waker.is_some() && acceptor.is_waiting());
        if let Some(acceptor) = suspended.min_by_key(|acceptor| acceptor.rank(previous)) {
            acceptor.wake();
        }
    }

    /// Defers a saturated instance to a later check. Returns false if it has been idle for a while.
    pub(super) fn defer_if_saturated(&mut self, number: u64, waker: &Waker) -> bool {
        let Some(acceptor) = self.acceptors.iter_mut().find(|it| it.number == number) else { return false };
        acceptor.is_saturated = acceptor.activity.idle_for() < IDLE_AFTER;
        if acceptor.is_saturated {
            acceptor.checked_in = None;
            acceptor.register(waker);
        }
        acceptor.is_saturated
    }

    /// Returns another waiting acceptor that should get the next connection rather than this one.
    pub(super) fn better_acceptor(&mut self, number: u64) -> Option<&mut Acceptor> {
        let previous = self.pending.front().and_then(|connection| connection.previous);
        let own = self.acceptors.iter().find(|acceptor| acceptor.number == number)?.rank(previous);
        let others = self.acceptors.iter_mut().filter(|it| it.number != number && it.is_waiting());
        others.min_by_key(|it| it.rank(previous)).filter(|it| it.rank(previous) < own)
    }
}

impl Acceptor {
    /// Returns whether the instance is suspended, or woken for a connection and about to check.
    pub(super) fn is_waiting(&self) -> bool {
        self.checked_in == Some(self.activity.suspension())
    }

    /// Sort key for a connection that comes from the acceptor `previous`: the lowest gets it.
    ///
    /// The previous acceptor is last, then fewer connections come first.
    fn rank(&self, previous: Option<u64>) -> impl Ord + use<> {
        (previous == Some(self.number), self.activity.connections())
    }

    pub(super) fn register(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&mut self) {
        self.is_saturated = false;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
