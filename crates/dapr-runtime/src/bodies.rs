//! Buffers request bodies of one application, within a common limit.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use dapr_building_blocks::BoxError;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{ApiError, ErrorCategory};

/// Unit in which bodies are counted, in bytes.
const UNIT: usize = 1 << 10;

/// A limit on the total size of all buffered bodies.
pub(crate) struct Bodies {
    /// Units left.
    left: Arc<Semaphore>,
    /// Limit in bytes.
    limit: usize,
}

impl Bodies {
    pub(crate) fn new(limit: usize) -> Self {
        Self { left: Arc::new(Semaphore::new((limit / UNIT).min(Semaphore::MAX_PERMITS))), limit }
    }

    /// Reads a whole body into memory. Its bytes count while it arrives, and are not copied twice.
    pub(crate) async fn read(&self, mut body: UnsyncBoxBody<Bytes, BoxError>) -> Result<Bytes, ApiError> {
        let announced = http_body::Body::size_hint(&body).exact().and_then(|size| usize::try_from(size).ok());
        let mut held = self.hold(0)?;
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame.map_err(ApiError::malformed)?.into_data() else { continue };
            if whole.is_empty() && http_body::Body::is_end_stream(&body) {
                return Ok(piece);
            }
            let length = whole.len() + piece.len();
            held.merge(self.hold(length.div_ceil(UNIT) - held.num_permits())?);
            if let Some(announced) = announced.filter(|announced| whole.is_empty() && *announced <= self.limit) {
                whole.reserve(announced);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    fn hold(&self, units: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let held = u32::try_from(units).ok().and_then(|units| self.left.clone().try_acquire_many_owned(units).ok());
        held.ok_or_else(|| {
            let message = format!("the request bodies under way take more than {} MiB", self.limit >> 20);
            ApiError::new(ErrorCategory::ResourceExhausted, "ERR_REQUEST_BODIES", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;

    use super::*;

    /// Creates a body of so many pieces; one that `stalls` never ends.
    fn body(pieces: usize, stalls: bool) -> UnsyncBoxBody<Bytes, BoxError> {
        let mut left = pieces;
        let pieces = futures_util::stream::poll_fn(move |_| {
            if left == 0 {
                return if stalls { std::task::Poll::Pending } else { std::task::Poll::Ready(None) };
            }
            left -= 1;
            let piece = http_body::Frame::data(Bytes::from_static(&[7; UNIT]));
            std::task::Poll::Ready(Some(Ok::<_, Infallible>(piece)))
        });
        StreamBody::new(pieces).map_err(|never| match never {}).boxed_unsync()
    }

    #[tokio::test]
    async fn buffered_bodies_share_one_limit_and_release_it() {
        let bodies = Bodies::new(10 * UNIT);
        assert_eq!(bodies.read(body(10, false)).await.unwrap().len(), 10 * UNIT);
        let stalled = bodies.read(body(6, true));
        tokio::pin!(stalled);
        assert!(futures_util::poll!(stalled.as_mut()).is_pending());
        let refused = bodies.read(body(5, false)).await.unwrap_err();
        assert_eq!((refused.http_status().as_u16(), refused.code), (503, "ERR_REQUEST_BODIES"));
        assert_eq!(bodies.read(body(4, false)).await.unwrap().len(), 4 * UNIT);
    }
}
