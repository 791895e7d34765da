//! Waits on sockets in blocking mode.

use std::future::poll_fn;
use std::task::Poll;

use wasmtime::Caller;

use crate::errno::Errno;
use crate::socket::Direction;
use crate::state::GuestState;

/// Waits until a blocking `fd` is ready.
///
/// Returns `EAGAIN` for a non-blocking socket, and when `SO_RCVTIMEO` or `SO_SNDTIMEO` has passed.
pub(super) async fn until_ready(
    caller: &mut Caller<'_, GuestState>,
    fd: u32,
    direction: Direction,
) -> Result<(), Errno> {
    let socket = caller.data().sockets.get(fd)?;
    if socket.nonblocking {
        return Err(Errno::AGAIN);
    }
    let timeout = match direction {
        Direction::Read => socket.receive_timeout,
        Direction::Write => socket.send_timeout,
    };
    let ready = poll_fn(|cx| {
        let state = caller.data_mut();
        let is_ready = |polled: Result<Poll<()>, Errno>| polled.map_or(true, |ready| ready.is_ready());
        let ready = state.sockets.poll_until(cx, |sockets, cx| is_ready(sockets.poll(fd, direction, cx)).then_some(()));
        if ready.is_pending() {
            state.suspend();
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
    caller.data_mut().resume();
    waited
}
