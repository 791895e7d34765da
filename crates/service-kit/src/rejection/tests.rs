//! Bodies that are too large, too slow or broken.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use futures_util::stream;
use tower::ServiceExt as _;
use tower_http::limit::RequestBodyLimitLayer;

use super::*;

const LIMIT: usize = 4096;

async fn send(request: http::request::Builder, body: Body) -> (StatusCode, String) {
    let router = Router::new()
        .route("/", post(async |body: Bytes| body.len().to_string()))
        .route_layer(RequestBodyLimitLayer::new(LIMIT))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(LIMIT, into_problem));
    let response = router.oneshot(request.method("POST").uri("/").body(body).unwrap()).await.unwrap();
    let status = response.status();
    (status, String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap())
}

/// Creates an endless body that counts the chunks that were read.
fn endless() -> (Body, Arc<AtomicUsize>) {
    let read = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&read);
    let chunks = stream::iter(std::iter::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, io::Error>(Bytes::from_static(&[0; 1024]))
    }));
    (Body::from_stream(chunks), read)
}

#[tokio::test]
async fn body_of_exactly_the_limit_is_accepted() {
    let body = Body::from(vec![7; LIMIT]);
    assert_eq!(send(http::Request::builder(), body).await, (StatusCode::OK, LIMIT.to_string()));
}

#[tokio::test]
async fn endless_body_is_rejected_once_it_passes_the_limit() {
    let (body, read) = endless();
    let (status, text) = send(http::Request::builder(), body).await;
    assert_eq!((status, read.load(Ordering::Relaxed)), (StatusCode::PAYLOAD_TOO_LARGE, 5));
    assert!(text.contains(r#""detail":"the body may have at most 4096 bytes""#), "{text}");
}

#[tokio::test]
async fn announced_length_over_limit_is_rejected_before_reading() {
    let (body, read) = endless();
    let (status, text) = send(http::Request::builder().header("content-length", "4097"), body).await;
    assert_eq!((status, read.load(Ordering::Relaxed)), (StatusCode::PAYLOAD_TOO_LARGE, 0));
    assert!(text.contains(r#""detail":"the body may have at most 4096 bytes""#), "{text}");
}

#[tokio::test]
async fn rest_of_a_rejected_body_is_discarded() {
    let (body, read) = endless();
    send(http::Request::builder(), body).await;
    // 64 MiB in chunks of 1 KiB.
    while read.load(Ordering::Relaxed) < 64 * 1024 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn stalled_body_times_out() {
    let (status, text) =
        send(http::Request::builder(), Body::from_stream(stream::pending::<io::Result<Bytes>>())).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(text.contains("the body did not arrive in time"), "{text}");
}

#[tokio::test]
async fn body_that_breaks_off_is_a_bad_request() {
    let broken = stream::iter([Ok(Bytes::from_static(b"x")), Err(io::Error::other("reset"))]);
    let (status, text) = send(http::Request::builder(), Body::from_stream(broken)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains(r#""detail":"the request's body broke off""#), "{text}");
}
