//! The service as its users see it, with an in-memory Dapr.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, request};
use dapr_client::fake::{FakeDapr, FaultMode};
use tower::ServiceExt as _;

use super::*;

fn routes(dapr: &Arc<FakeDapr>) -> Router {
    router(Note { dapr: dapr.client(), store: "statestore".to_owned() })
}

async fn ask(routes: &Router, request: request::Builder, body: &'static str) -> (StatusCode, String) {
    let response = routes.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    (status, String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn note_is_stored_and_read() {
    let routes = routes(&FakeDapr::new());
    assert_eq!(ask(&routes, Request::get("/note"), "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(&routes, Request::post("/note"), "milk").await.0, StatusCode::OK);
    assert_eq!(ask(&routes, Request::get("/note"), "").await, (StatusCode::OK, "milk".to_owned()));
}

#[tokio::test]
async fn missing_state_store_is_reported() {
    let dapr = FakeDapr::new();
    dapr.set_state_mode(FaultMode::Failing);
    let routes = routes(&dapr);
    assert_eq!(ask(&routes, Request::get("/note"), "").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&routes, Request::get("/healthz"), "").await.0, StatusCode::SERVICE_UNAVAILABLE);
}
