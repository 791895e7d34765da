use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::super::{Direction, Family, Kind, Socket, SocketTable};
use super::*;

/// Counts wake-ups of an instance.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An instance, simulated by the test.
struct Instance {
    listener: Listener,
    activity: Arc<Activity>,
    woken: Arc<Woken>,
    held: Vec<Stream>,
}

impl Instance {
    fn at(queue: &AcceptQueue) -> Self {
        let activity = Arc::<Activity>::default();
        let listener = queue.listener(address(), &activity);
        Self { listener, activity, woken: Arc::default(), held: Vec::new() }
    }

    /// Suspends the instance; returns whether a connection is ready for it.
    fn suspend(&mut self) -> bool {
        let waker = self.woken.clone().into();
        let ready = self.listener.poll_readable(&mut Context::from_waker(&waker)).is_ready();
        if ready {
            self.activity.resume();
        } else {
            self.activity.suspend();
        }
        ready
    }

    /// Accepts as many connections as the queue gives before the next suspension.
    fn accepts(&mut self) -> usize {
        let before = self.held.len();
        while let Ok(stream) = self.listener.try_accept() {
            self.held.push(stream);
        }
        self.held.len() - before
    }

    /// The periodic check while an instance is busy.
    fn check_busy(&mut self) {
        for stream in &mut self.held {
            if stream.can_be_handed_over() {
                stream.hand_over();
            }
        }
    }

    /// Runs an instance without other work after a wake-up.
    fn turn(&mut self) {
        while self.suspend() {
            self.accepts();
        }
    }

    fn times_woken(&self) -> usize {
        self.woken.0.load(Ordering::Relaxed)
    }
}

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

fn arrive(queue: &AcceptQueue, count: usize) -> Vec<(MemoryStream, ConnectionOwner)> {
    (0..count).map(|_| queue.connect(address()).unwrap()).collect()
}

#[test]
fn connections_are_spread_over_instances_that_wait() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!first.suspend() && !second.suspend());
    let _kept = arrive(&queue, 8);
    while !queue.is_empty() {
        first.turn();
        second.turn();
    }
    assert_eq!((first.activity.connections(), second.activity.connections()), (4, 4));
}

#[test]
fn busy_instance_is_not_woken_and_another_accepts() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!first.suspend() && !second.suspend());
    // The first instance got other work and is busy now.
    first.activity.resume();
    let _kept = arrive(&queue, 1);
    assert_eq!((first.times_woken(), second.times_woken()), (0, 1));
    assert!(!queue.needs_scale_up(Duration::ZERO), "the second is about to take it");
    assert!(second.suspend() && second.accepts() == 1);
}

#[test]
fn connection_not_accepted_in_time_goes_to_another() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!first.suspend() && !second.suspend());
    let _kept = arrive(&queue, 1);
    let (woken, other) = if first.times_woken() > 0 { (first, &mut second) } else { (second, &mut first) };
    // The woken instance gets other work and is busy for long.
    woken.activity.resume();
    queue.wake_waiters();
    assert_eq!(other.times_woken(), 1);
    assert!(other.suspend() && other.accepts() == 1);
}

#[test]
fn instance_accepts_one_at_a_time_unless_it_is_alone() {
    for (instances, expected) in [(1, 5), (2, 1)] {
        let queue = AcceptQueue::new(instances);
        let mut only = Instance::at(&queue);
        assert!(!only.suspend());
        let _kept = arrive(&queue, 5);
        assert!(only.suspend());
        assert_eq!(only.accepts(), expected);
    }
}

#[test]
fn unaccepted_connections_need_scale_up_and_survive() {
    let queue = AcceptQueue::new(2);
    assert!(queue.connect(address()).is_err(), "nobody listens yet");
    let mut first = Instance::at(&queue);
    assert!(!first.suspend());
    first.activity.resume();
    let _kept = arrive(&queue, 1);
    assert!(queue.needs_scale_up(Duration::ZERO) && !queue.needs_scale_up(Duration::from_secs(60)));
    drop(first);
    assert_eq!(queue.listener_count(), 0);
    let mut next = Instance::at(&queue);
    assert!(next.suspend() && next.accepts() == 1);
    assert!(queue.is_empty());
}

