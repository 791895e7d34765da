//! From a picture's bytes to a gray picture's bytes.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image_intake::{Picture, Refusal};

/// A gray picture, encoded.
#[derive(Debug)]
pub enum GrayPicture {
    /// A single picture, as PNG.
    Png(Vec<u8>),
    /// An animation or a single frame that came as GIF, as GIF.
    Gif(Vec<u8>),
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
    let picture = Picture::admit(bytes, max_pixels)?;
    if let Some(outline) = picture.gif() {
        return outline.grayed(bytes).map(GrayPicture::Gif);
    }
    let mut png = Vec::new();
    // A user waits for this: the fastest compression that a filter for photographs makes worthwhile.
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up);
    picture.decode_gray()?.write_with_encoder(encoder)?;
    Ok(GrayPicture::Png(png))
}
