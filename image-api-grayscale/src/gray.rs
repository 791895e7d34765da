//! Converts an encoded image to an encoded gray image.

use image::DynamicImage;
use image_intake::{ImageError, InputImage};

use crate::png;

/// A decoded gray image.
#[derive(Debug)]
pub enum Gray {
    /// A still image: each pixel's luma, optionally with alpha.
    Still(DynamicImage),
    /// A GIF, whose frames are already gray.
    Gif {
        /// Encoded GIF.
        bytes: Vec<u8>,
        /// Pixels of all frames.
        pixels: u64,
    },
}

/// An encoded gray image.
#[derive(Debug)]
pub enum EncodedGray {
    /// A still image as PNG.
    Png(Vec<u8>),
    /// A GIF, animated or not, that was received as one.
    Gif(Vec<u8>),
}

impl Gray {
    /// Decodes an image in gray.
    ///
    /// # Errors
    /// If the bytes are not an image, have more than `max_pixels`, or are broken.
    pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<Self, ImageError> {
        let picture = InputImage::admit(bytes, max_pixels)?;
        match picture.gif() {
            Some(outline) => Ok(Self::Gif { bytes: outline.to_gray(bytes)?, pixels: outline.pixels() }),
            None => picture.decode_gray().map(Self::Still),
        }
    }

    /// Returns the number of pixels, all frames together.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        match self {
            Self::Still(gray) => u64::from(gray.width()) * u64::from(gray.height()),
            Self::Gif { pixels, .. } => *pixels,
        }
    }

    /// Encodes the image.
    #[must_use]
    pub fn encode(self) -> EncodedGray {
        match self {
            Self::Still(gray) => EncodedGray::Png(png::encode(&gray)),
            Self::Gif { bytes, .. } => EncodedGray::Gif(bytes),
        }
    }
}

impl EncodedGray {
    /// Returns the media type.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Png(_) => "image/png",
            Self::Gif(_) => "image/gif",
        }
    }

    /// Returns the encoded bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Png(bytes) | Self::Gif(bytes) => bytes,
        }
    }
}

/// Converts an image to gray.
///
/// # Errors
/// If the bytes are not an image, have more than `max_pixels`, or are broken.
pub fn turn_gray(bytes: &[u8], max_pixels: u64) -> Result<EncodedGray, ImageError> {
    Gray::decode(bytes, max_pixels).map(Gray::encode)
}