#[test]
fn connection_reports_busy_owner_and_counts_until_closed() {
    let queue = AcceptQueue::new(2);
    let mut only = Instance::at(&queue);
    let (_stream, owner) = queue.connect(address()).unwrap();
    assert_eq!(owner.busy_for(), Duration::ZERO);
    only.turn();
    assert_eq!(owner.busy_for(), Duration::ZERO, "it is idle");
    only.activity.resume();
    std::thread::sleep(Duration::from_millis(1));
    assert!(owner.busy_for() > Duration::ZERO);
    only.held.clear();
    assert_eq!((only.activity.connections(), only.activity.accepted()), (0, 1));
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Sends a request on the connection.
fn ask(theirs: &MemoryStream) {
    assert_eq!(theirs.try_write(REQUEST).unwrap(), REQUEST.len());
}

fn reads(stream: &mut Stream) -> usize {
    stream.try_read(&mut [0; 64]).unwrap()
}

fn respond(stream: &mut Stream) {
    assert_eq!(reads(stream), REQUEST.len());
    let (head, body) = RESPONSE.split_at(RESPONSE.len() - 2);
    stream.try_write(&[io::IoSlice::new(head), io::IoSlice::new(body)]).unwrap();
}

#[test]
fn keep_alive_request_moves_away_from_busy_instance() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!first.suspend());
    let (theirs, owner) = queue.connect(address()).unwrap();
    first.turn();
    for _ in 0..2 {
        ask(&theirs);
        respond(&mut first.held[0]);
        assert!(!second.suspend());
        first.activity.resume();
        first.check_busy();
        assert!(queue.is_empty(), "no request is pending");
    }
    ask(&theirs);
    first.check_busy();
    assert_eq!((queue.is_empty(), first.activity.connections(), second.times_woken()), (false, 0, 1));
    second.turn();
    assert_eq!(second.activity.connections(), 1);
    std::thread::sleep(Duration::from_millis(1));
    assert_eq!(owner.busy_for(), Duration::ZERO, "it is the idle second instance's");
    respond(&mut second.held[0]);
    let mut all = [0; 256];
    let count = theirs.try_read(&mut all).unwrap();
    assert_eq!(String::from_utf8_lossy(&all[..count]).matches("HTTP/1.1 200 OK").count(), 3);
    // To the first instance the connection has ended.
    assert_eq!(reads(&mut first.held[0]), 0);
    assert_eq!(first.held[0].try_write(&[io::IoSlice::new(b"x")]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(first.held[0].poll_readable(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn started_closed_or_only_connection_stays() {
    for (instances, started, ended) in [(2, true, false), (2, false, true), (1, false, false)] {
        let queue = AcceptQueue::new(instances);
        let mut first = Instance::at(&queue);
        assert!(!first.suspend());
        let (theirs, _holder) = queue.connect(address()).unwrap();
        first.turn();
        if started {
            ask(&theirs);
            reads(&mut first.held[0]);
        }
        if ended {
            drop(theirs);
        } else {
            ask(&theirs);
        }
        first.check_busy();
        assert!(queue.is_empty());
        assert_eq!(first.activity.connections(), 1);
    }
}

/// Returns whether the guest's table reports the connection as readable.
fn may_read(table: &mut SocketTable, fd: u32) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    table.poll(fd, Direction::Read, cx).unwrap().is_ready()
}

/// Moves an instance's accepted connections into a guest's table and marks it busy.
fn busy_guest(instance: &mut Instance) -> (SocketTable, Vec<u32>) {
    let mut table = SocketTable::new(crate::descriptors::DescriptorBudget::new(9));
    let sockets = instance.held.drain(..).map(|stream| Socket::new(Family::V4, Kind::Stream(stream)));
    let fds = sockets.map(|socket| table.insert(socket).unwrap()).collect();
    instance.activity.resume();
    (table, fds)
}

fn respond_from_table(table: &mut SocketTable, fd: u32) {
    table.get_mut(fd).unwrap().stream().unwrap().try_write(&[io::IoSlice::new(RESPONSE)]).unwrap();
}

#[test]
fn contending_connection_moves_to_idle_instance() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!second.suspend());
    let _idle = arrive(&queue, 4);
    second.turn();
    second.activity.resume();
    assert!(!first.suspend());
    let peers = arrive(&queue, 3);
    first.turn();
    assert!(!second.suspend());
    let (mut table, fds) = busy_guest(&mut first);
    // The third has no request.
    let asked = &fds[..2];
    for (peer, fd) in peers.iter().zip(asked) {
        ask(&peer.0);
        assert_eq!(reads(table.get_mut(*fd).unwrap().stream().unwrap()), REQUEST.len());
    }
    table.hand_over();
    assert!(asked.iter().all(|fd| !may_read(&mut table, *fd)) && queue.is_empty(), "neither has a response yet");
    for fd in asked {
        respond_from_table(&mut table, *fd);
    }
    let woken = second.times_woken();
    // The instance polls everything, its listener included.
    assert!(!first.suspend());
    let ended: Vec<bool> = fds.iter().map(|fd| may_read(&mut table, *fd)).collect();
    assert_eq!(ended, [false, true, false], "one goes, and the other one is alone then");
    assert_eq!(first.accepts(), 0);
    first.turn();
    assert_eq!((first.held.len(), second.times_woken()), (0, woken + 1), "it is for the other instance");
    second.turn();
    assert_eq!((first.activity.connections(), second.activity.connections()), (2, 5));
    // Connections that were not blocked since then stay, though the second instance is idle.
    assert!(![fds[0], fds[2]].iter().any(|fd| may_read(&mut table, *fd)) && queue.is_empty());
}

#[test]
fn contending_connection_moves_with_its_next_request() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!first.suspend());
    let peers = arrive(&queue, 2);
    first.turn();
    assert!(!second.suspend());
    let (mut table, fds) = busy_guest(&mut first);
    for ((peer, _), fd) in peers.iter().zip(&fds) {
        ask(peer);
        assert_eq!(reads(table.for_reading(*fd).unwrap().stream().unwrap()), REQUEST.len());
    }
    table.hand_over();
    for ((peer, _), fd) in peers.iter().zip(&fds) {
        respond_from_table(&mut table, *fd);
        ask(peer);
    }
    let read: Vec<usize> = fds.iter().map(|fd| reads(table.for_reading(*fd).unwrap().stream().unwrap())).collect();
    assert_eq!(read, [REQUEST.len(), 0], "to the first instance the second connection looks closed");
    // The previous instance gets it back only while the others are busy.
    assert!(!first.suspend());
    second.activity.resume();
    first.turn();
    assert_eq!(first.held.len(), 1);
    assert_eq!(reads(&mut first.held[0]), REQUEST.len());
}

