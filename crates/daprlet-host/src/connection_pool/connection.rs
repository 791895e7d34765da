//! A client connection polled by the request that waits on it, instead of by its own task.
//!
//! hyper gives a connection a task of its own. Then an invocation goes from the caller's task to that one, to the
//! guest's and all the way back; and after three such steps on one thread tokio wakes another thread for the next,
//! which takes longer than all the rest. Here the connection's own task only does what is left between requests.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use dapr_runtime::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wake_tracker::WakeTracker;

/// Maximum polls in a row for a request that is woken while it runs.
///
/// The limit lets other tasks run, as tokio wants: a request may be woken without end.
const MAX_POLLS: usize = 8;

/// One connection to an application.
pub(super) struct Connection {
    requests: SendRequest<Body>,
    driver: Arc<Driver>,
}

impl Connection {
    /// Opens an HTTP/1.1 connection over `stream`.
    pub(super) async fn new<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, http) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // The requests report how the connection ends.
        let http = Box::pin(async { drop(http.await) });
        let driver = Arc::new(Driver(Mutex::new(State { http: Some(http), has_request: false, task: None })));
        let driven = driver.clone();
        tokio::spawn(poll_fn(move |cx| driven.poll_between_requests(cx)));
        Ok(Self { requests, driver })
    }

    /// Returns whether the connection can take a request now.
    pub(super) fn is_ready(&self) -> bool {
        self.requests.is_ready()
    }

    /// Returns whether the connection will never take a request again.
    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Sends a request, and returns the response once its headers are there.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        let driving = DriveGuard::begin(&self.driver);
        let wakes = Arc::new(WakeTracker::default());
        let waker = Waker::from(wakes.clone());
        // From here on the connection wakes this request, also when the request is queued.
        driving.0.poll(&mut Context::from_waker(&waker));
        let mut response = pin!(self.requests.try_send_request(request));
        poll_fn(|cx| {
            wakes.forward_to(cx.waker());
            let mut inner = Context::from_waker(&waker);
            for _ in 0..MAX_POLLS {
                wakes.begin();
                driving.0.poll(&mut inner);
                if let Poll::Ready(response) = response.as_mut().poll(&mut inner) {
                    return Poll::Ready(response);
                }
                if wakes.try_suspend() {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// Reads from and writes to a connection.
struct Driver(Mutex<State>);

struct State {
    /// `None` once the connection has ended.
    http: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// True if a request polls the connection.
    has_request: bool,
    /// The task that polls the connection between requests.
    task: Option<Waker>,
}

impl Driver {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, cx: &mut Context<'_>) {
        self.lock().poll_http(cx);
    }

    /// Polls between requests. Ready when the connection has ended.
    fn poll_between_requests(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            state.task = Some(cx.waker().clone());
        }
        if !state.has_request {
            state.poll_http(cx);
        }
        if state.http.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl State {
    fn poll_http(&mut self, cx: &mut Context<'_>) {
        if self.http.as_mut().is_some_and(|http| http.as_mut().poll(cx).is_ready()) {
            self.http = None;
        }
    }
}

/// A guard: a request polls the connection until this is dropped.
struct DriveGuard<'a>(&'a Driver);

impl<'a> DriveGuard<'a> {
    fn begin(driver: &'a Driver) -> Self {
        driver.lock().has_request = true;
        Self(driver)
    }
}

impl Drop for DriveGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_request = false;
        if let Some(task) = &state.task {
            task.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use dapr_runtime::full_body;
    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    async fn connected() -> (Connection, DuplexStream) {
        let (ours, theirs) = duplex(4096);
        (Connection::new(ours).await.unwrap(), theirs)
    }

    fn get(path: &str) -> Request<Body> {
        Request::builder().uri(path).header("host", "app").body(full_body("")).unwrap()
    }

    async fn read_head(stream: &mut DuplexStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    async fn until(mut condition: impl FnMut() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn late_body_is_read_and_next_request_follows() {
        let (mut connection, mut theirs) = connected().await;
        for path in ["/one", "/two"] {
            let respond = async {
                assert!(read_head(&mut theirs).await.starts_with(&format!("GET {path} HTTP/1.1\r\n")));
                theirs.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await.unwrap();
            };
            let (response, ()) = tokio::join!(connection.send(get(path)), respond);
            let body = tokio::spawn(response.unwrap().into_body().collect());
            theirs.write_all(b"later").await.unwrap();
            assert_eq!(body.await.unwrap().unwrap().to_bytes(), "later");
            until(|| connection.is_ready()).await;
        }
    }

    #[tokio::test]
    async fn closed_idle_connection_returns_the_request() {
        let (mut connection, theirs) = connected().await;
        drop(theirs);
        until(|| connection.is_closed()).await;
        let mut failed = connection.send(get("/one")).await.unwrap_err();
        assert_eq!(failed.take_message().unwrap().uri(), "/one");
    }

    #[tokio::test]
    async fn cancelled_request_closes_its_connection() {
        let (mut connection, mut theirs) = connected().await;
        tokio::select! {
            _ = connection.send(get("/one")) => unreachable!("there is no response"),
            _ = read_head(&mut theirs) => {}
        }
        until(|| connection.is_closed()).await;
        assert_eq!(theirs.read(&mut [0]).await.unwrap(), 0);
    }
}
