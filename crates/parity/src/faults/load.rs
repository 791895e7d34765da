//! Users who send pictures without pause, and remember what they were told.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, RgbImage};
use tokio::task::JoinSet;
use worlds::{Answer, Payload, To, World};

use super::victim::{EVENTS, GRAYSCALE};

/// Users at each of both ways in.
const USERS: u8 = 2;
/// A user looks at an answer that long.
const PAUSE: Duration = Duration::from_millis(20);
/// A user who has waited that long gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a picture gets to the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// To the service's own port.
    Direct,
    /// By invocation, from the sidecar of another service.
    Invoked,
}

/// When something happened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Moment {
    /// The number of the blow; 0 before the first one.
    pub(super) phase: usize,
    pub(super) part: Part,
}

/// How far a victim was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Part {
    /// It was about to be killed: nobody knows whether it was there.
    #[default]
    Going,
    Gone,
    /// It was being started, or was there again.
    Back,
}

/// What a user was told about the event of a picture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Recorded,
    Deferred,
    Dropped,
    /// No picture came back, for this reason.
    Failed(String),
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// The bytes of the picture; no two requests have the same number.
    pub(super) size: usize,
    pub(super) way: Way,
    pub(super) begin: Moment,
    pub(super) end: Moment,
    pub(super) fate: Fate,
}

/// What the users do and have done.
pub(super) struct Load {
    world: Arc<World>,
    picture: Vec<u8>,
    next: AtomicUsize,
    moment: Mutex<Moment>,
    sent: Mutex<Vec<Sent>>,
    is_over: AtomicBool,
}

impl Fate {
    /// Whether the user was promised that the event is in the table, or will be.
    pub(super) fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Recorded | Self::Deferred)
    }

    fn of(answer: &Answer) -> Self {
        match (answer.status, answer.header("event-delivery")) {
            (200, Some("recorded")) => Self::Recorded,
            (200, Some("deferred")) => Self::Deferred,
            (200, Some("dropped")) => Self::Dropped,
            _ => Self::Failed(answer.in_short(300)),
        }
    }
}

impl Load {
    /// Lets the users begin.
    pub(super) fn begin(world: Arc<World>) -> anyhow::Result<(Arc<Self>, JoinSet<()>)> {
        let mut picture = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(RgbImage::new(8, 8)).write_to(&mut picture, ImageFormat::Png)?;
        let load = Arc::new(Self {
            world,
            picture: picture.into_inner(),
            next: AtomicUsize::new(0),
            moment: Mutex::default(),
            sent: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let mut users = JoinSet::new();
        for user in 0..USERS {
            users.spawn(Arc::clone(&load).user(Way::Direct, format!("10.1.0.{user}")));
            users.spawn(Arc::clone(&load).user(Way::Invoked, format!("10.2.0.{user}")));
        }
        Ok((load, users))
    }

    /// No user sends another picture.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// From now on it is this time.
    pub(super) fn now(&self, moment: Moment) {
        *held(&self.moment) = moment;
    }

    /// All that was answered so far, in the order of the answers.
    pub(super) fn sent(&self) -> Vec<Sent> {
        held(&self.sent).clone()
    }

    /// What was sent that way since that moment began, in the order of the answers.
    pub(super) fn since(&self, moment: Moment, way: Way) -> Vec<Sent> {
        held(&self.sent).iter().filter(|it| it.begin == moment && it.way == way).cloned().collect()
    }

    async fn user(self: Arc<Self>, way: Way, address: String) {
        while !self.is_over.load(Ordering::Relaxed) {
            let picture = self.next_picture();
            let (size, begin) = (picture.len(), *held(&self.moment));
            let (to, target) = match way {
                Way::Direct => (To::App(GRAYSCALE), "/grayscale"),
                Way::Invoked => (To::Dapr(EVENTS), "/v1.0/invoke/image-api-grayscale/method/grayscale"),
            };
            let request = worlds::request("POST", target, "localhost").header("x-forwarded-for", &address);
            let answer = tokio::time::timeout(PATIENCE, self.world.send(to, request, Payload::Whole(picture))).await;
            let fate = answer.map_or_else(|_| Fate::Failed(format!("no answer in {PATIENCE:?}")), |it| Fate::of(&it));
            let end = *held(&self.moment);
            held(&self.sent).push(Sent { size, way, begin, end, fate });
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same picture, and more and more bytes after its end, which nobody looks at: they make it known in the table.
    fn next_picture(&self) -> Bytes {
        let mut picture = self.picture.clone();
        picture.resize(picture.len() + self.next.fetch_add(1, Ordering::Relaxed), 0);
        picture.into()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
