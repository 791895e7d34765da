//! Image classification service.
//!
//! `POST /classify` takes the bytes of an image and responds with a sentence, `hotdog is detected with 255/255
//! confidence`, or with the likeliest classes if `Accept` asks for JSON. Several images in one form get an array. `GET
//! /model` describes the model.

mod batch;
mod classes;
mod decoded_image;
mod model;
mod response;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use dapr_client::TraceContext;
use http::{HeaderMap, StatusCode};
use image_intake::{DEFAULT_MAX_PIXELS, ImageError, InputImage};
use serde::Serialize;
use service_kit::events::{Delivery, Event, Round};
use service_kit::form::{Images, Part};
use service_kit::{
    Check, ClientAddress, EdgeSettings, Endpoint, Environment, Health, Log, Problem, Service, StderrLog, Usage,
    UsageSettings, accepts,
};

use batch::Outcome;
use response::Finding;

pub use classes::Class;
pub use decoded_image::DecodedImage;
pub use model::{
    Backend, Classified, Classifier, DEFAULT_MODEL_MEMORY, Description, Inference, LoadedModel, ModelError,
};

const PORT: u16 = 9006;
const DAPR_HTTP_PORT: u16 = 3504;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Value of `op_type` in this service's events.
const OPERATION: &str = "classify";

/// Default number of classes in a JSON response; `k` overrides it.
const DEFAULT_TOP: usize = 5;

/// Default directory of a model that replaces the embedded one.
const MODEL_DIR: &str = "model";

const DESCRIPTION: service_kit::Description = service_kit::Description {
    name: "image-api-classify",
    about: "Says what a picture shows",
    endpoints: &[
        Endpoint::post(
            "/classify",
            "takes the bytes of a JPEG, PNG, GIF, WebP or BMP and answers what it shows in a sentence; with `Accept: application/json` the likeliest classes, five or `?k=`; several pictures as `multipart/form-data` are answered with an array",
        ),
        Endpoint::get("/model", "describes the model"),
        Endpoint::post("/deliver-events", "delivers events that wait; called by a cron binding"),
    ],
};

/// Rate limit, events, and the model or the reason why there is none.
struct Classify {
    usage: Usage,
    model: Result<Box<dyn Classifier>, ModelError>,
    max_pixels: u64,
}

/// A request's user and trace.
struct Caller {
    user: ClientAddress,
    trace: TraceContext,
}

/// Builds the service from its environment, and loads the model.
///
/// Reads the settings of [`EdgeSettings`] and [`UsageSettings`], `MAX_PIXELS`, `MODEL_DIR` and `MODEL_MEMORY_BYTES`.
pub fn service(environment: &mut Environment<'_>) -> Service {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let usage = Usage::new(UsageSettings::read(environment, DAPR_HTTP_PORT));
    let max_pixels = environment.parsed("MAX_PIXELS", "a number of pixels", DEFAULT_MAX_PIXELS);
    let memory = environment.parsed("MODEL_MEMORY_BYTES", "a number of bytes", DEFAULT_MODEL_MEMORY);
    let directories = environment.text("MODEL_DIR").map(|text| directories(&text)).unwrap_or_default();
    let model = load(&directories, memory, &StderrLog);
    Service::new(DESCRIPTION, edge, router(Classify { usage, model, max_pixels }))
}

fn router(service: Classify) -> Router {
    Router::new()
        .route("/classify", post(classify))
        .route("/model", get(model))
        .route("/deliver-events", post(deliver_events))
        .route("/healthz", get(health))
        .with_state(Arc::new(service))
}

async fn classify(
    State(service): State<Arc<Classify>>,
    user: ClientAddress,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    images: Images,
) -> Result<Response, Problem> {
    let top = top(query.as_deref())?;
    let caller = Caller { user, trace: TraceContext::from_headers(&headers) };
    match images {
        Images::Body(image) => service.classify_one(&caller, &image, &headers, top).await,
        Images::Form(parts) => service.classify_all(&caller, &parts, top).await,
    }
}

async fn model(State(service): State<Arc<Classify>>) -> Result<Response, Problem> {
    Ok(response::with_type("application/json", json(service.model()?.description())?))
}

async fn deliver_events(State(service): State<Arc<Classify>>) -> Result<Round, Problem> {
    service.usage.events.deliver().await
}

async fn health(State(service): State<Arc<Classify>>) -> Health {
    let mut checks = vec![match &service.model {
        Ok(model) => {
            let model = model.description();
            Check::ok("model").because(format!("{}; {}", model.summary(), model.computes))
        }
        Err(error) => Check::unavailable("model", error.to_string()),
    }];
    checks.extend(service.usage.checks().await);
    Health::from_checks(checks)
}

impl Classify {
    fn model(&self) -> Result<&dyn Classifier, Problem> {
        self.model.as_deref().map_err(without_model)
    }

