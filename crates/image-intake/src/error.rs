//! Image errors.

use http::StatusCode;

/// Error of an image, worded for the client that sent it.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The body is empty.
    #[error("the body is empty; send the bytes of a picture")]
    Empty,
    /// The data is not an image of a supported format.
    #[error("this is no picture that is read here; send JPEG, PNG, GIF, WebP or BMP")]
    NotAnImage,
    /// The header claims too many pixels.
    #[error("the picture has too many pixels; at most {max_pixels} are taken, all frames together")]
    TooManyPixels {
        /// Limit in pixels.
        max_pixels: u64,
    },
    /// The data ends too early.
    #[error("the picture is truncated")]
    Truncated,
    /// The image cannot be decoded.
    #[error("the picture is broken: {0}")]
    Broken(String),
}

impl ImageError {
    /// Returns the response status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Empty => StatusCode::BAD_REQUEST,
            Self::NotAnImage => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyPixels { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Truncated | Self::Broken(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl From<image::ImageError> for ImageError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::Truncated,
            error => Self::Broken(error.to_string()),
        }
    }
}
