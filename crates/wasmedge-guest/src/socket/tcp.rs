//! A TCP connection of the operating system, and what is known of it without asking.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use mio::event::Event;

/// A connection that never blocks.
pub(super) struct Tcp {
    stream: TcpStream,
    /// What has been seen of it, once it is watched.
    seen: Option<Seen>,
}

#[derive(Default)]
struct Seen {
    readable: bool,
    writable: bool,
    /// The peer sends nothing more: a read does not wait, for ever.
    ended: bool,
    /// Nobody takes anything more: nor does a write.
    broken: bool,
    /// All that was there was read, as a read that got less than it wanted has shown. Nobody asks the kernel again for the
    /// next read, but for the one after it: a guest may read again and again, and never wait.
    drained: bool,
}

impl Tcp {
    pub(super) fn new(stream: tokio::net::TcpStream) -> io::Result<Self> {
        Ok(Self { stream: stream.into_std()?, seen: None })
    }

    pub(super) fn into_tokio(self) -> io::Result<tokio::net::TcpStream> {
        tokio::net::TcpStream::from_std(self.stream)
    }

    pub(super) fn is_watched(&self) -> bool {
        self.seen.is_some()
    }

    pub(super) fn begin_watching(&mut self) {
        self.seen = Some(Seen::default());
    }

    pub(super) fn end_watching(&mut self) {
        self.seen = None;
    }

    pub(super) fn saw(&mut self, event: &Event) {
        let Some(seen) = &mut self.seen else { return };
        seen.readable |= event.is_readable() || event.is_error();
        seen.writable |= event.is_writable() || event.is_error();
        seen.ended |= event.is_read_closed();
        seen.broken |= event.is_write_closed();
        seen.drained &= !seen.readable;
    }

    /// Whether a read would not wait, as far as was seen.
    pub(super) fn is_readable(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.readable || seen.ended)
    }

    /// Whether a write would not wait, as far as was seen.
    pub(super) fn is_writable(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.writable || seen.broken)
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(seen) = &mut self.seen
            && std::mem::take(&mut seen.drained)
            && !seen.ended
        {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let read = retried(|| self.stream.read(buffer));
        if let Some(seen) = &mut self.seen {
            seen.drained = matches!(read, Ok(count) if (1..buffer.len()).contains(&count));
            seen.readable &= !seen.drained && !would_block(&read);
        }
        read
    }

    pub(super) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retried(|| self.stream.peek(buffer))
    }

    pub(super) fn try_write(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = retried(|| self.stream.write_vectored(buffers));
        if let Some(seen) = &mut self.seen {
            let all: usize = buffers.iter().map(|buffer| buffer.len()).sum();
            let is_full = would_block(&written) || written.as_ref().is_ok_and(|count| *count < all);
            seen.writable &= !is_full;
        }
        written
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.stream.shutdown(how)
    }
}

impl AsRawFd for Tcp {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

/// A call that a signal has interrupted is made again.
fn retried<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn would_block<T>(done: &io::Result<T>) -> bool {
    matches!(done, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
