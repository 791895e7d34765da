//! Work that is done while an answer is on its way.
//!
//! A service computes on the thread that also sends its requests. What it asks for before it computes must therefore have left
//! when it begins, or nothing is gained.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::{Either, ready, select};

/// Does `work` while `asked` waits for its answer, and gives both. Where asking blocks, as in a component, they follow each
/// other.
pub(crate) async fn meanwhile<F: Future, T>(asked: F, work: impl FnOnce() -> T) -> (F::Output, T) {
    let mut asked = pin!(asked);
    match select(asked.as_mut(), ready(())).await {
        Either::Left((answer, _)) => (answer, work()),
        Either::Right(_) => {
            send_what_waits().await;
            let done = work();
            (asked.await, done)
        }
    }
}

/// Lets all other tasks have their turn once: among them the one that writes requests to their connection.
pub(crate) async fn send_what_waits() {
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
    async fn the_request_has_left_when_the_work_begins() {
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
        let both = meanwhile(asked, || sent.recv_timeout(Duration::from_secs(10)));
        assert_eq!(both.await, ("answer", Ok("request")));
    }

    #[tokio::test]
    async fn what_is_answered_at_once_is_followed_by_the_work() {
        let order = std::cell::RefCell::new(Vec::new());
        meanwhile(async { order.borrow_mut().push("asked") }, || order.borrow_mut().push("work")).await;
        assert_eq!(*order.borrow(), ["asked", "work"]);
    }
}
