//! Takes pictures in: format, limits and orientation, checked before anything is decoded.
//!
//! [`Picture::admit`] looks at headers only. What it lets through claims a size within the limit, so that decoding it
//! cannot take more memory than that; what it refuses is refused in microseconds.

mod decode;
pub mod gif;
mod header;
mod jpeg;
pub mod luma;
mod png;
mod refusal;
mod webp;

use image::ImageFormat;

pub use refusal::Refusal;

/// How many pixels a picture may claim, all frames together: at four bytes each, 200 MB decoded. The largest phone
/// cameras stay below it.
pub const DEFAULT_MAX_PIXELS: u64 = 50_000_000;

/// A picture that may be decoded.
#[derive(Debug)]
pub struct Picture<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
    /// What its decoder is going to see, all frames together.
    pixels: u64,
    /// The structure of a GIF, which its check had to read anyway.
    outline: Option<gif::Outline>,
}

impl<'a> Picture<'a> {
    /// Checks format and size without decoding.
    ///
    /// # Errors
    /// When this is no picture, one of another kind, one that claims too many pixels, or a broken one.
    pub fn admit(bytes: &'a [u8], max_pixels: u64) -> Result<Self, Refusal> {
        if bytes.is_empty() {
            return Err(Refusal::Empty);
        }
        let format = image::guess_format(bytes).map_err(|_| Refusal::NotAPicture)?;
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
                    let read = if format == ImageFormat::Png { png::without_unneeded(bytes) } else { bytes.into() };
                    (decode::understood_pixels(&read, format)?, None)
                }
            }
            _ => return Err(Refusal::NotAPicture),
        };
        if pixels > max_pixels {
            return Err(Refusal::TooManyPixels { max_pixels });
        }
        Ok(Self { bytes, format, pixels, outline })
    }

    /// The picture's bytes, as they came.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The structure of a GIF; `None` for other formats.
    #[must_use]
    pub fn gif(&self) -> Option<&gif::Outline> {
        self.outline.as_ref()
    }
}

#[cfg(test)]
mod tests;
