//! The accept queue of an application: connections wait here until an instance takes them.
//!
//! A connection goes to an idle instance that accepts, and among several to the one with the fewest connections. If
//! none is idle, the connection waits: nothing is assigned to a busy instance. An instance takes one connection per
//! suspension, so that connections that arrive together are spread.
//!
//! A connection whose next request arrives while its instance is busy is requeued ([`Stream::hand_over`]). So is one
//! whose request had been started and then blocked by another request, once its response is sent and if another
//! instance is idle. The previous instance gets a connection back only if no other one is idle.

mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Notify;

use self::state::{Acceptor, PendingConnection, QueueState};
use super::listener::Listener;
use super::pipe::MemoryStream;
use super::stream::Stream;
use crate::activity::Activity;

/// Maximum queued connections from inside the process; more are refused.
const BACKLOG: usize = 1024;

/// Default number of connections in the queue. More stay in the operating system's own queue, which is about as long,
/// or are refused if these have waited for [`STALLED_AFTER`].
const DEFAULT_CAPACITY: usize = 128;

/// Age of the oldest connection from which a full queue refuses new ones.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// A queue of an application's connections. It outlives the instances. Clones share the queue.
#[derive(Clone)]
pub struct AcceptQueue(Arc<Inner>);

struct Inner {
    /// True if there may be more than one instance.
    shared: bool,
    /// Maximum queued connections from outside.
    capacity: usize,
    state: Mutex<QueueState>,
    demand: Notify,
    listener_added: Notify,
}

/// The instance that owns a connection from inside the process.
#[derive(Clone, Default)]
pub struct ConnectionOwner(Arc<Mutex<Option<Arc<Activity>>>>);

impl ConnectionOwner {
    /// Returns how long the owning instance has been busy.
    ///
    /// A request on this connection waits meanwhile, and another instance might take it sooner. Zero where there are no
    /// other instances.
    #[must_use]
    pub fn busy_for(&self) -> Duration {
        self.lock().as_ref().map_or(Duration::ZERO, |activity| activity.busy_for())
    }

    /// Returns true if the instance with this activity owns the connection.
    #[must_use]
    pub fn is(&self, activity: &Arc<Activity>) -> bool {
        self.lock().as_ref().is_some_and(|owner| Arc::ptr_eq(owner, activity))
    }

    fn set(&self, activity: Option<Arc<Activity>>) {
        *self.lock() = activity;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Activity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AcceptQueue {
    /// Creates a queue of the default capacity, for at most `instances`.
    #[must_use]
    pub fn new(instances: usize) -> Self {
        Self::with_capacity(instances, DEFAULT_CAPACITY)
    }

    /// Creates a queue of `capacity` connections, for at most `instances`.
    #[must_use]
    pub fn with_capacity(instances: usize, capacity: usize) -> Self {
        let (state, demand, listener_added) = (Mutex::default(), Notify::new(), Notify::new());
        Self(Arc::new(Inner { shared: instances > 1, capacity, state, demand, listener_added }))
    }

    /// Creates a listener for the instance with this `activity`, which sees its own address as `local`.
    #[must_use]
    pub fn listener(&self, local: SocketAddr, activity: &Arc<Activity>) -> Listener {
        let mut state = self.lock();
        let number = state.next_acceptor;
        state.next_acceptor += 1;
        state.acceptors.push(Acceptor {
            number,
            activity: activity.clone(),
            checked_in: None,
            accepted_in: None,
            is_saturated: false,
            waker: None,
        });
        drop(state);
        self.0.listener_added.notify_waiters();
        Listener::at_queue(self.clone(), number, local)
    }

    /// Adds a connection from outside.
    ///
    /// # Errors
    /// When the connection is closed already.
    pub fn push(&self, stream: TcpStream) -> io::Result<()> {
        self.enqueue(&mut self.lock(), Stream::tcp(stream)?, None, None);
        Ok(())
    }

    /// Adds a connection from inside the process, which an instance accepts as coming from `peer`.
    ///
    /// # Errors
    /// `ConnectionRefused` when no instance listens, `ResourceBusy` when the queue is full and stalled.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<(MemoryStream, ConnectionOwner)> {
        let mut state = self.lock();
        if state.acceptors.is_empty() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        if state.pending.len() >= BACKLOG || self.is_full(&state) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let (ours, theirs) = MemoryStream::pair();
        let owner = ConnectionOwner::default();
        // Its local address becomes that of the instance that accepts it.
        self.enqueue(&mut state, Stream::memory(theirs, peer, peer), self.0.shared.then(|| owner.clone()), None);
        Ok((ours, owner))
    }

    /// Requeues a connection of the instance with this `activity`, for another one.
    pub(super) fn requeue(&self, stream: Stream, owner: Option<ConnectionOwner>, activity: &Arc<Activity>) {
        if let Some(owner) = &owner {
            owner.set(None);
        }
        let mut state = self.lock();
        let previous = state
            .acceptors
            .iter()
            .find(|acceptor| Arc::ptr_eq(&acceptor.activity, activity))
            .map(|acceptor| acceptor.number);
        self.enqueue(&mut state, stream, owner, previous);
    }

    fn enqueue(&self, state: &mut QueueState, stream: Stream, owner: Option<ConnectionOwner>, previous: Option<u64>) {
        state.pending.push_back(PendingConnection { stream, since: Instant::now(), owner, previous });
        state.wake_one();
        self.0.demand.notify_one();
    }

    /// Waits until an instance listens.
    pub async fn wait_for_listener(&self) {
        loop {
            let listener_added = self.0.listener_added.notified();
            if self.listener_count() > 0 {
                return;
            }
            listener_added.await;
        }
    }

    /// The number of listening instances.
    #[must_use]
    pub fn listener_count(&self) -> usize {
        self.lock().acceptors.len()
    }

    /// Records that started requests are blocked by a busy instance.
    pub(super) fn note_blocked_requests(&self) {
        self.lock().has_blocked_requests = true;
        self.0.demand.notify_one();
    }

    /// Waits until a connection arrives, or requests are blocked. For one caller at a time.
    pub async fn wait_for_demand(&self) {
        self.0.demand.notified().await;
    }

    /// Returns whether connections wait here, or requests are blocked by a busy instance.
    #[must_use]
    pub fn has_demand(&self) -> bool {
        let state = self.lock();
        state.has_blocked_requests || !state.pending.is_empty()
    }

    /// Returns whether no connection waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().pending.is_empty()
    }

