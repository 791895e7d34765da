//! Images sent as `multipart/form-data`, as browsers and `curl -F` send files.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use multer::Multipart;

use crate::{Call, Problem};

/// Most images in one request: a minute of CPU time on a slow machine.
pub const MAX_IMAGES: usize = 64;

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

/// Returns the form's multipart boundary; `None` if the request is not a form.
#[must_use]
pub fn boundary(call: &Call) -> Option<String> {
    let media_type = call.request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(media_type).ok()
}

/// Splits a form into its parts.
///
/// # Errors
/// If the form is malformed, has no image or has too many.
pub async fn parts(call: &Call, boundary: String) -> Result<Vec<Part>, Problem> {
    let body = call.request.body().clone();
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
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

fn malformed_form(error: &multer::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the form cannot be understood: {error}"))
}
