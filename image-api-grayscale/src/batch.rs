//! Several images in one request, as `multipart/form-data`.

use axum::response::{IntoResponse as _, Response};
use base64_simd::STANDARD;
use http::StatusCode;
use http::header::{CONTENT_TYPE, VARY};
use serde::Serialize;
use service_kit::Problem;
use service_kit::events::Delivery;
use service_kit::form::Part;

use crate::EncodedGray;

/// Result for one image of a form.
#[derive(Serialize)]
pub(crate) struct Outcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    /// Status of the response that this image alone would have got.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_delivery: Option<&'static str>,
    #[serde(skip)]
    delivery: Option<Delivery>,
}

impl<'a> Outcome<'a> {
    pub(crate) fn gray(part: &'a Part, gray: EncodedGray, delivery: Delivery) -> Self {
        Self {
            media_type: Some(gray.media_type()),
            base64: Some(STANDARD.encode_to_string(gray.into_bytes())),
            event_delivery: Some(delivery.name()),
            delivery: Some(delivery),
            ..Self::new(part, StatusCode::OK)
        }
    }

    pub(crate) fn problem(part: &'a Part, problem: &Problem) -> Self {
        Self { detail: Some(problem.detail().to_owned()), ..Self::new(part, problem.status()) }
    }

    fn new(part: &'a Part, status: StatusCode) -> Self {
        Self {
            name: part.name.as_deref(),
            file: part.file.as_deref(),
            status: status.as_u16(),
            media_type: None,
            base64: None,
            detail: None,
            event_delivery: None,
            delivery: None,
        }
    }
}

/// Creates a JSON response with all results. Its header has the worst outcome of all events.
pub(crate) fn response(outcomes: &[Outcome<'_>]) -> Result<Response, Problem> {
    let json = serde_json::to_vec(outcomes);
    let json = json.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let delivery = outcomes.iter().filter_map(|outcome| outcome.delivery).max();
    Ok((delivery, [(CONTENT_TYPE, "application/json"), (VARY, "Accept")], json).into_response())
}
