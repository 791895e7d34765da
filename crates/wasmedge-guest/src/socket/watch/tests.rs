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
    /// With somebody at the other end.
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

    /// Whether tokio is told of the guest's connections, so that a thread is woken for what happens on them.
    fn is_waited_for(&self) -> bool {
        self.sockets.watch.queue.as_ref().is_some_and(|queue| queue.waiting.is_some())
    }

    fn stream(&mut self) -> &mut Stream {
        self.sockets.get_mut(self.fd).unwrap().stream().unwrap()
    }

    /// What a read of at most 16 bytes gives: nothing where it would wait.
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
async fn a_connection_is_readable_from_the_first_byte_to_the_last_and_again_with_the_next() {
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
async fn what_arrived_before_it_was_watched_is_seen() {
    let (mut guest, mut far) = Guest::connected().await;
    far.write_all(b"early").await.unwrap();
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"early");
}

#[tokio::test]
async fn an_end_that_comes_with_the_last_bytes_is_not_lost() {
    let (mut guest, mut far) = Guest::connected().await;
    assert!(!guest.is_ready(Direction::Read));
    far.write_all(b"last").await.unwrap();
    drop(far);
    // Nothing is looked at before they are there.
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
async fn who_reads_again_and_again_and_never_waits_gets_what_arrives() {
    let (mut guest, mut far) = Guest::connected().await;
    far.write_all(b"one").await.unwrap();
    guest.ready(Direction::Read).await;
    assert_eq!(guest.read().unwrap(), b"one");
    far.write_all(b"two").await.unwrap();
    let read = std::iter::repeat_with(|| guest.read()).take(1_000_000).flatten().next();
    assert_eq!(read.unwrap(), b"two");
}

#[tokio::test]
async fn a_connection_that_takes_nothing_more_is_not_writable_until_somebody_reads() {
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
async fn a_request_wakes_a_guest_that_waits_and_nobody_while_it_goes_on() {
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
    // What tokio hears of another connection later it would have heard of this one before.
    let (mut other, mut far_from_other) = pair().await;
    far_from_other.write_all(b"x").await.unwrap();
    assert_eq!(other.read(&mut [0]).await.unwrap(), 1);
    assert_eq!(times_woken(), before);
    assert_eq!(guest.read().unwrap(), b"onetwo");
}

#[tokio::test]
async fn a_guest_that_goes_on_for_another_reason_is_not_waited_for_either() {
    let (mut guest, _far) = Guest::connected().await;
    assert!(!guest.is_ready(Direction::Read));
    assert!(guest.is_waited_for());
    assert!(guest.is_ready(Direction::Write));
    assert!(!guest.is_waited_for());
}

#[tokio::test]
async fn a_connection_that_was_closed_is_watched_no_more_and_its_place_is_another_ones() {
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
