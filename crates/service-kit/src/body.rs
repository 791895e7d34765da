//! Request bodies: each chunk has a timeout, and what a handler leaves is read nevertheless.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use dapr_client::timeout;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use http_body::Body as _;

use crate::{Problem, background};

/// Longest wait for the next chunk of a body.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(15);

/// Largest part of a rejected body that is read and discarded.
///
/// The client must get to read the error, and closing a connection with bytes unread resets it.
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// Error of a body that did not arrive as a whole.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the request's body broke off")]
    BrokeOff,
    #[error("the body did not arrive in time")]
    TooSlow,
}

/// The error of a body, if it had one: extractors do not pass it on.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyFailure(Arc<OnceLock<BodyError>>);

/// A body, of which the rest is discarded when this is dropped.
struct Incoming {
    body: Option<BodyDataStream>,
    failure: BodyFailure,
}

/// Adds a timeout to each chunk of a body, whose error is stored in `failure`.
pub(crate) fn watch(body: Body, failure: &BodyFailure) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let incoming = Incoming { body: Some(body.into_data_stream()), failure: failure.clone() };
    Body::from_stream(stream::unfold(incoming, Incoming::next))
}

impl Incoming {
    async fn next(mut self) -> Option<(Result<Bytes, BodyError>, Self)> {
        let error = match timeout(CHUNK_TIMEOUT, self.body.as_mut()?.next()).await {
            Ok(Some(Ok(chunk))) => return Some((Ok(chunk), self)),
            Ok(None) => {
                self.body = None;
                return None;
            }
            Ok(Some(Err(_))) => BodyError::BrokeOff,
            Err(_) => BodyError::TooSlow,
        };
        self.body = None;
        let _ = self.failure.0.set(error);
        Some((Err(error), self))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(rest) = self.body.take() {
            background::run(discard(rest));
        }
    }
}

async fn discard(mut body: BodyDataStream) {
    let mut left = MAX_DISCARDED_BYTES;
    while let Ok(Some(Ok(chunk))) = timeout(CHUNK_TIMEOUT, body.next()).await {
        let Some(rest) = left.checked_sub(chunk.len()) else { break };
        left = rest;
    }
}

impl BodyFailure {
    /// Returns the problem to respond with, if the body failed.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let error = self.0.get()?;
        let status = match error {
            BodyError::BrokeOff => StatusCode::BAD_REQUEST,
            BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        };
        Some(Problem::new(status, error.to_string()))
    }
}
