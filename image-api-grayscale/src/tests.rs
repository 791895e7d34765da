//! The service as its users see it, with an in-memory Dapr.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dapr_client::fake::{FakeDapr, FaultMode, reply};
use http::{Request, StatusCode};
use image::{ImageFormat, Rgb, RgbImage};
use service_kit::Log;
use tower::ServiceExt as _;

use super::*;

type Response = http::Response<Bytes>;

fn sample(format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_fn(16, 8, |x, _| Rgb([(x * 16) as u8, 80, 40])).write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

struct Quiet;

impl Log for Quiet {
    fn line(&self, _: &str) {}
}

fn setup(variables: &'static [(&'static str, &'static str)]) -> (Arc<FakeDapr>, Router) {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let mut environment = Environment::new(&lookup);
    let edge = EdgeSettings::read(&mut environment, PORT, 4096);
    let settings = UsageSettings::read(&mut environment, DAPR_HTTP_PORT);
    environment.finish().unwrap();
    let dapr = FakeDapr::new();
    dapr.on_invoke(|_, _| reply(StatusCode::OK, r#"{"status":true}"#));
    let usage = Usage::with_client(dapr.client(), settings);
    let service = Service::new(DESCRIPTION, edge, router(Grayscale { usage, max_pixels: 1_000_000 }));
    (dapr, service.with_log(Arc::new(Quiet)).into_router())
}

async fn ask(service: &Router, request: http::request::Builder, body: Bytes) -> Response {
    let request = request.body(Body::from(body)).unwrap();
    let (head, body) = service.clone().oneshot(request).await.unwrap().into_parts();
    Response::from_parts(head, to_bytes(body, usize::MAX).await.unwrap())
}

async fn post(service: &Router, body: Bytes) -> Response {
    ask(service, Request::post("/grayscale"), body).await
}

#[tokio::test]
async fn response_is_base64_of_a_gray_png() {
    let (_, service) = setup(&[]);
    let response = post(&service, sample(ImageFormat::Jpeg)).await;
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"text/plain".parse().unwrap())
    );
    let png = STANDARD.decode(response.body()).unwrap();
    let gray = image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap();
    assert_eq!((gray.width(), gray.height(), gray.color()), (16, 8, image::ColorType::L8));
}

#[tokio::test]
async fn accepting_png_gets_the_image_itself() {
    let (_, service) = setup(&[]);
    let request = Request::post("/grayscale").header("accept", "image/png");
    let response = ask(&service, request, sample(ImageFormat::Bmp)).await;
    assert_eq!(response.headers()["content-type"], "image/png");
    assert!(response.body().starts_with(b"\x89PNG"));
}

/// Sends files as `curl -F` does.
async fn post_form(service: &Router, accept: &str, parts: &[(&str, Bytes)]) -> Response {
    let part = |(file, bytes): &(&str, Bytes)| {
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\r\n");
        [head.as_bytes(), bytes, b"\r\n"].concat()
    };
    let body = [parts.iter().map(part).collect::<Vec<_>>().concat(), b"--edge--\r\n".to_vec()].concat();
    let request = Request::post("/grayscale").header("content-type", "multipart/form-data; boundary=edge");
    ask(service, request.header("accept", accept), body.into()).await
}

#[tokio::test]
async fn form_with_one_image_gets_the_same_response() {
    let (_, service) = setup(&[]);
    let plain = post(&service, sample(ImageFormat::Jpeg)).await;
    let form = post_form(&service, "*/*", &[("x.jpg", sample(ImageFormat::Jpeg))]).await;
    assert_eq!((form.status(), form.body()), (StatusCode::OK, plain.body()));
    assert_eq!(form.headers()["content-type"], "text/plain");
    let form = post_form(&service, "image/png", &[("x.jpg", sample(ImageFormat::Jpeg))]).await;
    assert!(form.body().starts_with(b"\x89PNG"));
    let form = post_form(&service, "*/*", &[("x.txt", Bytes::from_static(b"text"))]).await;
    assert_eq!(form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(post_form(&service, "*/*", &[]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn form_with_several_images_gets_an_array() {
    let (_, service) = setup(&[]);
    let parts = [
        ("a.jpg", sample(ImageFormat::Jpeg)),
        ("b.txt", Bytes::from_static(b"text")),
        ("c.gif", sample(ImageFormat::Gif)),
    ];
    let response = post_form(&service, "*/*", &parts).await;
    assert_eq!(response.headers()["event-delivery"], "recorded");
    let outcomes: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let column = |name: &str| outcomes.as_array().unwrap().iter().map(|each| each[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("status"), [200, 415, 200]);
    assert_eq!(column("file"), ["a.jpg", "b.txt", "c.gif"]);
    assert_eq!(column("media_type"), ["image/png".into(), serde_json::Value::Null, "image/gif".into()]);
    let first = post(&service, sample(ImageFormat::Jpeg)).await;
    assert_eq!(outcomes[0]["base64"].as_str().unwrap().as_bytes(), first.body());
    assert!(outcomes[1]["detail"].as_str().unwrap().contains("no picture"));
}

#[tokio::test]
async fn pixels_of_a_form_are_limited_together() {
    let (_, service) = setup(&[]);
    let large = |side: u32| {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(side, side).write_to(&mut bytes, ImageFormat::WebP).unwrap();
        Bytes::from(bytes.into_inner())
    };
    let response = post_form(&service, "*/*", &[("a", large(800)), ("b", large(800)), ("c", large(500))]).await;
    let outcomes: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let statuses: Vec<_> = outcomes.as_array().unwrap().iter().map(|each| each["status"].clone()).collect();
    assert_eq!(statuses, [200, 413, 200]);
}

#[tokio::test]
async fn gif_stays_a_gif() {
    let (_, service) = setup(&[]);
    let response = post(&service, sample(ImageFormat::Gif)).await;
    assert!(STANDARD.decode(response.body()).unwrap().starts_with(b"GIF89a"));
    let request = Request::post("/grayscale").header("accept", "image/*");
    assert_eq!(ask(&service, request, sample(ImageFormat::Gif)).await.headers()["content-type"], "image/gif");
}

#[tokio::test]
async fn invalid_input_gets_a_specific_error() {
    let (_, service) = setup(&[]);
    let picture = sample(ImageFormat::Png);
    for (body, status) in [
        (Bytes::new(), StatusCode::BAD_REQUEST),
        (Bytes::from_static(b"not a picture"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (picture.slice(..picture.len() - 30), StatusCode::UNPROCESSABLE_ENTITY),
        (Bytes::from_static(&[0; 4097]), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let response = post(&service, body).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_errors() {
    let (_, service) = setup(&[]);
    let response = ask(&service, Request::get("/nothing"), Bytes::new()).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let response = ask(&service, Request::get("/grayscale"), Bytes::new()).await;
    assert_eq!(
        (response.status(), &response.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST, OPTIONS".parse().unwrap())
    );
}

#[tokio::test]
async fn dapr_binding_probe_finds_the_cron_endpoint() {
    let (_, service) = setup(&[]);
    let probe = ask(&service, Request::options("/deliver-events"), Bytes::new()).await;
    assert_eq!(probe.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn image_records_an_event_with_its_input_size() {
    let (dapr, service) = setup(&[]);
    let picture = sample(ImageFormat::Png);
    let size = picture.len();
    dapr.on_invoke(move |app_id, request| {
        let event: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(
            (app_id, &event["op_type"], &event["input_size"]),
            ("events-service", &"grayscale".into(), &size.into())
        );
        reply(StatusCode::OK, "")
    });
    assert_eq!(post(&service, picture).await.headers()["event-delivery"], "recorded");
}

#[tokio::test]
async fn user_over_limit_gets_retry_after() {
    let (_, service) = setup(&[("RATE_LIMIT_PER_MINUTE", "1"), ("RATE_LIMIT_BURST", "1")]);
    assert_eq!(post(&service, sample(ImageFormat::Png)).await.status(), StatusCode::OK);
    let response = post(&service, sample(ImageFormat::Png)).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "60");
}

#[tokio::test(start_paused = true)]
async fn missing_dapr_degrades_health_but_not_images() {
    let (dapr, service) = setup(&[]);
    dapr.set_state_mode(FaultMode::Hanging);
    dapr.set_invoke_mode(FaultMode::Hanging);
    let began = tokio::time::Instant::now();
    let response = post(&service, sample(ImageFormat::Png)).await;
    assert_eq!(
        (response.status(), &response.headers()["event-delivery"]),
        (StatusCode::OK, &"dropped".parse().unwrap())
    );
    assert!(began.elapsed() < Duration::from_millis(800), "the two deadlines bound the delay");

    let health = ask(&service, Request::get("/healthz"), Bytes::new()).await;
    let text = String::from_utf8(health.body().to_vec()).unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(
        text.contains(r#""status":"degraded""#) && text.contains("state store") && text.contains("events wait"),
        "{text}"
    );
}

#[tokio::test]
async fn description_lists_routes_and_head_has_no_body() {
    let (_, service) = setup(&[]);
    let response = ask(&service, Request::get("/"), Bytes::new()).await;
    let description: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(description["name"], "image-api-grayscale");
    assert!(description["endpoints"].as_array().unwrap().iter().any(|route| route["path"] == "/grayscale"));
    for Endpoint { method, path, .. } in DESCRIPTION.endpoints {
        let probe = ask(&service, Request::options(*path), Bytes::new()).await;
        assert!(probe.headers()["allow"].to_str().unwrap().contains(method), "{method} {path}");
    }
    let head = ask(&service, Request::head("/"), Bytes::new()).await;
    assert!(head.body().is_empty());
    assert_eq!(head.headers()["content-length"], response.body().len().to_string());
}
