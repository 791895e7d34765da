//! The door of an application: connections arrive here, and instances of its module take them.
//!
//! The rule is simple. A connection goes to an instance that waits at the door, and among several to the one with the
//! fewest connections. Where none waits it stays here until one does: nothing is assigned to an instance that computes.
//! An instance takes one connection each time it comes, so that what arrives together is spread. A connection whose next
//! request arrives while its instance computes comes back here ([`Stream::hand_over`]), and so does one whose request was begun
//! and then had to wait for another's, once that is answered and if another instance waits. Its own gets it back only if no
//! other one waits then.

mod hall;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Notify;

use self::hall::{Arrival, Hall, Seat};
use super::listener::Listener;
use super::pipe::MemoryStream;
use super::stream::Stream;
use crate::activity::Activity;

/// Connections from inside the process that may wait for an instance; more are refused.
const BACKLOG: usize = 1024;

/// The connections that wait for an instance where nothing else is said. More are left to the operating system, whose own queue
/// is about as long, or refused if these have waited for [`STALLED_AFTER`].
const ROOM: usize = 128;

/// Instances that have not come for a connection in this time do not keep up.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// Where connections of one application wait for its instances. It outlives them. Clones are the same door.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    /// Whether there may be more than one instance.
    shared: bool,
    /// The connections that may wait.
    room: usize,
    hall: Mutex<Hall>,
    arrived: Notify,
    opened: Notify,
}

/// Who has a connection from inside the process.
#[derive(Clone, Default)]
pub struct Holder(Arc<Mutex<Option<Arc<Activity>>>>);

impl Holder {
    /// How long that instance has computed without a wait: a request on this connection waits meanwhile, and another
    /// instance might not make it wait. Zero where there are no other instances.
    #[must_use]
    pub fn computing(&self) -> Duration {
        self.lock().as_ref().map_or(Duration::ZERO, |activity| activity.computing())
    }

    fn set(&self, activity: Option<Arc<Activity>>) {
        *self.lock() = activity;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Activity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    /// A door for at most `instances`, where the usual number of connections may wait.
    #[must_use]
    pub fn new(instances: usize) -> Self {
        Self::with_room(instances, ROOM)
    }

    /// A door for at most `instances`, where `room` connections may wait.
    #[must_use]
    pub fn with_room(instances: usize, room: usize) -> Self {
        let (hall, arrived, opened) = (Mutex::default(), Notify::new(), Notify::new());
        Self(Arc::new(Inner { shared: instances > 1, room, hall, arrived, opened }))
    }

    /// A place at the door for the instance that `activity` tells of, which sees its own address as `local`.
    #[must_use]
    pub fn listener(&self, local: SocketAddr, activity: &Arc<Activity>) -> Listener {
        let mut hall = self.lock();
        let number = hall.next_seat;
        hall.next_seat += 1;
        hall.seats.push(Seat {
            number,
            activity: activity.clone(),
            wait: None,
            took: None,
            is_laden: false,
            waker: None,
        });
        drop(hall);
        self.0.opened.notify_waiters();
        Listener::at_door(self.clone(), number, local)
    }

    /// A connection from outside arrives.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn arrive(&self, stream: TcpStream) -> io::Result<()> {
        self.enter(&mut self.lock(), Stream::tcp(stream)?, None, None);
        Ok(())
    }

