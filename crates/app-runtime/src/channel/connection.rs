//! An HTTP/1.1 connection that whoever waits for an answer over it drives himself.
//!
//! hyper gives a connection a task of its own. Then an invocation goes from the caller's task to that one, to the guest's and all the
//! way back; and after three such steps on one thread tokio wakes another thread for the next, which takes longer than all
//! the rest. Here the task of its own only does what is left between requests.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use sidecar::Body;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wakes::Wakes;

/// How often a request goes on at once when it is woken while it runs. It does not stop being woken where tokio wants others to have
/// a turn.
const MOST_STEPS: usize = 8;

/// One connection to an application.
pub(super) struct Connection {
    requests: SendRequest<Body>,
    driver: Arc<Driver>,
}

impl Connection {
    /// Speaks HTTP/1.1 over `stream`.
    pub(super) async fn new<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, http) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // How it ends, its requests are told.
        let http = Box::pin(async { drop(http.await) });
        let driver = Arc::new(Driver(Mutex::new(State { http: Some(http), asked: false, task: None })));
        let driven = driver.clone();
        tokio::spawn(poll_fn(move |cx| driven.poll_between(cx)));
        Ok(Self { requests, driver })
    }

    /// Whether it can take a request now.
    pub(super) fn is_ready(&self) -> bool {
        self.requests.is_ready()
    }

    /// Whether it will never take one again.
    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Sends a request, and gives the answer as soon as its head is there.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        let driving = Driving::begin(&self.driver);
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        // From here on it is this request that is woken, also by its own arrival.
        driving.0.poll(&mut Context::from_waker(&waker));
        let mut response = pin!(self.requests.try_send_request(request));
        poll_fn(|cx| {
            wakes.pass_on_to(cx.waker());
            let mut inner = Context::from_waker(&waker);
            for _ in 0..MOST_STEPS {
                wakes.begin();
                driving.0.poll(&mut inner);
                if let Poll::Ready(response) = response.as_mut().poll(&mut inner) {
                    return Poll::Ready(response);
                }
                if wakes.wait() {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// What reads from a connection and writes to it.
struct Driver(Mutex<State>);

struct State {
    /// Nothing once it has ended.
    http: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Whether a request drives it.
    asked: bool,
    /// The task that drives it between requests.
    task: Option<Waker>,
}

impl Driver {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, cx: &mut Context<'_>) {
        self.lock().go_on(cx);
    }

    /// Ready when the connection has ended.
    fn poll_between(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            state.task = Some(cx.waker().clone());
        }
        if !state.asked {
            state.go_on(cx);
        }
        if state.http.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl State {
    fn go_on(&mut self, cx: &mut Context<'_>) {
        if self.http.as_mut().is_some_and(|http| http.as_mut().poll(cx).is_ready()) {
            self.http = None;
        }
    }
}

/// A request drives the connection until this is dropped.
struct Driving<'a>(&'a Driver);

impl<'a> Driving<'a> {
    fn begin(driver: &'a Driver) -> Self {
        driver.lock().asked = true;
        Self(driver)
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.asked = false;
        if let Some(task) = &state.task {
            task.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use sidecar::full_body;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    async fn connected() -> (Connection, DuplexStream) {
        let (ours, theirs) = duplex(4096);
        (Connection::new(ours).await.unwrap(), theirs)
    }

    fn asked(path: &str) -> Request<Body> {
        Request::builder().uri(path).header("host", "app").body(full_body("")).unwrap()
    }

    async fn heard(stream: &mut DuplexStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    async fn until(mut what: impl FnMut() -> bool) {
        while !what() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_body_that_comes_after_its_head_is_read_and_the_next_request_follows() {
        let (mut connection, mut theirs) = connected().await;
        for path in ["/one", "/two"] {
            let answers = async {
                assert!(heard(&mut theirs).await.starts_with(&format!("GET {path} HTTP/1.1\r\n")));
                theirs.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await.unwrap();
            };
            let (response, ()) = tokio::join!(connection.send(asked(path)), answers);
            let body = tokio::spawn(response.unwrap().into_body().collect());
            theirs.write_all(b"later").await.unwrap();
            assert_eq!(body.await.unwrap().unwrap().to_bytes(), "later");
            until(|| connection.is_ready()).await;
        }
    }

    #[tokio::test]
    async fn the_end_of_a_connection_is_noticed_between_requests_and_its_request_is_given_back() {
        let (mut connection, theirs) = connected().await;
        drop(theirs);
        until(|| connection.is_closed()).await;
        let mut refused = connection.send(asked("/one")).await.unwrap_err();
        assert_eq!(refused.take_message().unwrap().uri(), "/one");
    }

    #[tokio::test]
    async fn a_request_that_nobody_waits_for_any_more_ends_its_connection() {
        let (mut connection, mut theirs) = connected().await;
        tokio::select! {
            _ = connection.send(asked("/one")) => unreachable!("nobody answers"),
            _ = heard(&mut theirs) => {}
        }
        until(|| connection.is_closed()).await;
        assert_eq!(theirs.read(&mut [0]).await.unwrap(), 0);
    }
}
