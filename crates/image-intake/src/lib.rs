//! Image validation and decoding: format, limits and orientation are checked before anything is decoded.
//!
//! [`InputImage::admit`] only reads headers. An accepted image claims a size within the limit, so that decoding it cannot
//! take more memory; other images are rejected in microseconds.

mod decode;
mod error;
pub mod gif;
mod header;
mod jpeg;
pub mod luma;
mod png;
mod webp;

use image::ImageFormat;

pub use error::ImageError;

/// Default limit on an image's pixels, all frames together: at four bytes each, 200 MB decoded. The largest phone
/// cameras stay below it.
pub const DEFAULT_MAX_PIXELS: u64 = 50_000_000;

/// A validated image, ready to be decoded.
#[derive(Debug)]
pub struct InputImage<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
    /// Pixels that its decoder will produce, all frames together.
    pixels: u64,
    /// Structure of a GIF, which the validation reads anyway.
    outline: Option<gif::Outline>,
}

impl<'a> InputImage<'a> {
    /// Checks format and size without decoding.
    ///
    /// # Errors
    /// If this is not an image, has an unsupported format, claims too many pixels, or is broken.
    pub fn admit(bytes: &'a [u8], max_pixels: u64) -> Result<Self, ImageError> {
        if bytes.is_empty() {
            return Err(ImageError::Empty);
        }
        let format = image::guess_format(bytes).map_err(|_| ImageError::NotAnImage)?;
        let (pixels, outline) = match format {
            ImageFormat::Gif => {
                let outline = gif::Outline::read(bytes, max_pixels)?;
                (outline.pixels(), Some(outline))
            }
            ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp => {
                let claimed = header::claimed_pixels(bytes, format);
                if let Some(pixels) = claimed.filter(|pixels| *pixels > max_pixels) {
                    (pixels, None)
                } else {
                    if format == ImageFormat::Jpeg {
                        jpeg::cost::check(bytes, claimed.unwrap_or_default())?;
                    }
                    let read =
                        if format == ImageFormat::Png { png::remove_unneeded_chunks(bytes) } else { bytes.into() };
                    (decode::decoder_pixels(&read, format)?, None)
                }
            }
            _ => return Err(ImageError::NotAnImage),
        };
        if pixels > max_pixels {
            return Err(ImageError::TooManyPixels { max_pixels });
        }
        Ok(Self { bytes, format, pixels, outline })
    }

    /// Returns the encoded bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the structure of a GIF; `None` for other formats.
    #[must_use]
    pub fn gif(&self) -> Option<&gif::Outline> {
        self.outline.as_ref()
    }
}

#[cfg(test)]
mod tests;
