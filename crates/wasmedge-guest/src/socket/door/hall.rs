//! Who waits at a door: connections for an instance, and instances for a connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::Holder;
use crate::activity::Activity;
use crate::socket::stream::Stream;

/// Both, in the order in which they came.
#[derive(Default)]
pub(super) struct Hall {
    pub(super) arrivals: VecDeque<Arrival>,
    pub(super) seats: Vec<Seat>,
    pub(super) next_seat: u64,
    /// Whether requests were held up since the last look.
    pub(super) held_up: bool,
}

/// A connection that waits for an instance.
pub(super) struct Arrival {
    pub(super) stream: Stream,
    pub(super) since: Instant,
    pub(super) holder: Option<Holder>,
    /// The seat of the instance that had it before, which is the last one to get it back.
    pub(super) left: Option<u64>,
}

/// One instance's listener.
pub(super) struct Seat {
    pub(super) number: u64,
    pub(super) activity: Arc<Activity>,
    /// The wait in which it last looked for a connection and found none.
    pub(super) wait: Option<u64>,
    /// The wait before which it last took one.
    pub(super) took: Option<u64>,
    /// It has enough to do: it is to look again later.
    pub(super) is_laden: bool,
    pub(super) waker: Option<Waker>,
}

/// An instance that has enough to do takes a connection all the same when it has waited for so long.
const IDLE_AFTER: Duration = Duration::from_millis(5);

impl Hall {
    /// Wakes the one that the last connection is for, of those that are suspended at the door and not woken yet.
    pub(super) fn wake_one(&mut self) {
        let left = self.arrivals.back().and_then(|arrival| arrival.left);
        let suspended = self.seats.iter_mut().filter(|seat| seat.waker.is_some() && seat.is_waiting());
        if let Some(seat) = suspended.min_by_key(|seat| seat.rank(left)) {
            seat.wake();
        }
    }

    /// Has the instance at the seat `number`, which has enough to do, look again later; not where it only waits.
    pub(super) fn puts_off(&mut self, number: u64, waker: &Waker) -> bool {
        let Some(seat) = self.seats.iter_mut().find(|it| it.number == number) else { return false };
        seat.is_laden = seat.activity.waiting() < IDLE_AFTER;
        if seat.is_laden {
            seat.wait = None;
            seat.register(waker);
        }
        seat.is_laden
    }

    /// The one that waits here, too, and that the next connection is rather for than for the one at the seat `number`.
    pub(super) fn rival(&mut self, number: u64) -> Option<&mut Seat> {
        let left = self.arrivals.front().and_then(|arrival| arrival.left);
        let own = self.seats.iter().find(|seat| seat.number == number)?.rank(left);
        let others = self.seats.iter_mut().filter(|it| it.number != number && it.is_waiting());
        others.min_by_key(|it| it.rank(left)).filter(|it| it.rank(left) < own)
    }
}

impl Seat {
    /// Suspended until a connection arrives, or woken for one and about to look.
    pub(super) fn is_waiting(&self) -> bool {
        self.wait == Some(self.activity.wait())
    }

    /// The lowest gets a connection that `left` a seat: one with few connections, and last of all the one at that seat.
    fn rank(&self, left: Option<u64>) -> impl Ord + use<> {
        (left == Some(self.number), self.activity.connections())
    }

    pub(super) fn register(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&mut self) {
        self.is_laden = false;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
