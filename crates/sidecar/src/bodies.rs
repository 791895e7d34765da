//! The request bodies that the host holds for one application while they arrive.

use std::sync::Arc;

use building_blocks::BoxError;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Refusal;

/// The unit in which bodies are counted, in bytes.
const UNIT: usize = 1 << 10;

/// A limit on all bodies under way.
pub(crate) struct Bodies {
    /// What is left, in units.
    left: Arc<Semaphore>,
    /// In bytes.
    limit: usize,
}

impl Bodies {
    pub(crate) fn new(limit: usize) -> Self {
        Self { left: Arc::new(Semaphore::new((limit / UNIT).min(Semaphore::MAX_PERMITS))), limit }
    }

    /// All bytes of a body that has to be whole to be understood. They are counted while it arrives, and lie in memory once.
    pub(crate) async fn whole(&self, mut body: UnsyncBoxBody<Bytes, BoxError>) -> Result<Bytes, Refusal> {
        let announced = http_body::Body::size_hint(&body).exact().and_then(|size| usize::try_from(size).ok());
        let mut held = self.hold(0)?;
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame.map_err(Refusal::malformed)?.into_data() else { continue };
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

    fn hold(&self, units: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let held = u32::try_from(units).ok().and_then(|units| self.left.clone().try_acquire_many_owned(units).ok());
        held.ok_or_else(|| {
            let message = format!("the request bodies under way take more than {} MiB", self.limit >> 20);
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "ERR_REQUEST_BODIES", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;

    use super::*;

    /// A body of these pieces; the last never comes where it `stalls`.
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
    async fn bodies_under_way_share_one_limit_and_give_back() {
        let bodies = Bodies::new(10 * UNIT);
        assert_eq!(bodies.whole(body(10, false)).await.unwrap().len(), 10 * UNIT);
        let stalled = bodies.whole(body(6, true));
        tokio::pin!(stalled);
        assert!(futures_util::poll!(stalled.as_mut()).is_pending());
        let refused = bodies.whole(body(5, false)).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code), (503, "ERR_REQUEST_BODIES"));
        assert_eq!(bodies.whole(body(4, false)).await.unwrap().len(), 4 * UNIT);
    }
}
