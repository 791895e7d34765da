//! The body of a response, which ends in an error where the instance that writes it ends in one.
//!
//! A trap closes the body as its writer does when it is done; a client would take what there is for all of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Whether an instance has ended in an error. Set before the instance, and with it its end of the body, is dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken(Arc<AtomicBool>);

impl Broken {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A body that fails instead of ending early.
#[derive(Debug)]
pub(crate) struct UnbrokenBody<B> {
    body: B,
    broken: Broken,
}

impl<B> UnbrokenBody<B> {
    pub(crate) fn new(body: B, broken: Broken) -> Self {
        Self { body, broken }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for UnbrokenBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() && self.broken.0.swap(false, Ordering::AcqRel) {
            return Poll::Ready(Some(Err("the instance broke while it wrote its response".into())));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    #[tokio::test]
    async fn body_of_a_broken_instance_ends_in_an_error() {
        let body = || Full::new(Bytes::from_static(b"half")).map_err(|never| match never {});
        let broken = Broken::default();
        assert_eq!(UnbrokenBody::new(body(), broken.clone()).collect().await.unwrap().to_bytes(), "half");
        let mut cut = UnbrokenBody::new(body(), broken.clone());
        assert!(cut.frame().await.unwrap().is_ok());
        broken.set();
        assert!(cut.frame().await.unwrap().is_err());
        assert!(cut.frame().await.is_none());
    }
}
