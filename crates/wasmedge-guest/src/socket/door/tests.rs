use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::super::{Direction, Family, Kind, Socket, SocketTable};
use super::*;

/// Counts how often an instance is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An instance, played by the test.
struct Instance {
    listener: Listener,
    activity: Arc<Activity>,
    woken: Arc<Woken>,
    held: Vec<Stream>,
}

impl Instance {
    fn at(door: &Door) -> Self {
        let activity = Arc::<Activity>::default();
        let listener = door.listener(address(), &activity);
        Self { listener, activity, woken: Arc::default(), held: Vec::new() }
    }

    /// Begins or goes on to wait; gives whether a connection is there for it.
    fn waits(&mut self) -> bool {
        let waker = self.woken.clone().into();
        let ready = self.listener.poll_readable(&mut Context::from_waker(&waker)).is_ready();
        if ready {
            self.activity.goes_on();
        } else {
            self.activity.waits();
        }
        ready
    }

    /// Takes as many connections as it is given before its next wait.
    fn accepts(&mut self) -> usize {
        let before = self.held.len();
        while let Ok(stream) = self.listener.try_accept() {
            self.held.push(stream);
        }
        self.held.len() - before
    }

    /// What happens from time to time while an instance computes.
    fn computes(&mut self) {
        for stream in &mut self.held {
            if stream.can_be_handed_over() {
                stream.hand_over();
            }
        }
    }

    /// What an instance without other work does when it is woken.
    fn turn(&mut self) {
        while self.waits() {
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

fn arrive(door: &Door, count: usize) -> Vec<(MemoryStream, Holder)> {
    (0..count).map(|_| door.connect(address()).unwrap()).collect()
}

#[test]
fn connections_are_spread_over_instances_that_wait() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!first.waits() && !second.waits());
    let _kept = arrive(&door, 8);
    while !door.is_empty() {
        first.turn();
        second.turn();
    }
    assert_eq!((first.activity.connections(), second.activity.connections()), (4, 4));
}

#[test]
fn who_computes_is_not_woken_and_another_takes_the_connection() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!first.waits() && !second.waits());
    // Something else has happened, and it computes now.
    first.activity.goes_on();
    let _kept = arrive(&door, 1);
    assert_eq!((first.times_woken(), second.times_woken()), (0, 1));
    assert!(!door.is_neglected(Duration::ZERO), "the second is about to take it");
    assert!(second.waits() && second.accepts() == 1);
}

#[test]
fn a_connection_that_its_instance_does_not_come_for_goes_to_another() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!first.waits() && !second.waits());
    let _kept = arrive(&door, 1);
    let (woken, other) = if first.times_woken() > 0 { (first, &mut second) } else { (second, &mut first) };
    // Its wait ends with something else, and it computes for long.
    woken.activity.goes_on();
    door.remind();
    assert_eq!(other.times_woken(), 1);
    assert!(other.waits() && other.accepts() == 1);
}

#[test]
fn an_instance_takes_one_connection_at_a_time_where_there_may_be_others_and_all_where_there_are_none() {
    for (instances, expected) in [(1, 5), (2, 1)] {
        let door = Door::new(instances);
        let mut only = Instance::at(&door);
        assert!(!only.waits());
        let _kept = arrive(&door, 5);
        assert!(only.waits());
        assert_eq!(only.accepts(), expected);
    }
}

#[test]
fn connections_that_nobody_comes_for_are_neglected_and_survive_their_instance() {
    let door = Door::new(2);
    assert!(door.connect(address()).is_err(), "nobody listens yet");
    let mut first = Instance::at(&door);
    assert!(!first.waits());
    first.activity.goes_on();
    let _kept = arrive(&door, 1);
    assert!(door.is_neglected(Duration::ZERO) && !door.is_neglected(Duration::from_secs(60)));
    drop(first);
    assert_eq!(door.listening(), 0);
    let mut next = Instance::at(&door);
    assert!(next.waits() && next.accepts() == 1);
    assert!(door.is_empty());
}