#[test]
fn no_more_contending_connections_move_than_idle_instances() {
    let queue = AcceptQueue::new(2);
    let (mut first, mut second) = (Instance::at(&queue), Instance::at(&queue));
    assert!(!first.suspend());
    let peers = arrive(&queue, 4);
    first.turn();
    let (mut table, fds) = busy_guest(&mut first);
    for idle in [false, true] {
        for ((peer, _), fd) in peers.iter().zip(&fds) {
            ask(peer);
            assert_eq!(reads(table.get_mut(*fd).unwrap().stream().unwrap()), REQUEST.len());
        }
        table.hand_over();
        for fd in &fds {
            respond_from_table(&mut table, *fd);
        }
        assert!(!second.suspend(), "nothing is there for it yet");
        if !idle {
            second.activity.resume();
        }
        let gone = fds.iter().filter(|fd| may_read(&mut table, **fd)).count();
        assert_eq!(gone, usize::from(idle));
    }
}

#[test]
fn busy_instance_with_several_requests_needs_scale_up() {
    for (asked, wanted) in [(1, false), (2, true)] {
        let queue = AcceptQueue::new(2);
        let mut only = Instance::at(&queue);
        assert!(!only.suspend());
        let peers = arrive(&queue, 2);
        only.turn();
        let mut table = SocketTable::new(crate::descriptors::DescriptorBudget::new(9));
        for ((peer, _), mut stream) in peers.iter().zip(only.held.drain(..)).take(asked) {
            ask(peer);
            assert_eq!(reads(&mut stream), REQUEST.len());
            table.insert(Socket::new(Family::V4, Kind::Stream(stream))).unwrap();
        }
        only.activity.resume();
        table.hand_over();
        assert_eq!((queue.has_demand(), queue.needs_scale_up(Duration::from_secs(60))), (wanted, wanted));
        assert!(!queue.has_demand(), "until the next time");
    }
}

#[test]
fn unaccepted_connection_is_overdue() {
    let queue = AcceptQueue::with_capacity(1, 1);
    let address = "127.0.0.1:80".parse().unwrap();
    let _acceptor = queue.listener(address, &Arc::default());
    let _client = queue.connect(address).unwrap();
    assert!(!queue.has_capacity() && !queue.is_overloaded());
    assert!(queue.take_overdue(Duration::from_secs(60)).is_empty());
    assert_eq!(queue.take_overdue(Duration::ZERO).len(), 1);
    assert!(queue.has_capacity());
}

#[test]
fn saturated_instance_accepts_once_idle() {
    let queue = AcceptQueue::new(2);
    let address = "127.0.0.1:80".parse().unwrap();
    let activity = Arc::<Activity>::default();
    let acceptor = queue.listener(address, &activity);
    let number = queue.lock().acceptors[0].number;
    let _client = queue.connect(address).unwrap();
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(queue.poll(number, false, &mut cx).is_ready());
    assert!(queue.poll(number, true, &mut cx).is_pending());
    assert!(queue.needs_scale_up(Duration::ZERO), "another one is needed");
    queue.wake_waiters();
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    activity.suspend();
    let begin = Instant::now();
    while queue.poll(number, true, &mut cx).is_pending() {
        assert!(begin.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
    drop(acceptor);
}
