//! Request bodies, read in chunks and never beyond a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dapr_client::timeout;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use crate::Problem;

/// Longest wait for the next chunk of a body.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(15);

/// Largest part of a rejected body that is read and discarded.
///
/// The client must get to read the error, and closing a connection with bytes unread resets it.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// A body that arrives in chunks.
pub trait BodySource: Send + 'static {
    /// Reads the next chunk; `None` at the end.
    fn next_chunk(&mut self) -> impl Future<Output = Option<Result<Bytes, BodyError>>> + Send;
}

/// Error of a body that ended early.
#[derive(Debug, thiserror::Error)]
#[error("the request's body broke off")]
pub struct BodyError;

/// A body that is already in memory.
impl BodySource for Bytes {
    async fn next_chunk(&mut self) -> Option<Result<Self, BodyError>> {
        let all = std::mem::take(self);
        (!all.is_empty()).then_some(Ok(all))
    }
}

/// Reads a body of at most `limit` bytes.
///
/// A longer body is rejected at once if its length is announced, and otherwise as soon as it passes the limit. The
/// bytes in memory never exceed the limit.
pub(crate) async fn read(headers: &HeaderMap, mut body: impl BodySource, limit: usize) -> Result<Bytes, Problem> {
    if content_length(headers).is_some_and(|length| length > limit as u64) {
        discard(body).await;
        return Err(too_long(limit));
    }
    let mut whole = BytesMut::new();
    loop {
        let piece = timeout(CHUNK_TIMEOUT, body.next_chunk()).await.map_err(|_| too_slow())?;
        let Some(piece) = piece else { return Ok(whole.freeze()) };
        let piece = piece.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        if whole.len() + piece.len() > limit {
            discard(body).await;
            return Err(too_long(limit));
        }
        whole.extend_from_slice(&piece);
    }
}

/// Reads and discards the rest of a body in the background while the response is sent.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) async fn discard(body: impl BodySource) {
    tokio::spawn(drain(body));
}

/// Drops a body. A component cannot run in the background, and its host reads the rest.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) async fn discard(body: impl BodySource) {
    drop(body);
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
async fn drain(mut body: impl BodySource) {
    let mut left = MAX_DISCARDED_BYTES;
    while let Ok(Some(Ok(piece))) = timeout(CHUNK_TIMEOUT, body.next_chunk()).await {
        let Some(rest) = left.checked_sub(piece.len()) else { break };
        left = rest;
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body may have at most {limit} bytes"))
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An endless body that counts the chunks that were requested.
    struct Endless(std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl BodySource for Endless {
        async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(Ok(Bytes::from_static(&[0; 1024])))
        }
    }

    #[tokio::test]
    async fn body_of_exactly_the_limit_is_accepted() {
        let body = Bytes::from_static(&[7; 100]);
        assert_eq!(read(&HeaderMap::new(), body.clone(), 100).await.unwrap(), body);
    }

    #[tokio::test]
    async fn endless_body_is_rejected_once_it_passes_the_limit() {
        let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let problem = read(&HeaderMap::new(), Endless(asked.clone()), 4096).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 5);
    }

    #[tokio::test]
    async fn announced_length_over_limit_is_rejected_before_reading() {
        let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "4097".parse().unwrap());
        let problem = read(&headers, Endless(asked.clone()), 4096).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 0);
    }

    struct Stuck;

    impl BodySource for Stuck {
        async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn stalled_body_times_out() {
        let problem = read(&HeaderMap::new(), Stuck, 4096).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
