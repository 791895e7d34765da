//! The images of a request, as an extractor.
//!
//! They are its body, or the files of a form, as browsers and `curl -F` send them.

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::Problem;

/// Most images in one request: a minute of CPU time on a slow machine.
pub const MAX_IMAGES: usize = 64;

/// The images of a request.
#[derive(Debug)]
pub enum Images {
    /// The body is an image.
    Body(Bytes),
    /// The body is a form with at least one image.
    Form(Vec<Part>),
}

/// One image of a form.
#[derive(Debug)]
pub struct Part {
    /// Name of the form field.
    pub name: Option<String>,
    /// File name.
    pub file: Option<String>,
    /// Encoded image.
    pub bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Images {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (head, body) = request.into_parts();
        // A form is rejected as any other body if it is too large, and not as malformed.
        let body = Bytes::from_request(Request::from_parts(head.clone(), body), state);
        let body = body.await.map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(head, Body::from(body.clone()));
        let form = <Multipart as OptionalFromRequest<S>>::from_request(request, state).await;
        match form.map_err(IntoResponse::into_response)? {
            Some(form) => parts(form).await.map(Self::Form).map_err(IntoResponse::into_response),
            None => Ok(Self::Body(body)),
        }
    }
}

/// Splits a form into its parts, of which it must have one.
async fn parts(mut form: Multipart) -> Result<Vec<Part>, Problem> {
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| malformed_form(&error))? {
        if parts.len() == MAX_IMAGES {
            let detail = format!("the form brings too many pictures; at most {MAX_IMAGES} are taken at once");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let (name, file) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
        let bytes = field.bytes().await.map_err(|error| malformed_form(&error))?;
        parts.push(Part { name, file, bytes });
    }
    if parts.is_empty() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the form brings no picture"));
    }
    Ok(parts)
}

fn malformed_form(error: &MultipartError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the form cannot be understood: {}", error.body_text()))
}
