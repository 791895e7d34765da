//! Futures that run to completion.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that runs where it is awaited; if dropped, it continues as a task.
pub(super) struct RunToCompletion<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> RunToCompletion<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for RunToCompletion<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match &mut self.0 {
            Some(future) => {
                let polled = future.as_mut().poll(context);
                if polled.is_ready() {
                    self.0 = None;
                }
                polled
            }
            // Already completed.
            None => Poll::Pending,
        }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for RunToCompletion<F> {
    fn drop(&mut self) {
        // Without a runtime the program is ending.
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn dropped_future_still_completes() {
        let (begin, begun) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel::<()>();
        let work = RunToCompletion::new(async move {
            begun.await.unwrap();
            end.send(()).unwrap();
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
        begin.send(()).unwrap();
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn awaited_future_returns_its_output() {
        assert_eq!(RunToCompletion::new(async { 7 }).await, 7);
    }
}