#[test]
fn a_connection_tells_whether_who_holds_it_computes_and_is_counted_until_it_closes() {
    let door = Door::new(2);
    let mut only = Instance::at(&door);
    let (_stream, holder) = door.connect(address()).unwrap();
    assert_eq!(holder.computing(), Duration::ZERO);
    only.turn();
    assert_eq!(holder.computing(), Duration::ZERO, "it waits");
    only.activity.goes_on();
    std::thread::sleep(Duration::from_millis(1));
    assert!(holder.computing() > Duration::ZERO);
    only.held.clear();
    assert_eq!((only.activity.connections(), only.activity.accepted()), (0, 1));
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Sends a request, which the last connection of `instance` has then.
fn ask(theirs: &MemoryStream) {
    assert_eq!(theirs.try_write(REQUEST).unwrap(), REQUEST.len());
}

fn reads(stream: &mut Stream) -> usize {
    stream.try_read(&mut [0; 64]).unwrap()
}

fn answers(stream: &mut Stream) {
    assert_eq!(reads(stream), REQUEST.len());
    let (head, body) = ANSWER.split_at(ANSWER.len() - 2);
    stream.try_write(&[io::IoSlice::new(head), io::IoSlice::new(body)]).unwrap();
}

#[test]
fn a_request_on_an_open_connection_goes_to_another_instance_when_its_own_computes() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!first.waits());
    let (theirs, holder) = door.connect(address()).unwrap();
    first.turn();
    for _ in 0..2 {
        ask(&theirs);
        answers(&mut first.held[0]);
        assert!(!second.waits());
        first.activity.goes_on();
        first.computes();
        assert!(door.is_empty(), "nothing is asked");
    }
    ask(&theirs);
    first.computes();
    assert_eq!((door.is_empty(), first.activity.connections(), second.times_woken()), (false, 0, 1));
    second.turn();
    assert_eq!(second.activity.connections(), 1);
    std::thread::sleep(Duration::from_millis(1));
    assert_eq!(holder.computing(), Duration::ZERO, "it is the second's, which waits");
    answers(&mut second.held[0]);
    let mut all = [0; 256];
    let count = theirs.try_read(&mut all).unwrap();
    assert_eq!(String::from_utf8_lossy(&all[..count]).matches("HTTP/1.1 200 OK").count(), 3);
    // To the first it has ended.
    assert_eq!(reads(&mut first.held[0]), 0);
    assert_eq!(first.held[0].try_write(&[io::IoSlice::new(b"x")]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(first.held[0].poll_readable(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn a_connection_stays_where_its_request_was_begun_where_it_ends_and_where_there_is_no_other() {
    for (instances, begun, ended) in [(2, true, false), (2, false, true), (1, false, false)] {
        let door = Door::new(instances);
        let mut first = Instance::at(&door);
        assert!(!first.waits());
        let (theirs, _holder) = door.connect(address()).unwrap();
        first.turn();
        if begun {
            ask(&theirs);
            reads(&mut first.held[0]);
        }
        if ended {
            drop(theirs);
        } else {
            ask(&theirs);
        }
        first.computes();
        assert!(door.is_empty());
        assert_eq!(first.activity.connections(), 1);
    }
}

/// Whether a guest with that table learns that it may read from a connection.
fn may_read(table: &mut SocketTable, fd: u32) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    table.poll(fd, Direction::Read, cx).unwrap().is_ready()
}

/// What an instance has taken, as its guest knows it, which computes from here on.
fn computing(instance: &mut Instance) -> (SocketTable, Vec<u32>) {
    let mut table = SocketTable::new(crate::descriptors::DescriptorBudget::new(9));
    let sockets = instance.held.drain(..).map(|stream| Socket::new(Family::V4, Kind::Stream(stream)));
    let fds = sockets.map(|socket| table.insert(socket).unwrap()).collect();
    instance.activity.goes_on();
    (table, fds)
}

fn answer(table: &mut SocketTable, fd: u32) {
    table.get_mut(fd).unwrap().stream().unwrap().try_write(&[io::IoSlice::new(ANSWER)]).unwrap();
}

#[test]
fn of_two_connections_in_each_others_way_one_goes_to_an_instance_that_waits_however_many_idle_ones_that_has() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!second.waits());
    let _idle = arrive(&door, 4);
    second.turn();
    second.activity.goes_on();
    assert!(!first.waits());
    let peers = arrive(&door, 3);
    first.turn();
    assert!(!second.waits());
    let (mut table, fds) = computing(&mut first);
    // Nothing is asked on the third.
    let asked = &fds[..2];
    for (peer, fd) in peers.iter().zip(asked) {
        ask(&peer.0);
        assert_eq!(reads(table.get_mut(*fd).unwrap().stream().unwrap()), REQUEST.len());
    }
    table.hand_over();
    assert!(asked.iter().all(|fd| !may_read(&mut table, *fd)) && door.is_empty(), "both are still to be answered");
    for fd in asked {
        answer(&mut table, *fd);
    }
    let woken = second.times_woken();
    // It asks for all that may happen, a connection included.
    assert!(!first.waits());
    let ended: Vec<bool> = fds.iter().map(|fd| may_read(&mut table, *fd)).collect();
    assert_eq!(ended, [false, true, false], "one goes, and the other one is alone then");
    assert_eq!(first.accepts(), 0);
    first.turn();
    assert_eq!((first.held.len(), second.times_woken()), (0, woken + 1), "it is for the other instance");
    second.turn();
    assert_eq!((first.activity.connections(), second.activity.connections()), (2, 5));
    // Those that were not held up since stay, though the second has time for one.
    assert!(![fds[0], fds[2]].iter().any(|fd| may_read(&mut table, *fd)) && door.is_empty());
}

#[test]
fn a_connection_in_anothers_way_goes_though_its_next_request_is_there_already() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!first.waits());
    let peers = arrive(&door, 2);
    first.turn();
    assert!(!second.waits());
    let (mut table, fds) = computing(&mut first);
    for ((peer, _), fd) in peers.iter().zip(&fds) {
        ask(peer);
        assert_eq!(reads(table.for_reading(*fd).unwrap().stream().unwrap()), REQUEST.len());
    }
    table.hand_over();
    for ((peer, _), fd) in peers.iter().zip(&fds) {
        answer(&mut table, *fd);
        ask(peer);
    }
    let read: Vec<usize> = fds.iter().map(|fd| reads(table.for_reading(*fd).unwrap().stream().unwrap())).collect();
    assert_eq!(read, [REQUEST.len(), 0], "to the first instance the second connection looks closed");
    // Its own gets it back only where the others compute.
    assert!(!first.waits());
    second.activity.goes_on();
    first.turn();
    assert_eq!(first.held.len(), 1);
    assert_eq!(reads(&mut first.held[0]), REQUEST.len());
}

