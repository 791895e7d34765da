//! Waiting on a socket that the guest left in blocking mode.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use wasmtime::Caller;

use crate::errno::Errno;
use crate::socket::Socket;
use crate::state::GuestState;

/// Which way a call waits.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Read,
    Write,
}

impl Direction {
    fn poll(self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Read => socket.poll_readable(cx),
            Self::Write => socket.poll_writable(cx),
        }
    }

    fn timeout(self, socket: &Socket) -> Option<Duration> {
        match self {
            Self::Read => socket.receive_timeout,
            Self::Write => socket.send_timeout,
        }
    }
}

/// Waits until `fd` is ready, where the guest wants its calls to wait: `EAGAIN` otherwise, and when the socket's
/// `SO_RCVTIMEO` or `SO_SNDTIMEO` has passed.
pub(super) async fn until_ready(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    direction: Direction,
) -> Result<(), Errno> {
    let socket = caller.data().sockets.get(fd)?;
    if socket.nonblocking {
        return Err(Errno::AGAIN);
    }
    let timeout = direction.timeout(socket);
    let ready = poll_fn(|cx| {
        let state = caller.data_mut();
        let Ok(socket) = state.sockets.get_mut(fd) else { return Poll::Ready(()) };
        let ready = direction.poll(socket, cx);
        if ready.is_pending() {
            state.activity.waits();
        }
        ready
    });
    let waited = match timeout {
        Some(timeout) => tokio::time::timeout(timeout, ready).await.map_err(|_| Errno::AGAIN),
        None => {
            ready.await;
            Ok(())
        }
    };
    caller.data().activity.goes_on();
    waited
}
