//! Limits the size of request bodies: `--max-body-size`.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dapr_building_blocks::BoxError;
use dapr_runtime::Body;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// Error text of `kit/streams/limitreadcloser.go`.
pub(crate) const TOO_LARGE: &str = "stream too large";

/// Maximum bytes of the rest of a body that are read and discarded before the error.
///
/// A client that is still sending when the connection closes never sees the response.
const MAX_DISCARDED: u64 = 8 << 20;

/// A body that fails once it exceeds its limit.
struct Limited {
    inner: Body,
    left: u64,
    /// Bytes that may still be discarded; set once the limit is exceeded.
    rest: Option<u64>,
}

/// Limits `body` to `limit` bytes, with an error beyond.
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
                (None, None) => Some(MAX_DISCARDED),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use http_body_util::StreamBody;

    use super::*;

    /// Reads a body of `total` bytes under a limit. Returns the outcome and the bytes taken from it.
    async fn read(total: u64, limit: u64) -> (Result<u64, String>, u64) {
        const CHUNK: u64 = 1 << 16;
        let given = Arc::new(AtomicU64::new(0));
        let counter = given.clone();
        let frames = (0..total.div_ceil(CHUNK)).map(move |chunk| {
            let length = CHUNK.min(total - chunk * CHUNK);
            counter.fetch_add(length, Ordering::Relaxed);
            Ok(Frame::data(Bytes::from(vec![0; length as usize])))
        });
        let body = StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
        let whole = limited(body, limit).collect().await;
        let whole = whole.map(|body| body.to_bytes().len() as u64).map_err(|error| error.to_string());
        (whole, given.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn body_within_the_limit_is_complete() {
        assert_eq!(read(100, 100).await, (Ok(100), 100));
    }

    #[tokio::test]
    async fn rest_of_large_body_is_read_before_the_error() {
        assert_eq!(read(2 << 20, 1 << 20).await, (Err(TOO_LARGE.to_owned()), 2 << 20));
    }

    #[tokio::test]
    async fn endless_body_fails_after_bounded_rest() {
        let (refused, given) = read(1 << 40, 1 << 20).await;
        assert_eq!(refused, Err(TOO_LARGE.to_owned()));
        assert!(given < (2 << 20) + MAX_DISCARDED, "{given}");
    }
}