    async fn classify_one(
        &self,
        caller: &Caller,
        image: &[u8],
        headers: &HeaderMap,
        top: usize,
    ) -> Result<Response, Problem> {
        let (found, delivery) = self.find(caller, image).await;
        let response = match found {
            Ok(finding) if accepts(headers, "application/json") => {
                let body = response::with_type("application/json", json(&finding.top(top))?);
                (finding.server_timing(), body).into_response()
            }
            Ok(finding) => response::with_type("text/plain; charset=utf-8", finding.sentence()),
            Err(problem) => problem.into_response(),
        };
        Ok((delivery, response).into_response())
    }

    /// Classifies each image of a form, with its own count and event, as if it had come alone.
    async fn classify_all(&self, caller: &Caller, parts: &[Part], top: usize) -> Result<Response, Problem> {
        let mut findings = Vec::new();
        for part in parts {
            let (found, delivery) = self.find(caller, &part.bytes).await;
            findings.push((part, found, delivery));
        }
        let outcomes: Vec<Outcome<'_>> =
            findings.iter().map(|(part, found, delivery)| outcome(part, found, *delivery, top)).collect();
        // The worst outcome of all events.
        let delivery = findings.iter().filter_map(|(_, _, delivery)| *delivery).max();
        Ok((delivery, response::with_type("application/json", json(&outcomes)?)).into_response())
    }

    /// Classifies an image while its event is on its way.
    async fn find(&self, caller: &Caller, image: &[u8]) -> (Result<Finding<'_>, Problem>, Option<Delivery>) {
        let decoded = match self.decode(caller, image).await {
            Ok(decoded) => decoded,
            Err(problem) => return (Err(problem), None),
        };
        let event = self.usage.events.begin(Event::now(OPERATION, image.len()), caller.trace.clone()).await;
        let found = found_in(&decoded);
        (found, Some(event.finish().await))
    }

    /// Decodes an image while its user is counted.
    async fn decode(&self, caller: &Caller, image: &[u8]) -> Result<DecodedImage<'_>, Problem> {
        let turn = self.usage.limiter.reserve(caller.user.0).await?;
        let image = InputImage::admit(image, self.max_pixels).map_err(rejected)?;
        // Checked first, because without a model decoding would be wasted.
        let model = self.model()?;
        let decoded = DecodedImage::new(&image, model).map_err(rejected)?;
        turn.confirm().await?;
        Ok(decoded)
    }
}

fn rejected(error: ImageError) -> Problem {
    Problem::new(error.status(), error.to_string())
}

/// Splits a list such as `models/large, models/small`.
fn directories(text: &str) -> Vec<PathBuf> {
    text.split(',').map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// Loads the first directory that exists, else the default directory if it exists, else the embedded model.
///
/// If directories are named and none exists, that is an error. So is an existing directory without a valid model:
/// falling back to the next one would change the results.
fn load(directories: &[PathBuf], memory: u64, log: &dyn Log) -> Result<Box<dyn Classifier>, ModelError> {
    let usual = || Some(PathBuf::from(MODEL_DIR)).filter(|path| path.is_dir());
    let named = directories.iter().find(|path| path.is_dir()).or(directories.last()).cloned();
    let loaded = match named.or_else(usual) {
        Some(directory) => LoadedModel::in_directory(&directory, memory),
        None => LoadedModel::embedded(memory),
    };
    match &loaded {
        Ok(model) => {
            let Description { name, computes, load_ms, first_inference_ms, .. } = model.description();
            log.line(&model.description().summary());
            log.line(&format!("model {name}: loaded in {load_ms} ms, first image {first_inference_ms} ms; {computes}"));
        }
        Err(error) => log.line(&format!("there is no model to ask: {error}")),
    }
    loaded.map(|model| Box::new(model) as Box<dyn Classifier>)
}

fn found_in<'a>(decoded: &DecodedImage<'a>) -> Result<Finding<'a>, Problem> {
    let classified = decoded.classify().map_err(|error| without_model(&error))?;
    Ok(Finding { model: decoded.model.description(), classified, decoding: decoded.decoding })
}

/// Parses `k` of the query: the number of classes in the response.
fn top(query: Option<&str>) -> Result<usize, Problem> {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("k="));
    let Some(asked) = asked else { return Ok(DEFAULT_TOP) };
    let count = asked.parse().ok().filter(|count| *count > 0);
    let detail = "k is how many classes are asked for: a number from 1 on";
    count.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, detail).in_field("k"))
}

fn outcome<'a>(
    part: &'a Part,
    found: &'a Result<Finding<'a>, Problem>,
    delivery: Option<Delivery>,
    top: usize,
) -> Outcome<'a> {
    let status = found.as_ref().map_or_else(Problem::status, |_| StatusCode::OK);
    Outcome {
        name: part.name.as_deref(),
        file: part.file.as_deref(),
        status: status.as_u16(),
        top: found.as_ref().ok().map(|finding| finding.top(top)),
        detail: found.as_ref().err().map(Problem::detail),
        event_delivery: delivery.map(Delivery::name),
    }
}

fn json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn without_model(error: &ModelError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::service, requests: u32::MAX);

#[cfg(test)]
mod tests;
