//! The service as its users see it, with a classifier of fixed results.

mod models;
mod photographs;

use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use dapr_client::fake::{FakeDapr, reply};
use http::Request;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

type Response = http::Response<Bytes>;

struct Quiet;

impl Log for Quiet {
    fn line(&self, _: &str) {}
}

/// A classifier that is sure of the third of six classes, or less sure.
struct Known(Description);

impl Known {
    fn model(unsure_below: f32) -> Box<dyn Classifier> {
        let mut description = LoadedModel::embedded(DEFAULT_MODEL_MEMORY).unwrap().description().clone();
        description.name = "known".to_owned();
        description.output.unsure_below = unsure_below;
        Box::new(Self(description))
    }
}

impl Classifier for Known {
    fn description(&self) -> &Description {
        &self.0
    }

    fn classify(&self, _: &DynamicImage) -> Result<Classified, ModelError> {
        let labels: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        let classes = classes::from_scores(&[1, 2, 250, 3, 4, 5], &labels);
        Ok(Classified { classes, preprocessing: Duration::from_millis(1), inference: Duration::from_millis(2) })
    }
}

/// A classifier that fails, and records how many events were under way by then.
struct Failing {
    known: Box<dyn Classifier>,
    events: Arc<AtomicUsize>,
}

impl Classifier for Failing {
    fn description(&self) -> &Description {
        self.known.description()
    }

    fn classify(&self, _: &DynamicImage) -> Result<Classified, ModelError> {
        Err(ModelError::Run(format!("{} events", self.events.load(Ordering::Relaxed))))
    }
}

fn known() -> Router {
    service(Ok(Known::model(0.5)))
}

fn service(model: Result<Box<dyn Classifier>, ModelError>) -> Router {
    counting(model, Arc::default())
}

/// Creates a service whose events are counted.
fn counting(model: Result<Box<dyn Classifier>, ModelError>, events: Arc<AtomicUsize>) -> Router {
    let mut environment = Environment::new(&|_| None);
    let edge = EdgeSettings::read(&mut environment, PORT, MAX_BODY_BYTES);
    let settings = UsageSettings::read(&mut environment, DAPR_HTTP_PORT);
    let dapr = FakeDapr::new();
    dapr.on_invoke(move |_, _| {
        events.fetch_add(1, Ordering::Relaxed);
        reply(StatusCode::OK, "")
    });
    let usage = Usage::with_client(dapr.client(), settings);
    let routes = router(Classify { usage, model, max_pixels: 1_000_000 });
    Service::new(DESCRIPTION, edge, routes).with_log(Arc::new(Quiet)).into_router()
}

async fn ask(service: &Router, request: http::request::Builder, body: Bytes) -> (StatusCode, String) {
    let response = handle(service, request, body).await;
    (response.status(), String::from_utf8(response.body().to_vec()).unwrap())
}

async fn handle(service: &Router, request: http::request::Builder, body: Bytes) -> Response {
    let request = request.body(Body::from(body)).unwrap();
    let (head, body) = service.clone().oneshot(request).await.unwrap().into_parts();
    Response::from_parts(head, to_bytes(body, usize::MAX).await.unwrap())
}

fn sample() -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(4, 4).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

#[tokio::test]
async fn response_is_a_sentence_with_the_likeliest_class() {
    let answer = ask(&known(), Request::post("/classify"), sample()).await;
    assert_eq!(answer, (StatusCode::OK, "c is detected with 250/255 confidence".to_owned()));
}

