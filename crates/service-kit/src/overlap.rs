//! Work done while a request is in flight.
//!
//! A service computes on the thread that also sends its requests. A request must therefore have left before the
//! computation starts, or nothing is gained.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::{Either, ready, select};

/// Runs `work` while `request` is in flight, and returns both results.
///
/// If requests block, as in a component, the work follows the response.
pub(crate) async fn overlap<F: Future, T>(request: F, work: impl FnOnce() -> T) -> (F::Output, T) {
    let mut request = pin!(request);
    match select(request.as_mut(), ready(())).await {
        Either::Left((answer, _)) => (answer, work()),
        Either::Right(_) => {
            flush_pending_writes().await;
            let done = work();
            (request.await, done)
        }
    }
}

/// Yields once to all other tasks, among them the one that writes requests to their connection.
pub(crate) async fn flush_pending_writes() {
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
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn request_is_sent_before_the_work_starts() {
        let (to_sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
        let (to_peer, sent) = mpsc::channel();
        tokio::spawn(async move {
            while let Some((request, answer)) = requests.recv().await {
                to_peer.send(request).unwrap();
                let answer: tokio::sync::oneshot::Sender<&str> = answer;
                answer.send("answer").unwrap();
            }
        });
        let asked = async {
            let (answer, answered) = tokio::sync::oneshot::channel();
            to_sender.send(("request", answer)).unwrap();
            answered.await.unwrap()
        };
        let both = overlap(asked, || sent.recv_timeout(Duration::from_secs(10)));
        assert_eq!(both.await, ("answer", Ok("request")));
    }

    #[tokio::test]
    async fn work_runs_after_an_immediate_response() {
        let order = std::cell::RefCell::new(Vec::new());
        overlap(async { order.borrow_mut().push("asked") }, || order.borrow_mut().push("work")).await;
        assert_eq!(*order.borrow(), ["asked", "work"]);
    }
}
