//! Says what a picture shows.
//!
//! `POST /classify` takes the bytes of a picture and answers a sentence, `hotdog is detected with 255/255 confidence`,
//! or the likeliest classes where `Accept` asks for JSON. Several pictures in one form are answered with an array.
//! `GET /model` describes the model that is asked.

mod answer;
mod batch;
mod classes;
mod decoded;
mod model;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use image_intake::{DEFAULT_MAX_PIXELS, Picture};
use serde::Serialize;
use service_kit::events::Delivery;
use service_kit::form::{self, Part};
use service_kit::{
    App, Call, Check, EdgeSettings, Environment, Health, Log, Problem, Response, Route, Service, SystemClock,
    UsagePolicy, UsageSettings, accepts,
};

use answer::Finding;
use batch::Outcome;

pub use classes::Class;
pub use decoded::Decoded;
pub use model::{By, Classified, Classifier, Computes, DEFAULT_MODEL_MEMORY, Description, LoadedModel, ModelError};

const PORT: u16 = 9006;
const DAPR_HTTP_PORT: u16 = 3504;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// What the events of this service are called.
const OPERATION: &str = "classify";

/// How many classes a JSON answer has, unless `k` says otherwise.
const TOP: usize = 5;

/// The directory of a model that takes the place of the service's own, where one is shared with it.
const MODEL_DIR: &str = "model";

/// The service.
pub struct Classify {
    usage: UsagePolicy,
    model: Result<Box<dyn Classifier>, ModelError>,
    max_pixels: u64,
}

/// What the service's routes call.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Say what a picture shows.
    Classify,
    /// Describe the model.
    Model,
    /// Deliver events that wait.
    DeliverEvents,
}

/// Builds the service from its environment: the settings of [`EdgeSettings`] and [`UsageSettings`], `MAX_PIXELS`,
/// `MODEL_DIR` and `MODEL_MEMORY_BYTES`. Loads the model.
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

/// The directories in a list such as `models/large, models/small`.
fn directories(text: &str) -> Vec<PathBuf> {
    text.split(',').map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// Loads the first of these directories that is there; where none is named, the usual one if it is there, else the service's own
/// model. A directory that is there and has no good model is an error: the next one would answer otherwise.
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
    /// A service with that model, or the reason why there is none, which takes pictures of at most `max_pixels`.
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
            let mut response = answer::of_type("application/json", json(&finding.top(top))?);
            finding.tell_times(&mut response);
            response
        } else {
            answer::of_type("text/plain; charset=utf-8", finding.sentence())
        };
        if let Some(delivery) = delivery {
            delivery.add_to_response(&mut response);
        }
        Ok(response)
    }

    /// Each picture is counted, answered and recorded as if it had come alone.
    async fn classify_all(&self, call: &Call, parts: Vec<Part>, top: usize) -> Result<Response, Problem> {
        let mut findings = Vec::new();
        for part in &parts {
            let (found, delivery) = self.find(call, &part.bytes).await;
            findings.push((part, found, delivery));
        }
        let outcomes: Vec<Outcome<'_>> =
            findings.iter().map(|(part, found, delivery)| outcome(part, found, *delivery, top)).collect();
        let mut response = answer::of_type("application/json", json(&outcomes)?);
        // Of several events the one that fared worst.
        if let Some(delivery) = findings.iter().filter_map(|(_, _, delivery)| *delivery).max() {
            delivery.add_to_response(&mut response);
        }
        Ok(response)
    }

    /// What a picture shows, and what has become of its event, which is on its way while the model is asked.
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

    fn decode(&self, bytes: &[u8]) -> Result<Decoded<'_>, Problem> {
        let refused = |refusal: image_intake::Refusal| Problem::new(refusal.status(), refusal.to_string());
        let picture = Picture::admit(bytes, self.max_pixels).map_err(refused)?;
        // Before the decoding, which would be for nothing.
        let model = self.model()?;
        Decoded::of(&picture, model).map_err(refused)
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
            Endpoint::Model => Ok(answer::of_type("application/json", json(self.model()?.description())?)),
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

fn found_in<'a>(decoded: &Decoded<'a>) -> Result<Finding<'a>, Problem> {
    let classified = decoded.look().map_err(|error| without_model(&error))?;
    Ok(Finding { model: decoded.model.description(), classified, decoding: decoded.decoding })
}

/// How many classes a query asks for.
fn top(query: Option<&str>) -> Result<usize, Problem> {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("k="));
    let Some(asked) = asked else { return Ok(TOP) };
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
