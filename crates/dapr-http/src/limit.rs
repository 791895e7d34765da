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

/// How much of the rest of a body is read, and thrown away, before the error: a client that is still sending when the
/// connection closes never sees the answer.
const REST: u64 = 8 << 20;

/// A body that fails once it has given more than it may.
struct Limited {
    inner: Body,
    left: u64,
    /// What may still be thrown away; set once there was too much.
    rest: Option<u64>,
}

/// `body`, cut with an error after `limit` bytes.
pub(crate) fn limited(body: Body, limit: u64) -> Body {
    Limited { inner: body, left: limit, rest: None }.boxed_unsync()
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
            let length = match &frame {
                Some(Ok(frame)) => frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) | None => 0,
            };
            let is_last = !matches!(frame, Some(Ok(_)));
            let rest = match (self.rest, self.left.checked_sub(length)) {
                (None, Some(left)) => {
                    self.left = left;
                    return Poll::Ready(frame);
                }
                (None, None) => Some(REST),
                (Some(rest), _) => rest.checked_sub(length),
            };
            if is_last || rest.is_none() {
                return Poll::Ready(Some(Err(TOO_LARGE.into())));
            }
            self.rest = rest;
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