    /// Returns whether another connection from outside should be accepted.
    #[must_use]
    pub fn has_capacity(&self) -> bool {
        self.lock().pending.len() < self.0.capacity
    }

    /// Returns whether new connections are to be refused: the queue is full and stalled.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.is_full(&self.lock())
    }

    fn is_full(&self, state: &QueueState) -> bool {
        let is_stalled = |connection: &PendingConnection| connection.since.elapsed() >= STALLED_AFTER;
        state.pending.len() >= self.0.capacity && state.pending.front().is_some_and(is_stalled)
    }

    /// Removes the connections that have waited for `max_wait`, to be [rejected](Stream::reject).
    #[must_use]
    pub fn take_overdue(&self, max_wait: Duration) -> Vec<Stream> {
        let mut state = self.lock();
        let is_overdue = |connection: &PendingConnection| connection.since.elapsed() >= max_wait;
        let count = state.pending.iter().take_while(|connection| is_overdue(connection)).count();
        state.pending.drain(..count).map(|connection| connection.stream).collect()
    }

    /// Wakes instances for the queued connections: those woken before may have got other work.
    pub fn wake_waiters(&self) {
        let mut state = self.lock();
        for _ in 0..state.pending.len().min(state.acceptors.len()) {
            state.wake_one();
        }
        state.acceptors.iter_mut().filter(|acceptor| acceptor.is_saturated).for_each(Acceptor::wake);
    }

    /// Returns whether another instance is needed.
    ///
    /// That is when a connection has waited for `max_wait`, or requests were blocked since the last check, and no
    /// instance is idle.
    #[must_use]
    pub fn needs_scale_up(&self, max_wait: Duration) -> bool {
        let mut state = self.lock();
        let long = state.pending.front().is_some_and(|connection| connection.since.elapsed() >= max_wait);
        let has_blocked_requests = std::mem::take(&mut state.has_blocked_requests);
        (long || has_blocked_requests) && !state.acceptors.iter().any(Acceptor::is_waiting)
    }

    /// Returns whether an instance other than that of `activity` is idle and not needed for queued connections.
    ///
    /// The number of its connections does not matter: they may all be idle.
    pub(super) fn has_idle_sibling(&self, activity: &Arc<Activity>) -> bool {
        let state = self.lock();
        let others = state
            .acceptors
            .iter()
            .filter(|acceptor| acceptor.is_waiting() && !Arc::ptr_eq(&acceptor.activity, activity));
        others.count() > state.pending.len()
    }

    /// Ready when the acceptor should accept a connection.
    ///
    /// A saturated one should only after some idle time.
    pub(super) fn poll(&self, number: u64, is_saturated: bool, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if is_saturated && state.defer_if_saturated(number, cx.waker()) {
            return Poll::Pending;
        }
        if !state.pending.is_empty() {
            match state.better_acceptor(number) {
                Some(better) => better.wake(),
                None => return Poll::Ready(()),
            }
        }
        if let Some(acceptor) = state.acceptors.iter_mut().find(|it| it.number == number) {
            acceptor.checked_in = Some(acceptor.activity.suspension());
            acceptor.register(cx.waker());
        }
        Poll::Pending
    }

    /// Takes a connection for the acceptor with this `number`, if one is queued.
    pub(super) fn try_accept(&self, number: u64, local: SocketAddr) -> io::Result<Stream> {
        let mut state = self.lock();
        let state = &mut *state;
        if state.pending.front().is_some_and(|connection| connection.previous == Some(number))
            && let Some(better) = state.better_acceptor(number)
        {
            better.wake();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let acceptor =
            state.acceptors.iter_mut().find(|acceptor| acceptor.number == number).ok_or(io::ErrorKind::NotConnected)?;
        let suspension = Some(acceptor.activity.suspension());
        if self.0.shared && acceptor.accepted_in == suspension {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Some(PendingConnection { stream, owner, .. }) = state.pending.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        acceptor.accepted_in = suspension;
        if let Some(owner) = &owner {
            owner.set(Some(acceptor.activity.clone()));
        }
        let requeue_to = self.0.shared.then(|| (self.clone(), owner));
        Ok(stream.assign(local, acceptor.activity.clone(), requeue_to))
    }

    /// Removes the acceptor with this number. Queued connections are left to the others, or to the next.
    pub(super) fn remove(&self, number: u64) {
        let mut state = self.lock();
        state.acceptors.retain(|it| it.number != number);
        if !state.pending.is_empty() {
            state.wake_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
