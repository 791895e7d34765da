//! `poll_oneoff` and WasmEdge's edge-triggered `epoll_oneoff`.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::Caller;

use super::split;
use crate::errno::Errno;
use crate::memory::{Memory, at};
use crate::socket::{Direction, FIRST_SOCKET, SocketTable};
use crate::state::GuestState;

/// Maximum subscriptions of one call, more than any guest here has descriptors; bounds the copying.
const MAX_SUBSCRIPTIONS: u32 = 16_384;
const SUBSCRIPTION_SIZE: u32 = 48;
const EVENT_SIZE: u32 = 32;

#[derive(Clone, Copy)]
enum Interest {
    /// `None` lies too far ahead to be represented: never.
    Clock(Option<Instant>),
    Read(u32),
    Write(u32),
}

struct Subscription {
    userdata: u64,
    interest: Interest,
}

struct Event {
    userdata: u64,
    errno: u16,
    tag: u8,
}

/// Waits until at least one subscription is ready, then reports all that are.
pub(super) async fn poll(
    caller: &mut Caller<'_, GuestState>,
    subscriptions: u32,
    events: u32,
    count: u32,
    happened: u32,
    edge_triggered: bool,
) -> Result<(), Errno> {
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        return Err(Errno::INVAL);
    }
    let requested = {
        let (memory, state) = split(caller)?;
        memory.bytes(events, count.checked_mul(EVENT_SIZE).ok_or(Errno::FAULT)?)?;
        (0..count)
            .map(|index| read(&memory, state, at(subscriptions, index, SUBSCRIPTION_SIZE)?))
            .collect::<Result<Vec<_>, _>>()?
    };
    let deadline = requested
        .iter()
        .filter_map(|subscription| match subscription.interest {
            Interest::Clock(deadline) => deadline,
            _ => None,
        })
        .min();
    let mut timer = None;
    let ready = poll_fn(|cx| {
        let state = caller.data_mut();
        let ready = state.sockets.poll_until(cx, |sockets, cx| {
            let mut happened = |now, cx: &mut Context<'_>| -> Vec<_> {
                requested.iter().filter_map(|it| check(sockets, it, edge_triggered, now, cx)).collect()
            };
            let mut ready = happened(deadline.map(|_| Instant::now()), cx);
            if ready.is_empty()
                && let Some(deadline) = deadline
            {
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
                if timer.as_mut().poll(cx).is_ready() {
                    ready = happened(Some(Instant::now().max(deadline)), cx);
                }
            }
            (!ready.is_empty()).then_some(ready)
        });
        if ready.is_pending() {
            state.suspend();
        }
        ready
    })
    .await;
    caller.data_mut().resume();
    let (mut memory, _) = split(caller)?;
    for (index, event) in (0..).zip(&ready) {
        write(&mut memory, at(events, index, EVENT_SIZE)?, event)?;
    }
    memory.write_u32(happened, u32::try_from(ready.len()).map_err(|_| Errno::INVAL)?)
}

fn check(
    sockets: &mut SocketTable,
    subscription: &Subscription,
    edge_triggered: bool,
    now: Option<Instant>,
    cx: &mut Context<'_>,
) -> Option<Event> {
    let (tag, errno) = match subscription.interest {
        Interest::Clock(deadline) => (0, deadline.is_some_and(|deadline| now >= Some(deadline)).then_some(0)),
        Interest::Read(fd) => (1, readiness(sockets, fd, edge_triggered, Direction::Read, cx)),
        Interest::Write(fd) => (2, readiness(sockets, fd, edge_triggered, Direction::Write, cx)),
    };
    errno.map(|errno| Event { userdata: subscription.userdata, errno, tag })
}

/// Reports whether `fd` is ready: `Some` with an error number, or zero.
fn readiness(
    sockets: &mut SocketTable,
    fd: u32,
    edge_triggered: bool,
    direction: Direction,
    cx: &mut Context<'_>,
) -> Option<u16> {
    if fd < FIRST_SOCKET {
        // Files and standard streams are always ready.
        return Some(0);
    }
    match sockets.poll(fd, direction, cx) {
        Ok(Poll::Pending) => return None,
        Ok(Poll::Ready(())) => {}
        Err(errno) => return Some(errno.0),
    }
    let Ok(socket) = sockets.get_mut(fd) else { return Some(Errno::BADF.0) };
    let reported = match direction {
        Direction::Read => &mut socket.read_reported,
        Direction::Write => &mut socket.write_reported,
    };
    if edge_triggered && std::mem::replace(reported, true) {
        return None;
    }
    Some(0)
}

fn read(memory: &Memory<'_>, state: &GuestState, ptr: u32) -> Result<Subscription, Errno> {
    let userdata = memory.u64(ptr)?;
    let interest = match memory.u8(at(ptr, 1, 8)?)? {
        0 => {
            let clock = memory.u32(at(ptr, 2, 8)?)?;
            let timeout = Duration::from_nanos(memory.u64(at(ptr, 3, 8)?)?);
            let absolute = memory.u16(at(ptr, 5, 8)?)? & 1 != 0;
            Interest::Clock(deadline(state, clock, timeout, absolute)?)
        }
        1 => Interest::Read(memory.u32(at(ptr, 2, 8)?)?),
        2 => Interest::Write(memory.u32(at(ptr, 2, 8)?)?),
        _ => return Err(Errno::INVAL),
    };
    Ok(Subscription { userdata, interest })
}

fn deadline(state: &GuestState, clock: u32, timeout: Duration, absolute: bool) -> Result<Option<Instant>, Errno> {
    let now = Instant::now();
    match (clock, absolute) {
        (0 | 1, false) => Ok(now.checked_add(timeout)),
        (0, true) => {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Ok(now.checked_add(timeout.saturating_sub(since_epoch)))
        }
        (1, true) => Ok(state.started.checked_add(timeout)),
        _ => Err(Errno::INVAL),
    }
}

fn write(memory: &mut Memory<'_>, ptr: u32, event: &Event) -> Result<(), Errno> {
    let mut bytes = [0_u8; EVENT_SIZE as usize];
    let (head, tail) = bytes.split_at_mut(16);
    let fields = event.userdata.to_le_bytes().into_iter().chain(event.errno.to_le_bytes()).chain([event.tag]);
    head.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    // WasmEdge reports at least one byte; guests do not use the exact count.
    tail.iter_mut().zip(1_u64.to_le_bytes()).for_each(|(to, from)| *to = from);
    memory.write(ptr, &bytes)
}
