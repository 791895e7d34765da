//! Says what a picture shows.
//!
//! `POST /classify` takes the bytes of a picture and answers a sentence, `hotdog is detected with 255/255 confidence`,
//! or the five likeliest classes where `Accept` asks for JSON.

mod classes;
mod model;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, VARY};
use image_intake::{DEFAULT_MAX_PIXELS, Picture};
use serde::Serialize;
use service_kit::{
    Accounting, AccountingSettings, App, Call, Check, EdgeSettings, Environment, Health, Log, Problem, Response, Route,
    Service, SystemClock, accepts,
};

pub use classes::Class;
pub use model::{Classifier, ModelDirectory, ModelError};

const PORT: u16 = 9006;
const DAPR_HTTP_PORT: u16 = 3504;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// How many classes a JSON answer has.
const TOP: usize = 5;

/// The service.
pub struct Classify {
    accounting: Accounting,
    classifier: Box<dyn Classifier>,
    max_pixels: u64,
}

#[derive(Serialize)]
struct Top<'a> {
    classes: Vec<&'a Class>,
}

/// What the service's routes call.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Say what a picture shows.
    Classify,
    /// Deliver events that wait.
    DeliverEvents,
}

/// Builds the service from its environment: the settings of [`EdgeSettings`] and [`AccountingSettings`], `MAX_PIXELS`
/// and `MODEL_DIR`.
pub fn service(environment: &mut Environment<'_>, log: Arc<dyn Log>) -> Service<Classify> {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let accounting = AccountingSettings::read(environment, DAPR_HTTP_PORT);
    let max_pixels = environment.parsed("MAX_PIXELS", "a number of pixels", DEFAULT_MAX_PIXELS);
    let directory = environment.text("MODEL_DIR").map_or_else(|| PathBuf::from("model"), PathBuf::from);
    let accounting = Accounting::new(accounting, Arc::new(SystemClock), Arc::clone(&log));
    let classifier = Box::new(ModelDirectory::new(directory));
    Service::new(Classify::new(accounting, classifier, max_pixels), edge).with_log(log)
}

impl Classify {
    /// A service with that classifier, which takes pictures of at most `max_pixels`.
    #[must_use]
    pub fn new(accounting: Accounting, classifier: Box<dyn Classifier>, max_pixels: u64) -> Self {
        Self { accounting, classifier, max_pixels }
    }

    async fn classify(&self, call: &Call) -> Result<Response, Problem> {
        self.accounting.admit(call).await?;
        let refused = |refusal: image_intake::Refusal| Problem::new(refusal.status(), refusal.to_string());
        let picture = Picture::admit(call.request.body(), self.max_pixels).map_err(refused)?;
        // Before the decoding, which would be for nothing.
        self.classifier.check().map_err(without_model)?;
        let classes = self.classifier.classify(&picture.decode().map_err(refused)?).map_err(without_model)?;
        let mut response = if accepts(call.request.headers(), "application/json") {
            answer("application/json", top_as_json(&classes)?)
        } else {
            answer("text/plain; charset=utf-8", sentence(&classes)?)
        };
        self.accounting.record(call, "classify", &mut response).await;
        Ok(response)
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
            "takes the bytes of a JPEG, PNG, GIF, WebP or BMP and answers what it shows in a sentence; with `Accept: application/json` the five likeliest classes",
        ),
        Route::post("/deliver-events", Endpoint::DeliverEvents, "delivers events that wait; called by a cron binding"),
    ];

    async fn call(&self, endpoint: Endpoint, call: Call) -> Result<Response, Problem> {
        match endpoint {
            Endpoint::Classify => self.classify(&call).await,
            Endpoint::DeliverEvents => self.accounting.deliver().await,
        }
    }

    async fn health(&self) -> Health {
        let mut checks = vec![match self.classifier.check() {
            Ok(()) => Check::ok("model"),
            Err(error) => Check::unavailable("model", error.to_string()),
        }];
        checks.extend(self.accounting.checks().await);
        Health::of(checks)
    }
}

fn top_as_json(classes: &[Class]) -> Result<String, Problem> {
    let top = Top { classes: classes.iter().take(TOP).collect() };
    serde_json::to_string(&top).map_err(|error| without_model(ModelError::Output(error.to_string())))
}

/// What users of the WasmEdge template know.
fn sentence(classes: &[Class]) -> Result<String, Problem> {
    let best = classes.first().ok_or_else(|| without_model(ModelError::Output("it has no classes".to_owned())))?;
    Ok(format!("{} is detected with {}/255 confidence", best.label, best.score))
}

fn without_model(error: ModelError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn answer(media_type: &'static str, body: String) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
    response
}

#[cfg(test)]
mod tests;
