//! Users who send images without pause, and record the responses.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use deployments::{Deployment, Payload, RecordedResponse, To};
use image::{DynamicImage, ImageFormat, RgbImage};
use tokio::task::JoinSet;

use super::kill::{EVENTS, GRAYSCALE};

/// Users on each of both routes.
const USERS: u8 = 2;
/// Delay of a user between two images.
const IMAGE_DELAY: Duration = Duration::from_millis(20);
/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Route of an image to the service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// Directly to the service's port.
    Direct,
    /// By invocation, through the sidecar of another service.
    Invoked,
}

/// A moment in the run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Moment {
    /// Number of the kill; 0 before the first.
    pub(super) phase: usize,
    pub(super) part: Part,
}

/// State of the target.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Part {
    /// About to be killed: it may be up or down.
    #[default]
    Stopping,
    Stopped,
    /// Restarting, or up again.
    Restarted,
}

/// Outcome of an image's event as reported to the user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum EventOutcome {
    Recorded,
    Deferred,
    Dropped,
    /// The user is over the rate limit (429).
    RateLimited,
    /// The request failed, for this reason.
    Failed(String),
}

/// One request and its outcome.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Size of the image in bytes, unique to the request.
    pub(super) size: usize,
    pub(super) route: Route,
    pub(super) begin: Moment,
    pub(super) end: Moment,
    pub(super) outcome: EventOutcome,
}

/// The users, and the requests that they sent.
pub(super) struct Load {
    deployment: Arc<Deployment>,
    picture: Vec<u8>,
    next: AtomicUsize,
    moment: Mutex<Moment>,
    sent: Mutex<Vec<Sent>>,
    is_over: AtomicBool,
}

impl EventOutcome {
    /// Returns true if the user was promised that the event is or will be in the table.
    pub(super) fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Recorded | Self::Deferred)
    }

    fn from_response(answer: &RecordedResponse) -> Self {
        match (answer.status, answer.header("event-delivery")) {
            (200, Some("recorded")) => Self::Recorded,
            (200, Some("deferred")) => Self::Deferred,
            (200, Some("dropped")) => Self::Dropped,
            (429, _) => Self::RateLimited,
            _ => Self::Failed(answer.in_short(300)),
        }
    }
}

impl Load {
    /// Starts the users.
    pub(super) fn begin(deployment: Arc<Deployment>) -> anyhow::Result<(Arc<Self>, JoinSet<()>)> {
        let mut picture = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(RgbImage::new(8, 8)).write_to(&mut picture, ImageFormat::Png)?;
        let load = Arc::new(Self {
            deployment,
            picture: picture.into_inner(),
            next: AtomicUsize::new(0),
            moment: Mutex::default(),
            sent: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let mut users = JoinSet::new();
        for user in 0..USERS {
            users.spawn(Arc::clone(&load).user(Route::Direct, format!("10.1.0.{user}")));
            users.spawn(Arc::clone(&load).user(Route::Invoked, format!("10.2.0.{user}")));
        }
        Ok((load, users))
    }

    /// Stops the users.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Sets the current moment.
    pub(super) fn now(&self, moment: Moment) {
        *lock(&self.moment) = moment;
    }

    /// Returns all completed requests, in order of completion.
    pub(super) fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    /// Returns the completed requests on one route that started at `moment`, in order of completion.
    pub(super) fn since(&self, moment: Moment, route: Route) -> Vec<Sent> {
        lock(&self.sent).iter().filter(|it| it.begin == moment && it.route == route).cloned().collect()
    }

    async fn user(self: Arc<Self>, route: Route, address: String) {
        while !self.is_over.load(Ordering::Relaxed) {
            let picture = self.next_picture();
            let (size, begin) = (picture.len(), *lock(&self.moment));
            let (to, target) = match route {
                Route::Direct => (To::App(GRAYSCALE), "/grayscale"),
                Route::Invoked => (To::Dapr(EVENTS), "/v1.0/invoke/image-api-grayscale/method/grayscale"),
            };
            let request = deployments::request("POST", target, "localhost").header("x-forwarded-for", &address);
            let answer =
                tokio::time::timeout(REQUEST_TIMEOUT, self.deployment.send(to, request, Payload::Whole(picture))).await;
            let outcome = answer.map_or_else(
                |_| EventOutcome::Failed(format!("no answer in {REQUEST_TIMEOUT:?}")),
                |it| EventOutcome::from_response(&it),
            );
            let end = *lock(&self.moment);
            lock(&self.sent).push(Sent { size, route, begin, end, outcome });
            tokio::time::sleep(IMAGE_DELAY).await;
        }
    }

    /// Returns the image with a growing number of ignored bytes at its end.
    ///
    /// Its size then identifies it in the table.
    fn next_picture(&self) -> Bytes {
        let mut picture = self.picture.clone();
        picture.resize(picture.len() + self.next.fetch_add(1, Ordering::Relaxed), 0);
        picture.into()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data is consistent between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
