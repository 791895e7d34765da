//! The service as its users see it, with an in-memory Dapr.

use bytes::Bytes;
use dapr_client::fake::{FakeDapr, FaultMode};
use http::Request;

use super::*;

fn service(dapr: &Arc<FakeDapr>) -> Service<Notepad> {
    let mut environment = Environment::new(&|_| None);
    let edge = EdgeSettings::read(&mut environment, PORT, MAX_BODY_BYTES);
    Service::new(Notepad::new(dapr.client(), "statestore".to_owned()), edge)
}

async fn ask(service: &Service<Notepad>, request: http::request::Builder, body: &'static str) -> (StatusCode, Bytes) {
    let (head, body) = request.body(Bytes::from_static(body.as_bytes())).unwrap().into_parts();
    let response = service.handle(head, body, "9.9.9.9".parse().unwrap()).await;
    (response.status(), response.into_body())
}

#[tokio::test]
async fn note_is_stored_and_read() {
    let service = service(&FakeDapr::new());
    assert_eq!(ask(&service, Request::get("/note"), "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(&service, Request::post("/note"), "milk").await.0, StatusCode::OK);
    assert_eq!(ask(&service, Request::get("/note"), "").await, (StatusCode::OK, "milk".into()));
}

#[tokio::test]
async fn missing_state_store_is_reported() {
    let dapr = FakeDapr::new();
    dapr.set_state_mode(FaultMode::Failing);
    let service = service(&dapr);
    assert_eq!(ask(&service, Request::get("/note"), "").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&service, Request::get("/healthz"), "").await.0, StatusCode::SERVICE_UNAVAILABLE);
}
