//! The limit on request bodies: `--max-body-size`.

use std::pin::Pin;
use std::task::{Context, Poll};

use building_blocks::BoxError;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use sidecar::Body;

/// What `kit/streams/limitreadcloser.go` says.
pub(crate) const TOO_LARGE: &str = "stream too large";

/// A body that fails once it has given more than it may.
struct Limited {
    inner: Body,
    left: u64,
}

/// `body`, cut with an error after `limit` bytes.
pub(crate) fn limited(body: Body, limit: u64) -> Body {
    Limited { inner: body, left: limit }.boxed_unsync()
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(TOO_LARGE.into()))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