#[test]
fn of_many_connections_that_are_in_each_others_way_no_more_go_than_instances_wait() {
    let door = Door::new(2);
    let (mut first, mut second) = (Instance::at(&door), Instance::at(&door));
    assert!(!first.waits());
    let peers = arrive(&door, 4);
    first.turn();
    let (mut table, fds) = computing(&mut first);
    for waits in [false, true] {
        for ((peer, _), fd) in peers.iter().zip(&fds) {
            ask(peer);
            assert_eq!(reads(table.get_mut(*fd).unwrap().stream().unwrap()), REQUEST.len());
        }
        table.hand_over();
        for fd in &fds {
            answer(&mut table, *fd);
        }
        assert!(!second.waits(), "nothing is there for it yet");
        if !waits {
            second.activity.goes_on();
        }
        let gone = fds.iter().filter(|fd| may_read(&mut table, **fd)).count();
        assert_eq!(gone, usize::from(waits));
    }
}

#[test]
fn an_instance_is_wanted_where_one_computes_that_has_begun_to_answer_several_requests() {
    for (asked, wanted) in [(1, false), (2, true)] {
        let door = Door::new(2);
        let mut only = Instance::at(&door);
        assert!(!only.waits());
        let peers = arrive(&door, 2);
        only.turn();
        let mut table = SocketTable::new(crate::descriptors::DescriptorBudget::new(9));
        for ((peer, _), mut stream) in peers.iter().zip(only.held.drain(..)).take(asked) {
            ask(peer);
            assert_eq!(reads(&mut stream), REQUEST.len());
            table.insert(Socket::new(Family::V4, Kind::Stream(stream))).unwrap();
        }
        only.activity.goes_on();
        table.hand_over();
        assert_eq!((door.is_in_demand(), door.is_neglected(Duration::from_secs(60))), (wanted, wanted));
        assert!(!door.is_in_demand(), "until the next time");
    }
}

#[test]
fn connection_nobody_comes_for_is_overdue() {
    let door = Door::with_room(1, 1);
    let address = "127.0.0.1:80".parse().unwrap();
    let _seat = door.listener(address, &Arc::default());
    let _client = door.connect(address).unwrap();
    assert!(!door.has_room() && !door.is_overloaded());
    assert!(door.overdue(Duration::from_secs(60)).is_empty());
    assert_eq!(door.overdue(Duration::ZERO).len(), 1);
    assert!(door.has_room());
}

#[test]
fn laden_instance_takes_a_connection_once_it_waits() {
    let door = Door::new(2);
    let address = "127.0.0.1:80".parse().unwrap();
    let activity = Arc::<Activity>::default();
    let seat = door.listener(address, &activity);
    let number = door.lock().seats[0].number;
    let _client = door.connect(address).unwrap();
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(door.poll(number, false, &mut cx).is_ready());
    assert!(door.poll(number, true, &mut cx).is_pending());
    assert!(door.is_neglected(Duration::ZERO), "another one is needed");
    door.remind();
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    activity.waits();
    let begin = Instant::now();
    while door.poll(number, true, &mut cx).is_pending() {
        assert!(begin.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
    drop(seat);
}
