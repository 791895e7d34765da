//! Image graying service.
//!
//! `POST /grayscale` takes the bytes of an image and responds with the image in gray: base64 of a PNG by default, as in
//! the WasmEdge template, or the image itself if `Accept` asks for one. A GIF stays a GIF. A form with one image gets
//! the same response, and one with several a JSON array.

mod batch;
mod gray;
mod png;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64_simd::STANDARD;
use dapr_client::TraceContext;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, VARY};
use image_intake::{DEFAULT_MAX_PIXELS, ImageError};
use service_kit::events::{Event, Round};
use service_kit::form::{Images, Part};
use service_kit::{
    ClientAddress, Description, EdgeSettings, Endpoint, Environment, Health, Problem, Service, Usage, UsageSettings,
    accepts,
};

use batch::Outcome;

pub use gray::{EncodedGray, Gray, turn_gray};

const PORT: u16 = 9005;
const DAPR_HTTP_PORT: u16 = 3503;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Value of `op_type` in this service's events.
const OPERATION: &str = "grayscale";

const DESCRIPTION: Description = Description {
    name: "image-api-grayscale",
    about: "Turns pictures gray",
    endpoints: &[
        Endpoint::post(
            "/grayscale",
            "takes the bytes of a JPEG, PNG, GIF, WebP or BMP and answers base64 of it in gray; with `Accept: image/png` the picture itself; several pictures as `multipart/form-data` are answered with an array",
        ),
        Endpoint::post("/deliver-events", "delivers events that wait; called by a cron binding"),
    ],
};

/// Rate limit, events and limits of the service.
#[derive(Clone)]
struct Grayscale {
    usage: Usage,
    max_pixels: u64,
}

/// A request's user and trace.
struct Caller {
    user: ClientAddress,
    trace: TraceContext,
}

/// Builds the service from its environment.
///
/// Reads the settings of [`EdgeSettings`] and [`UsageSettings`], and `MAX_PIXELS`.
pub fn service(environment: &mut Environment<'_>) -> Service {
    let edge = EdgeSettings::read(environment, PORT, MAX_BODY_BYTES);
    let usage = Usage::new(UsageSettings::read(environment, DAPR_HTTP_PORT));
    let max_pixels = environment.parsed("MAX_PIXELS", "a number of pixels", DEFAULT_MAX_PIXELS);
    Service::new(DESCRIPTION, edge, router(Grayscale { usage, max_pixels }))
}

fn router(service: Grayscale) -> Router {
    Router::new()
        .route("/grayscale", post(grayscale))
        .route("/deliver-events", post(deliver_events))
        .route("/healthz", get(health))
        .with_state(service)
}

async fn grayscale(
    State(service): State<Grayscale>,
    user: ClientAddress,
    headers: HeaderMap,
    images: Images,
) -> Result<Response, Problem> {
    let caller = Caller { user, trace: TraceContext::from_headers(&headers) };
    let as_image = accepts_image(&headers);
    match images {
        Images::Body(image) => service.grayscale_one(&caller, &image, as_image).await,
        Images::Form(parts) => match parts.as_slice() {
            [part] => service.grayscale_one(&caller, &part.bytes, as_image).await,
            parts => service.grayscale_all(&caller, parts).await,
        },
    }
}

async fn deliver_events(State(service): State<Grayscale>) -> Result<Round, Problem> {
    service.usage.events.deliver().await
}

async fn health(State(service): State<Grayscale>) -> Health {
    Health::from_checks(service.usage.checks().await)
}

impl Grayscale {
    async fn grayscale_one(&self, caller: &Caller, image: &[u8], as_image: bool) -> Result<Response, Problem> {
        let gray = self.decode(caller, image, self.max_pixels).await?;
        let event = self.usage.events.begin(Event::now(OPERATION, image.len()), caller.trace.clone()).await;
        let gray = gray.encode();
        let (media_type, body) = if as_image {
            (gray.media_type(), gray.into_bytes())
        } else {
            ("text/plain", STANDARD.encode_type(gray.into_bytes()))
        };
        let delivery = event.finish().await;
        Ok((delivery, [(CONTENT_TYPE, media_type), (VARY, "Accept")], body).into_response())
    }

    /// Handles each image of a form with its own count and event, as if it had come alone. The pixel limit is shared.
    async fn grayscale_all(&self, caller: &Caller, parts: &[Part]) -> Result<Response, Problem> {
        let (mut outcomes, mut max_pixels) = (Vec::new(), self.max_pixels);
        for part in parts {
            let outcome = match self.decode(caller, &part.bytes, max_pixels).await {
                Ok(gray) => {
                    max_pixels = max_pixels.saturating_sub(gray.pixels());
                    let event = Event::now(OPERATION, part.bytes.len());
                    let event = self.usage.events.begin(event, caller.trace.clone()).await;
                    let gray = gray.encode();
                    Outcome::gray(part, gray, event.finish().await)
                }
                Err(problem) => Outcome::problem(part, &problem),
            };
            outcomes.push(outcome);
        }
        batch::response(&outcomes)
    }

    /// Decodes an image while its user is counted.
    async fn decode(&self, caller: &Caller, image: &[u8], max_pixels: u64) -> Result<Gray, Problem> {
        let turn = self.usage.limiter.reserve(caller.user.0).await?;
        let gray = Gray::decode(image, max_pixels).map_err(rejected)?;
        turn.confirm().await?;
        Ok(gray)
    }
}

fn rejected(error: ImageError) -> Problem {
    Problem::new(error.status(), error.to_string())
}

/// Returns true if the client wants the image instead of its base64. `image/png` also gets a GIF, as its media type
/// says.
fn accepts_image(headers: &HeaderMap) -> bool {
    accepts(headers, "image/png") || accepts(headers, "image/gif")
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
service_kit::component!(crate::service);

#[cfg(test)]
mod tests;
