//! Pictures that come as `multipart/form-data`, as browsers and `curl -F` send files.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use multer::Multipart;

use crate::{Call, Problem};

/// How many pictures one request may bring: a minute of computing on a slow machine.
pub const MAX_PICTURES: usize = 64;

/// One of the pictures.
#[derive(Debug)]
pub struct Part {
    /// What the form calls it.
    pub name: Option<String>,
    /// What the file was called.
    pub file: Option<String>,
    /// The picture.
    pub bytes: Bytes,
}

/// The boundary between the parts of a form; `None` where the request brings none.
#[must_use]
pub fn boundary(call: &Call) -> Option<String> {
    let media_type = call.request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(media_type).ok()
}

/// Takes a form apart.
///
/// # Errors
/// When the form is malformed, or brings no picture or too many.
pub async fn parts(call: &Call, boundary: String) -> Result<Vec<Part>, Problem> {
    let body = call.request.body().clone();
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| malformed(&error))? {
        if parts.len() == MAX_PICTURES {
            let detail = format!("the form brings too many pictures; at most {MAX_PICTURES} are taken at once");
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
