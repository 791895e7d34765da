use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::{Direction, Family, Kind, Socket, SocketTable, Stream};

/// A guest's sockets, one of which is a TCP connection.
struct Guest {
    sockets: SocketTable,
    fd: u32,
}

impl Guest {
    /// Creates a guest and the peer of its connection.
    async fn connected() -> (Self, TcpStream) {
        let (near, far) = pair().await;
        let mut sockets = SocketTable::new(crate::descriptors::DescriptorBudget::new(8));
        let stream = Stream::tcp(near).unwrap();
        let fd = sockets.insert(Socket::new(Family::V4, Kind::Stream(stream))).unwrap();
        (Self { sockets, fd }, far)
    }

    fn poll(&mut self, direction: Direction, cx: &mut Context<'_>) -> Poll<()> {
        let fd = self.fd;
        self.sockets.poll_until(cx, |sockets, cx| sockets.poll(fd, direction, cx).unwrap().is_ready().then_some(()))
    }

    async fn ready(&mut self, direction: Direction) {
        let ready = poll_fn(|cx| self.poll(direction, cx));
        tokio::time::timeout(Duration::from_secs(30), ready).await.expect("to become ready");
    }

    fn is_ready(&mut self, direction: Direction) -> bool {
        self.poll(direction, &mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    /// Returns whether tokio waits on the guest's connections, so that events wake a thread.
    fn is_waited_for(&self) -> bool {
        self.sockets.watch.queue.as_ref().is_some_and(|queue| queue.waiting.is_some())
    }

    fn stream(&mut self) -> &mut Stream {
        self.sockets.get_mut(self.fd).unwrap().stream().unwrap()
    }

    /// Reads at most 16 bytes; `None` where the read would block.
    fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 16];
        match self.stream().try_read(&mut buffer) {
            Ok(count) => Some(buffer[..count].to_vec()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                None
            }
        }
    }
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, far)
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn connection_is_readable_while_bytes_are_left() {
    let (mut guest, mut far) = Guest::connected().await;
    assert!(!guest.is_ready(Direction::Read));
    for said in ["one", "sixteen bytes...and some more"] {
        far.write_all(said.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        while read.len() < said.len() {
            guest.ready(Direction::Read).await;
            read.extend(guest.read().unwrap_or_default());
        }
        assert_eq!(String::from_utf8(read).unwrap(), said);
        assert_eq!(guest.read(), None);
        assert!(!guest.is_ready(Direction::Read));
    }
}

#[tokio::test]
async fn bytes_from_before_registration_are_seen() {
    let (mut guest, mut far) = Guest::connected().await;
    far.write_all(b"early").await.unwrap();
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"early");
}

#[tokio::test]
async fn end_together_with_the_last_bytes_is_seen() {
    let (mut guest, mut far) = Guest::connected().await;
    assert!(!guest.is_ready(Direction::Read));
    far.write_all(b"last").await.unwrap();
    drop(far);
    // Wait until the bytes have arrived.
    let mut peeked = [0; 8];
    while guest.stream().try_peek(&mut peeked).is_err() {
        tokio::task::yield_now().await;
    }
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"last");
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"");
}

#[tokio::test]
async fn reading_without_waiting_gets_new_bytes() {
    let (mut guest, mut far) = Guest::connected().await;
    far.write_all(b"one").await.unwrap();
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"one");
    far.write_all(b"two").await.unwrap();
    let read = std::iter::repeat_with(|| guest.read()).take(1_000_000).flatten().next();
    assert_eq!(read.unwrap(), b"two");
}

#[tokio::test]
async fn full_connection_is_not_writable_until_peer_reads() {
    let (mut guest, mut far) = Guest::connected().await;
    guest.ready(Direction::Write).await;
    let block = vec![7; 1 << 16];
    let mut written = 0;
    while let Ok(count) = guest.stream().try_write(&[IoSlice::new(&block)]) {
        written += count;
    }
    assert!(!guest.is_ready(Direction::Write));
    let mut left = vec![0; written];
    let read = tokio::spawn(async move { far.read_exact(&mut left).await.map(|_| far) });
    guest.ready(Direction::Write).await;
    let _far = read.await.unwrap().unwrap();
    assert!(guest.stream().try_write(&[IoSlice::new(&block)]).is_ok());
}

#[tokio::test]
async fn request_wakes_suspended_guest_only() {
    let (mut guest, mut far) = Guest::connected().await;
    let woken = Arc::new(Woken::default());
    let waker = woken.clone().into();
    let times_woken = || woken.0.load(Ordering::Relaxed);

    assert!(guest.poll(Direction::Read, &mut Context::from_waker(&waker)).is_pending());
    assert!(guest.is_waited_for());
    far.write_all(b"one").await.unwrap();
    while times_woken() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(guest.poll(Direction::Read, &mut Context::from_waker(&waker)).is_ready());
    let before = times_woken();
    assert!(!guest.is_waited_for());

    far.write_all(b"two").await.unwrap();
    // Had tokio heard of this connection, that would have been before it heard of the other one.
    let (mut other, mut far_from_other) = pair().await;
    far_from_other.write_all(b"x").await.unwrap();
    assert_eq!(other.read(&mut [0]).await.unwrap(), 1);
    assert_eq!(times_woken(), before);
    assert_eq!(guest.read().unwrap(), b"onetwo");
}

#[tokio::test]
async fn guest_woken_for_another_reason_stops_waiting() {
    let (mut guest, _far) = Guest::connected().await;
    assert!(!guest.is_ready(Direction::Read));
    assert!(guest.is_waited_for());
    assert!(guest.is_ready(Direction::Write));
    assert!(!guest.is_waited_for());
}

#[tokio::test]
async fn closed_connection_is_deregistered_and_index_reused() {
    let (mut guest, mut far) = Guest::connected().await;
    assert!(!guest.is_ready(Direction::Read));
    guest.sockets.close(guest.fd).unwrap();
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);

    let (near, mut far) = pair().await;
    let stream = Kind::Stream(Stream::tcp(near).unwrap());
    assert_eq!(guest.sockets.insert(Socket::new(Family::V4, stream)), Ok(guest.fd));
    assert!(!guest.is_ready(Direction::Read));
    far.write_all(b"new").await.unwrap();
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"new");
}
