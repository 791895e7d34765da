//! Several pictures in one request, as `multipart/form-data`.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use multer::Multipart;
use serde::Serialize;
use service_kit::{Call, Problem};

use crate::answer::Top;

/// How many pictures one request may bring: a minute of computing on a slow machine.
pub(crate) const MOST_PICTURES: usize = 64;

/// One of the pictures.
pub(crate) struct Part {
    /// What the form calls it.
    pub(crate) name: Option<String>,
    /// What the file was called.
    pub(crate) file: Option<String>,
    pub(crate) bytes: Bytes,
}

/// What became of one of the pictures.
#[derive(Serialize)]
pub(crate) struct Outcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<&'a str>,
    /// What the answer would have been to this picture alone.
    pub(crate) status: u16,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) top: Option<Top<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_delivery: Option<&'static str>,
}

/// The boundary between the pictures, where a request brings several.
pub(crate) fn boundary(call: &Call) -> Option<String> {
    let media_type = call.request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(media_type).ok()
}

/// Takes a request's pictures apart.
///
/// # Errors
/// When the form is malformed, or brings none or too many.
pub(crate) async fn parts(call: &Call, boundary: String) -> Result<Vec<Part>, Problem> {
    let body = call.request.body().clone();
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| malformed(&error))? {
        if parts.len() == MOST_PICTURES {
            let detail = format!("the form brings too many pictures; at most {MOST_PICTURES} are taken at once");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let (name, file) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
        let bytes = field.bytes().await.map_err(|error| malformed(&error))?;
        parts.push(Part { name, file, bytes });
    }
    if parts.is_empty() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the form brings no picture"));
    }
    Ok(parts)
}

fn malformed(error: &multer::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the form cannot be understood: {error}"))
}