    /// A new connection from inside the process, which an instance will accept as coming from `peer`.
    ///
    /// # Errors
    /// `ConnectionRefused` when no instance listens, `ResourceBusy` when all accept too slowly to keep up.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<(MemoryStream, Holder)> {
        let mut hall = self.lock();
        if hall.seats.is_empty() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        if hall.arrivals.len() >= BACKLOG || self.is_full(&hall) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let (ours, theirs) = MemoryStream::pair();
        let holder = Holder::default();
        // Its own address is what the instance that takes it sees itself as.
        self.enter(&mut hall, Stream::memory(theirs, peer, peer), self.0.shared.then(|| holder.clone()), None);
        Ok((ours, holder))
    }

    /// A connection that the instance had which `activity` tells of arrives for another one.
    pub(super) fn arrive_again(&self, stream: Stream, holder: Option<Holder>, activity: &Arc<Activity>) {
        if let Some(holder) = &holder {
            holder.set(None);
        }
        let mut hall = self.lock();
        let left = hall.seats.iter().find(|seat| Arc::ptr_eq(&seat.activity, activity)).map(|seat| seat.number);
        self.enter(&mut hall, stream, holder, left);
    }

    fn enter(&self, hall: &mut Hall, stream: Stream, holder: Option<Holder>, left: Option<u64>) {
        hall.arrivals.push_back(Arrival { stream, since: Instant::now(), holder, left });
        hall.wake_one();
        self.0.arrived.notify_one();
    }

    /// Waits until an instance listens.
    pub async fn opened(&self) {
        loop {
            let opened = self.0.opened.notified();
            if self.listening() > 0 {
                return;
            }
            opened.await;
        }
    }

    /// How many instances listen.
    #[must_use]
    pub fn listening(&self) -> usize {
        self.lock().seats.len()
    }

    /// An instance computes, and requests that it has begun to answer wait for it.
    pub(super) fn hold_up(&self) {
        self.lock().held_up = true;
        self.0.arrived.notify_one();
    }

    /// Waits until a connection arrives, or requests are held up. For one caller at a time.
    pub async fn arrived(&self) {
        self.0.arrived.notified().await;
    }

    /// Whether somebody waits: connections here, or requests for an instance that computes.
    #[must_use]
    pub fn is_in_demand(&self) -> bool {
        let hall = self.lock();
        hall.held_up || !hall.arrivals.is_empty()
    }

    /// Whether no connection waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().arrivals.is_empty()
    }

    /// Whether another connection from outside should be taken.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.lock().arrivals.len() < self.0.room
    }

    /// Whether another connection is to be refused: as many wait as may, and nobody comes for them.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.is_full(&self.lock())
    }

    fn is_full(&self, hall: &Hall) -> bool {
        let waits_long = |arrival: &Arrival| arrival.since.elapsed() >= STALLED_AFTER;
        hall.arrivals.len() >= self.0.room && hall.arrivals.front().is_some_and(waits_long)
    }

    /// Takes the connections that have waited for `patience` away, to be [refused](Stream::refuse).
    #[must_use]
    pub fn overdue(&self, patience: Duration) -> Vec<Stream> {
        let mut hall = self.lock();
        let is_overdue = |arrival: &Arrival| arrival.since.elapsed() >= patience;
        let count = hall.arrivals.iter().take_while(|arrival| is_overdue(arrival)).count();
        hall.arrivals.drain(..count).map(|arrival| arrival.stream).collect()
    }

    /// Wakes instances for the connections that wait: whoever was woken before may have found something else to do.
    pub fn remind(&self) {
        let mut hall = self.lock();
        for _ in 0..hall.arrivals.len().min(hall.seats.len()) {
            hall.wake_one();
        }
        hall.seats.iter_mut().filter(|seat| seat.is_laden).for_each(Seat::wake);
    }

    /// Whether a connection has waited for `patience`, or requests were held up since the last look, and no instance waits.
    #[must_use]
    pub fn is_neglected(&self, patience: Duration) -> bool {
        let mut hall = self.lock();
        let long = hall.arrivals.front().is_some_and(|arrival| arrival.since.elapsed() >= patience);
        let held_up = std::mem::take(&mut hall.held_up);
        (long || held_up) && !hall.seats.iter().any(Seat::is_waiting)
    }

    /// Whether an instance waits that is not the one that `activity` tells of, and not needed for what waits here. How many
    /// connections it has says nothing: they may all be idle, and it is.
    pub(super) fn has_time_beside(&self, activity: &Arc<Activity>) -> bool {
        let hall = self.lock();
        let others = hall.seats.iter().filter(|seat| seat.is_waiting() && !Arc::ptr_eq(&seat.activity, activity));
        others.count() > hall.arrivals.len()
    }

    /// Ready where the instance at `seat` should accept a connection. One that is laden should once it has waited for a while.
    pub(super) fn poll(&self, seat: u64, is_laden: bool, cx: &mut Context<'_>) -> Poll<()> {
        let mut hall = self.lock();
        if is_laden && hall.puts_off(seat, cx.waker()) {
            return Poll::Pending;
        }
        if !hall.arrivals.is_empty() {
            match hall.rival(seat) {
                Some(rival) => rival.wake(),
                None => return Poll::Ready(()),
            }
        }
        if let Some(seat) = hall.seats.iter_mut().find(|it| it.number == seat) {
            seat.wait = Some(seat.activity.wait());
            seat.register(cx.waker());
        }
        Poll::Pending
    }

    /// A connection for the instance at `seat`, if one is there.
    pub(super) fn take(&self, number: u64, local: SocketAddr) -> io::Result<Stream> {
        let mut hall = self.lock();
        let hall = &mut *hall;
        if hall.arrivals.front().is_some_and(|arrival| arrival.left == Some(number))
            && let Some(rival) = hall.rival(number)
        {
            rival.wake();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let seat = hall.seats.iter_mut().find(|seat| seat.number == number).ok_or(io::ErrorKind::NotConnected)?;
        let wait = Some(seat.activity.wait());
        if self.0.shared && seat.took == wait {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Some(Arrival { stream, holder, .. }) = hall.arrivals.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        seat.took = wait;
        if let Some(holder) = &holder {
            holder.set(Some(seat.activity.clone()));
        }
        let back = self.0.shared.then(|| (self.clone(), holder));
        Ok(stream.taken(local, seat.activity.clone(), back))
    }

    /// The instance at `seat` listens no more. What waits is left to others, or to the next.
    pub(super) fn leave(&self, seat: u64) {
        let mut hall = self.lock();
        hall.seats.retain(|it| it.number != seat);
        if !hall.arrivals.is_empty() {
            hall.wake_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Hall> {
        self.0.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
