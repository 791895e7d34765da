//! Response bodies that end with the timeout of their call.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dapr_building_blocks::BoxError;
use dapr_building_blocks::middleware::Body;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::resiliency::Interruption;

/// A body that breaks off at its end time.
struct Deadline {
    body: Body,
    end: Pin<Box<Sleep>>,
}

/// Breaks `body` off at `end`, if there is one.
pub(super) fn until(body: Body, end: Option<Instant>) -> Body {
    match end {
        Some(end) if !body.is_end_stream() => Deadline { body, end: Box::pin(sleep_until(end)) }.boxed_unsync(),
        _ => body,
    }
}

impl http_body::Body for Deadline {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending if self.end.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Some(Err(Interruption::Timeout.into())))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