#[tokio::test]
async fn json_response_has_the_five_likeliest_classes() {
    let request = Request::post("/classify").header("accept", "application/json");
    let (_, body) = ask(&known(), request, sample()).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    let classes = answer["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 5);
    assert_eq!(
        (&classes[0]["label"], &classes[0]["index"], &classes[0]["score"]),
        (&"c".into(), &2.into(), &250.into())
    );
    assert_eq!(classes[1]["label"], "f");
}

#[tokio::test]
async fn missing_model_is_503_with_instructions() {
    let missing =
        LoadedModel::in_directory(Path::new("no/such/directory"), DEFAULT_MODEL_MEMORY).map(|_| Known::model(0.5));
    let service = service(missing);
    let (status, body) = ask(&service, Request::post("/classify"), sample()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("no/such/directory") && body.contains("model.onnx") && body.contains("MODEL_DIR"), "{body}");
    let (health, reasons) = ask(&service, Request::get("/healthz"), Bytes::new()).await;
    assert_eq!(health, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reasons.contains("model.onnx"), "{reasons}");
    assert_eq!(ask(&service, Request::get("/model"), Bytes::new()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&service, Request::get("/"), Bytes::new()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn event_is_sent_before_inference_even_if_that_fails() {
    let events = Arc::<AtomicUsize>::default();
    let model = Failing { known: Known::model(0.5), events: Arc::clone(&events) };
    let service = counting(Ok(Box::new(model)), events);
    let failed = handle(&service, Request::post("/classify"), sample()).await;
    assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.headers()["event-delivery"], "recorded");
    assert!(String::from_utf8_lossy(failed.body()).contains("the model failed: 1 events"));
    let (_, body) = ask(&service, form_request(), form(&[("one.png", &sample())])).await;
    let failed: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&failed[0]["status"], &failed[0]["event_delivery"]), (&503.into(), &"recorded".into()));
}

#[tokio::test]
async fn rejected_image_records_no_event() {
    let events = Arc::<AtomicUsize>::default();
    let service = counting(Ok(Known::model(0.5)), Arc::clone(&events));
    let refused = handle(&service, Request::post("/classify"), Bytes::from_static(b"text")).await;
    assert_eq!((refused.status(), refused.headers().get("event-delivery")), (StatusCode::UNSUPPORTED_MEDIA_TYPE, None));
    ask(&service, form_request(), form(&[("text.txt", b"text"), ("one.png", &sample())])).await;
    assert_eq!(events.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn invalid_images_are_rejected() {
    let service = known();
    for (body, status) in [
        (Bytes::new(), StatusCode::BAD_REQUEST),
        (Bytes::from_static(b"text"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (sample().slice(..40), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(ask(&service, Request::post("/classify"), body).await.0, status);
    }
}

#[tokio::test]
async fn low_confidence_is_reported_as_unsure() {
    let unsure = service(Ok(Known::model(0.99)));
    let answer = ask(&unsure, Request::post("/classify"), sample()).await;
    assert_eq!(answer, (StatusCode::OK, "unsure: c is the best guess with 250/255 confidence".to_owned()));
    let request = Request::post("/classify").header("accept", "application/json");
    let (_, body) = ask(&unsure, request, sample()).await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["unsure"], true);
}

#[tokio::test]
async fn json_has_k_classes_and_the_times() {
    let request = |uri: &str| Request::post(uri).header("accept", "application/json");
    for (uri, count) in [("/classify?k=2", 2), ("/classify?k=99", 6), ("/classify?a=b&k=1", 1)] {
        let (_, body) = ask(&known(), request(uri), sample()).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["classes"].as_array().unwrap().len(), count, "{uri}");
        assert_eq!((&answer["model"], &answer["classes"][0]["raw"]), (&"known".into(), &250.0.into()));
        assert_eq!((&answer["times_ms"]["preprocess"], &answer["times_ms"]["inference"]), (&1.0.into(), &2.0.into()));
    }
    for uri in ["/classify?k=0", "/classify?k=many", "/classify?k=-1"] {
        let (status, body) = ask(&known(), request(uri), sample()).await;
        assert_eq!((status, body.contains(r#""field":"k""#)), (StatusCode::BAD_REQUEST, true), "{uri}");
    }
}

#[tokio::test]
async fn server_timing_header_has_the_times() {
    let request = Request::post("/classify").header("accept", "application/json");
    let response = handle(&known(), request, sample()).await;
    let times = response.headers()["server-timing"].to_str().unwrap();
    assert!(times.starts_with("decode;dur=") && times.ends_with(", preprocess;dur=1, inference;dur=2"), "{times}");
}

#[tokio::test]
async fn model_endpoint_describes_the_model() {
    let (status, body) = ask(&known(), Request::get("/model"), Bytes::new()).await;
    let model: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &model["name"], &model["source"]),
        (StatusCode::OK, &"known".into(), &"part of the service".into())
    );
    assert_eq!(model["sha256"].as_str().unwrap().len(), 64);
    assert_eq!((&model["input"]["width"], &model["output"]["unsure_below"]), (&32.into(), &0.5.into()));
}

fn form(parts: &[(&str, &[u8])]) -> Bytes {
    let mut form = Vec::new();
    for (file, bytes) in parts {
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"{file}\"\r\n\r\n");
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(bytes);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--edge--\r\n");
    form.into()
}

fn form_request() -> http::request::Builder {
    Request::post("/classify?k=1").header("content-type", "multipart/form-data; boundary=edge")
}

#[tokio::test]
async fn batch_with_a_bad_image_classifies_the_others() {
    let sample = sample();
    let pictures = form(&[("one.png", &sample), ("text.txt", b"text"), ("two.png", &sample)]);
    let (status, body) = ask(&known(), form_request(), pictures).await;
    let answers: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, answers.as_array().unwrap().len()), (StatusCode::OK, 3));
    for (at, file) in [(0, "one.png"), (2, "two.png")] {
        let answer = &answers[at];
        assert_eq!((&answer["name"], &answer["file"]), (&"picture".into(), &file.into()));
        assert_eq!((&answer["status"], &answer["classes"][0]["label"]), (&200.into(), &"c".into()));
        assert_eq!(answer["event_delivery"], "recorded");
    }
    assert_eq!((&answers[1]["status"], &answers[1]["classes"]), (&415.into(), &Value::Null));
    assert!(answers[1]["detail"].as_str().unwrap().contains("no picture"));
}

#[tokio::test]
async fn malformed_form_is_a_bad_request() {
    for (form, status) in [
        (Bytes::new(), StatusCode::BAD_REQUEST),
        (Bytes::from_static(b"--edge--\r\n"), StatusCode::BAD_REQUEST),
        (form(&[("one.png", &sample())]).slice(..60), StatusCode::BAD_REQUEST),
        (form(&[("x", &b"x"[..]); service_kit::form::MAX_IMAGES + 1]), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(ask(&known(), form_request(), form).await.0, status);
    }
}

const SAMPLE: &[u8] = include_bytes!("../../docs/sample.jpg");

#[tokio::test]
async fn embedded_model_recognises_the_sample_image() {
    let model = LoadedModel::embedded(DEFAULT_MODEL_MEMORY).map(|model| Box::new(model) as Box<dyn Classifier>);
    let service = service(Ok(model.unwrap()));
    let (status, answer) = ask(&service, Request::post("/classify"), Bytes::from_static(SAMPLE)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(answer.starts_with("ship is detected with "), "{answer}");
}
