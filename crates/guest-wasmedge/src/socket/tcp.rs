//! A TCP connection of the operating system, with its known readiness.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use mio::event::Event;

/// A connection that never blocks.
pub(super) struct Tcp {
    stream: TcpStream,
    /// Readiness seen so far, once the connection is registered.
    seen: Option<Readiness>,
}

#[derive(Default)]
struct Readiness {
    readable: bool,
    writable: bool,
    /// The peer sends nothing more: reads never block again.
    ended: bool,
    /// The peer receives nothing more: writes never block again.
    broken: bool,
    /// A short read has shown that all available bytes were read. The next read fails without a system call, but the
    /// one after it asks the kernel: a guest may read again and again, and never wait.
    drained: bool,
}

impl Tcp {
    pub(super) fn new(stream: tokio::net::TcpStream) -> io::Result<Self> {
        Ok(Self { stream: stream.into_std()?, seen: None })
    }

    pub(super) fn into_tokio(self) -> io::Result<tokio::net::TcpStream> {
        tokio::net::TcpStream::from_std(self.stream)
    }

    pub(super) fn is_registered(&self) -> bool {
        self.seen.is_some()
    }

    pub(super) fn set_registered(&mut self) {
        self.seen = Some(Readiness::default());
    }

    pub(super) fn set_deregistered(&mut self) {
        self.seen = None;
    }

    pub(super) fn record_event(&mut self, event: &Event) {
        let Some(seen) = &mut self.seen else { return };
        seen.readable |= event.is_readable() || event.is_error();
        seen.writable |= event.is_writable() || event.is_error();
        seen.ended |= event.is_read_closed();
        seen.broken |= event.is_write_closed();
        seen.drained &= !seen.readable;
    }

    /// Returns whether a read would not block, as far as known.
    pub(super) fn is_readable(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.readable || seen.ended)
    }

    /// Returns whether a write would not block, as far as known.
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
        let read = retry_interrupted(|| self.stream.read(buffer));
        if let Some(seen) = &mut self.seen {
            seen.drained = matches!(read, Ok(count) if (1..buffer.len()).contains(&count));
            seen.readable &= !seen.drained && !would_block(&read);
        }
        read
    }

    pub(super) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry_interrupted(|| self.stream.peek(buffer))
    }

    pub(super) fn try_write(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = retry_interrupted(|| self.stream.write_vectored(buffers));
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

/// Repeats a call that a signal has interrupted.
fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
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
