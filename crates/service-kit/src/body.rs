//! Request bodies, read piece by piece and never beyond a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dapr_client::timeout;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use crate::Problem;

/// How long the next piece of a body may take before its sender is given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// How much of a refused body is read and thrown away, so that its sender gets to read the refusal: closing a
/// connection with bytes unread resets it.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// A body that arrives in pieces.
pub trait BodySource: Send + 'static {
    /// The next piece; `None` at the end.
    fn next_piece(&mut self) -> impl Future<Output = Option<Result<Bytes, BodyError>>> + Send;
}

/// The body broke off.
#[derive(Debug, thiserror::Error)]
#[error("the request's body broke off")]
pub struct BodyError;

/// A body that is already here.
impl BodySource for Bytes {
    async fn next_piece(&mut self) -> Option<Result<Self, BodyError>> {
        let all = std::mem::take(self);
        (!all.is_empty()).then_some(Ok(all))
    }
}

/// Reads a body of at most `limit` bytes. A longer one is refused at once when its length is announced, and as soon as
/// it shows otherwise; what is kept in memory never exceeds the limit.
pub(crate) async fn read(headers: &HeaderMap, mut body: impl BodySource, limit: usize) -> Result<Bytes, Problem> {
    if announced(headers).is_some_and(|length| length > limit as u64) {
        discard(body).await;
        return Err(too_long(limit));
    }
    let mut whole = BytesMut::new();
    loop {
        let piece = timeout(PATIENCE, body.next_piece()).await.map_err(|_| too_slow())?;
        let Some(piece) = piece else { return Ok(whole.freeze()) };
        let piece = piece.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        if whole.len() + piece.len() > limit {
            discard(body).await;
            return Err(too_long(limit));
        }
        whole.extend_from_slice(&piece);
    }
}

/// Reads what is left of a body and forgets it, beside the answer that is on its way.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) async fn discard(body: impl BodySource) {
    tokio::spawn(forget(body));
}

/// Forgets a body. A component has no time beside its answer, and its host does the reading.
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) async fn discard(body: impl BodySource) {
    drop(body);
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
async fn forget(mut body: impl BodySource) {
    let mut left = MAX_DISCARDED_BYTES;
    while let Ok(Some(Ok(piece))) = timeout(PATIENCE, body.next_piece()).await {
        let Some(rest) = left.checked_sub(piece.len()) else { break };
        left = rest;
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
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

    /// A body that counts how much of it was asked for.
    struct Endless(std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl BodySource for Endless {
        async fn next_piece(&mut self) -> Option<Result<Bytes, BodyError>> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(Ok(Bytes::from_static(&[0; 1024])))
        }
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_taken() {
        let body = Bytes::from_static(&[7; 100]);
        assert_eq!(read(&HeaderMap::new(), body.clone(), 100).await.unwrap(), body);
    }

    #[tokio::test]
    async fn a_body_without_end_is_refused_once_it_passes_the_limit() {
        let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let problem = read(&HeaderMap::new(), Endless(asked.clone()), 4096).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 5);
    }

    #[tokio::test]
    async fn an_announced_length_beyond_the_limit_is_refused_before_reading() {
        let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "4097".parse().unwrap());
        let problem = read(&headers, Endless(asked.clone()), 4096).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 0);
    }

    struct Stuck;

    impl BodySource for Stuck {
        async fn next_piece(&mut self) -> Option<Result<Bytes, BodyError>> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_arriving_is_given_up() {
        let problem = read(&HeaderMap::new(), Stuck, 4096).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
