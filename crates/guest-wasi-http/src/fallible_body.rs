//! Response body that ends in an error if the instance that writes it fails.
//!
//! A trap closes the body like a complete one, so that a client would take the part for the whole.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Flag that an instance has failed. It is set before the instance, and with it its end of the body, is dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureFlag(Arc<AtomicBool>);

impl FailureFlag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Body that fails instead of ending early.
#[derive(Debug)]
pub(crate) struct FallibleBody<B> {
    body: B,
    failure_flag: FailureFlag,
}

impl<B> FallibleBody<B> {
    pub(crate) fn new(body: B, failure_flag: FailureFlag) -> Self {
        Self { body, failure_flag }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for FallibleBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() && self.failure_flag.0.swap(false, Ordering::AcqRel) {
            return Poll::Ready(Some(Err("the instance failed while writing its response".into())));
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
    async fn body_of_a_failed_instance_ends_in_an_error() {
        let body = || Full::new(Bytes::from_static(b"half")).map_err(|never| match never {});
        let failure_flag = FailureFlag::default();
        assert_eq!(FallibleBody::new(body(), failure_flag.clone()).collect().await.unwrap().to_bytes(), "half");
        let mut cut = FallibleBody::new(body(), failure_flag.clone());
        assert!(cut.frame().await.unwrap().is_ok());
        failure_flag.set();
        assert!(cut.frame().await.unwrap().is_err());
        assert!(cut.frame().await.is_none());
    }
}
