//! Why a picture is not taken.

use http::StatusCode;

/// Why a picture is not taken; the words are for whoever sent it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is nothing.
    #[error("the body is empty; send the bytes of a picture")]
    Empty,
    /// It is something else, or a kind of picture that is not read here.
    #[error("this is no picture that is read here; send JPEG, PNG, GIF, WebP or BMP")]
    NotAPicture,
    /// Its header claims more than is decoded.
    #[error("the picture has too many pixels; at most {max_pixels} are taken, all frames together")]
    TooManyPixels {
        /// The limit.
        max_pixels: u64,
    },
    /// It ends too early.
    #[error("the picture is truncated")]
    Truncated,
    /// It cannot be decoded.
    #[error("the picture is broken: {0}")]
    Broken(String),
}

impl Refusal {
    /// What HTTP calls it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Empty => StatusCode::BAD_REQUEST,
            Self::NotAPicture => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyPixels { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Truncated | Self::Broken(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl From<image::ImageError> for Refusal {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::Truncated,
            error => Self::Broken(error.to_string()),
        }
    }
}
