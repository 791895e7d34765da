//! A request that is in flight while its caller computes.
//!
//! A service computes on the thread that also sends its requests. A request must therefore have left before the
//! computation starts, or nothing is gained.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, select};

use crate::background;

/// A request that was sent. It is completed even if this is dropped.
pub(crate) struct InFlight<T: Send + 'static>(Option<BoxFuture<'static, T>>);

/// Starts a request, and returns once it was sent or has its response.
///
/// The request counts as begun when `begun` is ready. If requests block, as in a component, there always is a response.
pub(crate) async fn start<T: Send + 'static>(
    request: impl Future<Output = T> + Send + 'static,
    begun: impl Future<Output = ()> + Unpin,
) -> Either<T, InFlight<T>> {
    match select(request.boxed(), begun).await {
        Either::Left((response, _)) => Either::Left(response),
        Either::Right(((), request)) => {
            let request = InFlight(Some(request));
            flush_pending_writes().await;
            Either::Right(request)
        }
    }
}

impl<T: Send + 'static> InFlight<T> {
    /// Waits for the response. Dropping this future ends the request.
    pub(crate) async fn response(mut self) -> T {
        match self.0.take() {
            Some(request) => request.await,
            // Only this method and `drop` take the request.
            None => std::future::pending().await,
        }
    }
}

impl<T: Send + 'static> Drop for InFlight<T> {
    fn drop(&mut self) {
        if let Some(request) = self.0.take() {
            background::run(request.map(drop));
        }
    }
}

/// Yields once to all other tasks, among them the one that writes requests to their connection.
async fn flush_pending_writes() {
    let mut had_its_turn = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut had_its_turn, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    /// Sends a request to a task, which reports it and responds once it may.
    fn request() -> (BoxFuture<'static, &'static str>, mpsc::Receiver<&'static str>, oneshot::Sender<()>) {
        let (to_sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
        let ((to_peer, sent), (may_respond, responds)) = (mpsc::channel(), oneshot::channel());
        tokio::spawn(async move {
            let (request, response): (_, oneshot::Sender<&str>) = requests.recv().await.unwrap();
            to_peer.send(request).unwrap();
            let _ = responds.await;
            let _ = response.send("response");
            to_peer.send("responded").unwrap();
        });
        let request = async move {
            let (response, received) = oneshot::channel();
            to_sender.send(("request", response)).unwrap();
            received.await.unwrap()
        };
        (request.boxed(), sent, may_respond)
    }

    #[tokio::test]
    async fn request_is_sent_before_the_work_starts() {
        let (request, sent, may_respond) = request();
        let Either::Right(request) = start(request, ready(())).await else { panic!("there is no response yet") };
        assert_eq!(sent.recv_timeout(Duration::from_secs(10)), Ok("request"));
        may_respond.send(()).unwrap();
        assert_eq!(request.response().await, "response");
    }

    #[tokio::test]
    async fn immediate_response_is_returned_at_once() {
        assert!(matches!(start(ready("response"), ready(())).await, Either::Left("response")));
    }

    #[tokio::test]
    async fn dropped_request_is_completed() {
        let ((request, sent, may_respond), (done, is_done)) = (request(), oneshot::channel());
        let request = async move { done.send(request.await).unwrap() };
        drop(start(request, ready(())).await);
        may_respond.send(()).unwrap();
        assert_eq!(is_done.await, Ok("response"));
        assert_eq!(sent.iter().collect::<Vec<_>>(), ["request", "responded"]);
    }
}
