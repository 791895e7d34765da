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

use async_trait::async_trait;
use http::StatusCode;
use image_intake::{DEFAULT_MAX_PIXELS, InputImage};
use serde::Serialize;
use service_kit::events::Delivery;
use service_kit::form::{self, Part};
use service_kit::{
    App, Call, Check, EdgeSettings, Environment, Health, Log, Problem, Response, Route, Service, SystemClock,
    UsagePolicy, UsageSettings, accepts,
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

/// The service.
pub struct Classify {
    usage: UsagePolicy,
    model: Result<Box<dyn Classifier>, ModelError>,
    max_pixels: u64,
}

/// Endpoints of the service's routes.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Classifies an image.
    Classify,
    /// Describes the model.
    Model,
    /// Delivers pending events.
    DeliverEvents,
}

/// Builds the service from its environment, and loads the model.
///
/// Reads the settings of [`EdgeSettings`] and [`UsageSettings`], `MAX_PIXELS`, `MODEL_DIR` and `MODEL_MEMORY_BYTES`.
pub fn service(environment: &mut Environment<'_>, log: Arc<dyn Log>) -> Service<Classify> {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let usage = UsageSettings::read(environment, DAPR_HTTP_PORT);
    let max_pixels = environment.parsed("MAX_PIXELS", "a number of pixels", DEFAULT_MAX_PIXELS);
    let memory = environment.parsed("MODEL_MEMORY_BYTES", "a number of bytes", DEFAULT_MODEL_MEMORY);
    let directories = environment.text("MODEL_DIR").map(|text| directories(&text)).unwrap_or_default();
    let usage = UsagePolicy::new(usage, Arc::new(SystemClock), Arc::clone(&log));
    let model = load(&directories, memory, log.as_ref());
    Service::new(Classify::new(usage, model, max_pixels), edge).with_log(log)
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

impl Classify {
    /// Creates a service with a model, or the reason why there is none, for images of at most `max_pixels`.
    #[must_use]
    pub fn new(usage: UsagePolicy, model: Result<Box<dyn Classifier>, ModelError>, max_pixels: u64) -> Self {
        Self { usage, model, max_pixels }
    }

    fn model(&self) -> Result<&dyn Classifier, Problem> {
        self.model.as_deref().map_err(without_model)
    }

    async fn classify(&self, call: &Call) -> Result<Response, Problem> {
        let top = top(call.request.uri().query())?;
        if let Some(boundary) = form::boundary(call) {
            return self.classify_all(call, form::parts(call, boundary).await?, top).await;
        }
        let (found, delivery) = self.find(call, call.request.body()).await;
        let finding = found.map_err(|problem| match delivery {
            Some(delivery) => delivery.add_to_problem(problem),
            None => problem,
        })?;
        let mut response = if accepts(call.request.headers(), "application/json") {
            let mut response = response::response_of_type("application/json", json(&finding.top(top))?);
            finding.add_times(&mut response);
            response
        } else {
            response::response_of_type("text/plain; charset=utf-8", finding.sentence())
        };
        if let Some(delivery) = delivery {
            delivery.add_to_response(&mut response);
        }
        Ok(response)
    }

    /// Classifies each image of a form, with its own count and event, as if it had come alone.
    async fn classify_all(&self, call: &Call, parts: Vec<Part>, top: usize) -> Result<Response, Problem> {
        let mut findings = Vec::new();
        for part in &parts {
            let (found, delivery) = self.find(call, &part.bytes).await;
            findings.push((part, found, delivery));
        }
        let outcomes: Vec<Outcome<'_>> =
            findings.iter().map(|(part, found, delivery)| outcome(part, found, *delivery, top)).collect();
        let mut response = response::response_of_type("application/json", json(&outcomes)?);
        // The worst outcome of all events.
        if let Some(delivery) = findings.iter().filter_map(|(_, _, delivery)| *delivery).max() {
            delivery.add_to_response(&mut response);
        }
        Ok(response)
    }

    /// Classifies an image while its event is on its way.
    async fn find(&self, call: &Call, bytes: &[u8]) -> (Result<Finding<'_>, Problem>, Option<Delivery>) {
        match self.usage.admit(call, || self.decode(bytes)).await.flatten() {
            Ok(decoded) => {
                let look = || found_in(&decoded);
                let (delivery, found) = self.usage.record_event(call, OPERATION, bytes.len(), look).await;
                (found, Some(delivery))
            }
            Err(problem) => (Err(problem), None),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<DecodedImage<'_>, Problem> {
        let refused = |refusal: image_intake::ImageError| Problem::new(refusal.status(), refusal.to_string());
        let picture = InputImage::admit(bytes, self.max_pixels).map_err(refused)?;
        // Checked first, because without a model decoding would be wasted.
        let model = self.model()?;
        DecodedImage::new(&picture, model).map_err(refused)
    }
}

#[async_trait]
impl App for Classify {
    type Endpoint = Endpoint;

    const NAME: &'static str = "image-api-classify";
    const ABOUT: &'static str = "Says what a picture shows";
    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::post(
            "/classify",
            Endpoint::Classify,
            "takes the bytes of a JPEG, PNG, GIF, WebP or BMP and answers what it shows in a sentence; with `Accept: application/json` the likeliest classes, five or `?k=`; several pictures as `multipart/form-data` are answered with an array",
        ),
        Route::get("/model", Endpoint::Model, "describes the model"),
        Route::post("/deliver-events", Endpoint::DeliverEvents, "delivers events that wait; called by a cron binding"),
    ];

    async fn call(&self, endpoint: Endpoint, call: Call) -> Result<Response, Problem> {
        match endpoint {
            Endpoint::Classify => self.classify(&call).await,
            Endpoint::Model => Ok(response::response_of_type("application/json", json(self.model()?.description())?)),
            Endpoint::DeliverEvents => self.usage.deliver().await,
        }
    }

    async fn health(&self) -> Health {
        let mut checks = vec![match &self.model {
            Ok(model) => {
                let model = model.description();
                Check::ok("model").because(format!("{}; {}", model.summary(), model.computes))
            }
            Err(error) => Check::unavailable("model", error.to_string()),
        }];
        checks.extend(self.usage.checks().await);
        Health::from_checks(checks)
    }
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
service_kit::component!(crate::Classify, crate::service, requests: u32::MAX);

#[cfg(test)]
mod tests;
