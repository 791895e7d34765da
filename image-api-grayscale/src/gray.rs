//! From a picture's bytes to a gray picture's bytes.

use image::DynamicImage;
use image_intake::{Picture, Refusal};

use crate::png;

/// A gray picture, decoded.
#[derive(Debug)]
pub enum Gray {
    /// A single picture: each pixel's brightness, maybe with its opacity.
    Still(DynamicImage),
    /// A GIF, whose frames are gray already.
    Gif {
        /// The GIF.
        bytes: Vec<u8>,
        /// The pixels of all frames.
        pixels: u64,
    },
}

/// A gray picture, encoded.
#[derive(Debug)]
pub enum GrayPicture {
    /// A single picture, as PNG.
    Png(Vec<u8>),
    /// An animation or a single frame that came as GIF, as GIF.
    Gif(Vec<u8>),
}

impl Gray {
    /// Decodes a picture in gray.
    ///
    /// # Errors
    /// When the bytes are no picture, one with more than `max_pixels`, or a broken one.
    pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<Self, Refusal> {
        let picture = Picture::admit(bytes, max_pixels)?;
        match picture.gif() {
            Some(outline) => Ok(Self::Gif { bytes: outline.grayed(bytes)?, pixels: outline.pixels() }),
            None => picture.decode_gray().map(Self::Still),
        }
    }

    /// How many pixels it has, all frames together.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        match self {
            Self::Still(gray) => u64::from(gray.width()) * u64::from(gray.height()),
            Self::Gif { pixels, .. } => *pixels,
        }
    }

    /// The picture's bytes.
    #[must_use]
    pub fn encode(self) -> GrayPicture {
        match self {
            Self::Still(gray) => GrayPicture::Png(png::encode(&gray)),
            Self::Gif { bytes, .. } => GrayPicture::Gif(bytes),
        }
    }
}

impl GrayPicture {
    /// The media type of the bytes.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Png(_) => "image/png",
            Self::Gif(_) => "image/gif",
        }
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Png(bytes) | Self::Gif(bytes) => bytes,
        }
    }
}

/// Turns a picture gray.
///
/// # Errors
/// When the bytes are no picture, one with more than `max_pixels`, or a broken one.
pub fn turn_gray(bytes: &[u8], max_pixels: u64) -> Result<GrayPicture, Refusal> {
    Gray::decode(bytes, max_pixels).map(Gray::encode)
}
