//! The service as its users see it, with a classifier that knows one picture.

use std::io::Cursor;

use bytes::Bytes;
use dapr_client::fake::{FakeDapr, reply};
use http::Request;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::Value;

use super::*;

struct Quiet;

impl Log for Quiet {
    fn line(&self, _: &str) {}
}

struct Known;

impl Classifier for Known {
    fn check(&self) -> Result<(), ModelError> {
        Ok(())
    }

    fn classify(&self, _: &DynamicImage) -> Result<Vec<Class>, ModelError> {
        let labels: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        Ok(classes::from_scores(&[1, 2, 250, 3, 4, 5], &labels))
    }
}

fn service(classifier: Box<dyn Classifier>) -> Service<Classify> {
    let mut environment = Environment::new(&|_| None);
    let edge = EdgeSettings::read(&mut environment, PORT, 4096);
    let settings = AccountingSettings::read(&mut environment, DAPR_HTTP_PORT);
    let dapr = FakeDapr::new();
    dapr.on_invoke(|_, _| reply(StatusCode::OK, ""));
    let accounting = Accounting::through(dapr.client(), settings, Arc::new(SystemClock), Arc::new(Quiet));
    Service::new(Classify::new(accounting, classifier, 1_000_000), edge).with_log(Arc::new(Quiet))
}

async fn ask(service: &Service<Classify>, request: http::request::Builder, body: Bytes) -> (StatusCode, String) {
    let (head, body) = request.body(body).unwrap().into_parts();
    let response = service.answer(head, body, "9.9.9.9".parse().unwrap()).await;
    (response.status(), String::from_utf8(response.body().to_vec()).unwrap())
}

fn sample() -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(4, 4).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

#[tokio::test]
async fn the_likeliest_class_is_told_in_a_sentence() {
    let answer = ask(&service(Box::new(Known)), Request::post("/classify"), sample()).await;
    assert_eq!(answer, (StatusCode::OK, "c is detected with 250/255 confidence".to_owned()));
}

#[tokio::test]
async fn who_accepts_json_gets_the_five_likeliest() {
    let request = Request::post("/classify").header("accept", "application/json");
    let (_, body) = ask(&service(Box::new(Known)), request, sample()).await;
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
async fn without_a_model_the_service_is_up_and_says_how_to_get_one() {
    let service = service(Box::new(ModelDirectory::new("no/such/directory".into())));
    let (status, body) = ask(&service, Request::post("/classify"), sample()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("no/such/directory") && body.contains("model.onnx") && body.contains("MODEL_DIR"), "{body}");
    let (health, reasons) = ask(&service, Request::get("/healthz"), Bytes::new()).await;
    assert_eq!(health, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reasons.contains("model.onnx"), "{reasons}");
    assert_eq!(ask(&service, Request::get("/"), Bytes::new()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn bad_pictures_are_refused_as_everywhere() {
    let service = service(Box::new(Known));
    for (body, status) in [
        (Bytes::new(), StatusCode::BAD_REQUEST),
        (Bytes::from_static(b"text"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (sample().slice(..40), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(ask(&service, Request::post("/classify"), body).await.0, status);
    }
}
