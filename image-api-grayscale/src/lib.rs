//! Image graying service.
//!
//! `POST /grayscale` takes the bytes of an image and responds with the image in gray: base64 of a PNG by default, as in
//! the WasmEdge template, or the image itself if `Accept` asks for one. A GIF stays a GIF. A form with one image gets
//! the same response, and one with several a JSON array.

mod batch;
mod gray;
mod png;

use std::sync::Arc;

use async_trait::async_trait;
use base64_simd::STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue, VARY};
use image_intake::DEFAULT_MAX_PIXELS;
use service_kit::form::{self, Part};
use service_kit::{
    App, Call, EdgeSettings, Environment, Health, Log, Problem, Response, Route, Service, SystemClock, UsagePolicy,
    UsageSettings, accepts,
};

use batch::Outcome;

pub use gray::{EncodedGray, Gray, turn_gray};

const PORT: u16 = 9005;
const DAPR_HTTP_PORT: u16 = 3503;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Value of `op_type` in this service's events.
const OPERATION: &str = "grayscale";

/// The service.
pub struct Grayscale {
    usage: UsagePolicy,
    max_pixels: u64,
}

/// Endpoints of the service's routes.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Converts an image to gray.
    Grayscale,
    /// Delivers pending events.
    DeliverEvents,
}

/// Builds the service from its environment.
///
/// Reads the settings of [`EdgeSettings`] and [`UsageSettings`], and `MAX_PIXELS`.
pub fn service(environment: &mut Environment<'_>, log: Arc<dyn Log>) -> Service<Grayscale> {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let usage = UsageSettings::read(environment, DAPR_HTTP_PORT);
    let max_pixels = environment.parsed("MAX_PIXELS", "a number of pixels", DEFAULT_MAX_PIXELS);
    let usage = UsagePolicy::new(usage, Arc::new(SystemClock), Arc::clone(&log));
    Service::new(Grayscale::new(usage, max_pixels), edge).with_log(log)
}

impl Grayscale {
    /// Creates a service for images of at most `max_pixels`.
    #[must_use]
    pub fn new(usage: UsagePolicy, max_pixels: u64) -> Self {
        Self { usage, max_pixels }
    }

    async fn grayscale(&self, call: &Call) -> Result<Response, Problem> {
        let Some(boundary) = form::boundary(call) else { return self.grayscale_one(call, call.request.body()).await };
        match form::parts(call, boundary).await?.as_slice() {
            [part] => self.grayscale_one(call, &part.bytes).await,
            parts => self.grayscale_all(call, parts).await,
        }
    }

    async fn grayscale_one(&self, call: &Call, picture: &[u8]) -> Result<Response, Problem> {
        let gray = self.decode(call, picture, self.max_pixels).await?;
        let encode = || {
            let gray = gray.encode();
            if accepts_image(call.request.headers()) {
                respond(gray.media_type(), gray.into_bytes())
            } else {
                respond("text/plain", STANDARD.encode_type(gray.into_bytes()))
            }
        };
        let (delivery, mut response) = self.usage.record_event(call, OPERATION, picture.len(), encode).await;
        delivery.add_to_response(&mut response);
        Ok(response)
    }

    /// Handles each image of a form with its own count and event, as if it had come alone. The pixel limit is shared.
    async fn grayscale_all(&self, call: &Call, parts: &[Part]) -> Result<Response, Problem> {
        let (mut outcomes, mut max_pixels) = (Vec::new(), self.max_pixels);
        for part in parts {
            let outcome = match self.decode(call, &part.bytes, max_pixels).await {
                Ok(gray) => {
                    max_pixels = max_pixels.saturating_sub(gray.pixels());
                    let bytes = part.bytes.len();
                    let (delivery, gray) = self.usage.record_event(call, OPERATION, bytes, || gray.encode()).await;
                    Outcome::gray(part, gray, delivery)
                }
                Err(problem) => Outcome::problem(part, &problem),
            };
            outcomes.push(outcome);
        }
        batch::response(&outcomes)
    }

    async fn decode(&self, call: &Call, picture: &[u8], max_pixels: u64) -> Result<Gray, Problem> {
        let gray = self.usage.admit(call, || Gray::decode(picture, max_pixels)).await?;
        gray.map_err(|refusal| Problem::new(refusal.status(), refusal.to_string()))
    }
}

#[async_trait]
impl App for Grayscale {
    type Endpoint = Endpoint;

    const NAME: &'static str = "image-api-grayscale";
    const ABOUT: &'static str = "Turns pictures gray";
    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::post(
            "/grayscale",
            Endpoint::Grayscale,
            "takes the bytes of a JPEG, PNG, GIF, WebP or BMP and answers base64 of it in gray; with `Accept: image/png` the picture itself; several pictures as `multipart/form-data` are answered with an array",
        ),
        Route::post("/deliver-events", Endpoint::DeliverEvents, "delivers events that wait; called by a cron binding"),
    ];

    async fn call(&self, endpoint: Endpoint, call: Call) -> Result<Response, Problem> {
        match endpoint {
            Endpoint::Grayscale => self.grayscale(&call).await,
            Endpoint::DeliverEvents => self.usage.deliver().await,
        }
    }

    async fn health(&self) -> Health {
        Health::from_checks(self.usage.checks().await)
    }
}

/// Returns true if the client wants the image instead of its base64. `image/png` also gets a GIF, as its media type
/// says.
fn accepts_image(headers: &HeaderMap) -> bool {
    accepts(headers, "image/png") || accepts(headers, "image/gif")
}

fn respond(media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
    response
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::Grayscale, crate::service);

#[cfg(test)]
mod tests;
