//! A connection inside the process: two bounded byte queues, one for each direction.
//!
//! One end belongs to a guest, which polls for readiness and then reads or writes without blocking; the other is an
//! ordinary asynchronous byte stream for the host. When a queue is full the writer waits, as on a TCP connection whose
//! peer does not read.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes buffered in one direction before its writer waits; about Linux's default for loopback.
pub(crate) const CAPACITY: usize = 256 * 1024;

/// Capacity above which an empty queue frees its memory, in bytes.
const MAX_IDLE_CAPACITY: usize = 16 * 1024;

#[derive(Default)]
struct Queue {
    bytes: VecDeque<u8>,
    /// The writer is done: the queued bytes are the last.
    finished: bool,
    /// The reader is gone: writing more is an error.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Default)]
struct Direction(Mutex<Queue>);

impl Direction {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A queue is consistent between any two statements here, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self) {
        let mut queue = self.lock();
        queue.finished = true;
        wake(queue.reader.take());
    }

    fn abandon(&self) {
        let mut queue = self.lock();
        queue.abandoned = true;
        queue.bytes = VecDeque::new();
        wake(queue.writer.take());
    }

    fn read(&self, buffer: &mut [u8], waiting: Option<&Waker>) -> io::Result<usize> {
        let mut queue = self.lock();
        if queue.bytes.is_empty() && !buffer.is_empty() {
            if queue.finished || queue.abandoned {
                return Ok(0);
            }
            register(&mut queue.reader, waiting);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut taken = 0;
        // A ring buffer lies in at most two pieces.
        for _ in 0..2 {
            let Some(rest) = buffer.get_mut(taken..) else { break };
            taken += io::Read::read(&mut queue.bytes, rest)?;
        }
        if queue.bytes.is_empty() && queue.bytes.capacity() > MAX_IDLE_CAPACITY {
            queue.bytes = VecDeque::new();
        }
        let writer = queue.writer.take();
        drop(queue);
        wake(writer);
        Ok(taken)
    }

    fn write(&self, bytes: &[u8], waiting: Option<&Waker>) -> io::Result<usize> {
        let mut queue = self.lock();
        if queue.abandoned || queue.finished {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = CAPACITY.saturating_sub(queue.bytes.len());
        if room == 0 && !bytes.is_empty() {
            register(&mut queue.writer, waiting);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let accepted = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        queue.bytes.extend(accepted);
        let reader = queue.reader.take();
        drop(queue);
        wake(reader);
        Ok(accepted.len())
    }
}

fn register(slot: &mut Option<Waker>, waiting: Option<&Waker>) {
    if let Some(waker) = waiting {
        match slot {
            Some(known) => known.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// One end of a connection inside the process.
pub struct MemoryStream {
    incoming: Arc<Direction>,
    outgoing: Arc<Direction>,
}

impl MemoryStream {
    /// Creates both ends of a new connection.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (there, back) = (Arc::<Direction>::default(), Arc::<Direction>::default());
        (Self { incoming: there.clone(), outgoing: back.clone() }, Self { incoming: back, outgoing: there })
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.incoming.read(buffer, None)
    }

    pub(crate) fn try_peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let queue = self.incoming.lock();
        if queue.bytes.is_empty() && !queue.finished {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(buffer.iter_mut().zip(&queue.bytes).map(|(to, from)| *to = *from).count())
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.write(bytes, None)
    }

    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut queue = self.incoming.lock();
        if !queue.bytes.is_empty() || queue.finished || queue.abandoned {
            return Poll::Ready(());
        }
        register(&mut queue.reader, Some(cx.waker()));
        Poll::Pending
    }

    pub(crate) fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut queue = self.outgoing.lock();
        if queue.bytes.len() < CAPACITY || queue.finished || queue.abandoned {
            return Poll::Ready(());
        }
        register(&mut queue.writer, Some(cx.waker()));
        Poll::Pending
    }

    pub(crate) fn shutdown_read(&self) {
        self.incoming.abandon();
    }

    pub(crate) fn shutdown_write(&self) {
        self.outgoing.finish();
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        self.incoming.abandon();
        self.outgoing.finish();
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.incoming.read(buffer.initialize_unfilled(), Some(cx.waker())) {
            Ok(count) => {
                buffer.advance(count);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.outgoing.write(bytes, Some(cx.waker())) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            done => Poll::Ready(done),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.finish();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn bytes_arrive_in_order_and_the_end_is_seen() {
        let (guest, mut host) = MemoryStream::pair();
        host.write_all(b"one two").await.unwrap();
        let mut buffer = [0; 3];
        assert_eq!(guest.try_read(&mut buffer).unwrap(), 3);
        assert_eq!(&buffer, b"one");
        drop(host);
        let mut rest = [0; 16];
        assert_eq!(guest.try_read(&mut rest).unwrap(), 4);
        assert_eq!(guest.try_read(&mut rest).unwrap(), 0);
        assert_eq!(guest.try_write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn full_queue_blocks_writer_until_reader_reads() {
        let (guest, mut host) = MemoryStream::pair();
        assert_eq!(guest.try_write(&vec![7; CAPACITY + 1]).unwrap(), CAPACITY);
        assert_eq!(guest.try_write(b"x").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut all = vec![0; CAPACITY];
        host.read_exact(&mut all).await.unwrap();
        std::future::poll_fn(|cx| guest.poll_writable(cx)).await;
        assert_eq!(guest.try_write(b"x").unwrap(), 1);
    }
}
