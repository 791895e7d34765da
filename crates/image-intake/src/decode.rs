//! Decoding what was admitted.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::{Picture, Refusal, gif, jpeg, luma, png, webp};

/// The pixels that the decoder itself is going to see. Reads no further than the header.
pub(crate) fn understood_pixels(bytes: &[u8], format: ImageFormat) -> Result<u64, Refusal> {
    let (width, height) = match format {
        ImageFormat::Jpeg => jpeg::understood_size(bytes)?,
        _ => ImageReader::with_format(Cursor::new(bytes), format).into_dimensions()?,
    };
    Ok(u64::from(width) * u64::from(height))
}

impl Picture<'_> {
    /// Decodes the picture the way it is meant to be looked at: EXIF orientation applied, of an animation the first frame.
    ///
    /// # Errors
    /// When the picture is truncated or broken.
    pub fn decode(&self) -> Result<DynamicImage, Refusal> {
        self.check()?;
        self.decode_checked()
    }

    fn decode_checked(&self) -> Result<DynamicImage, Refusal> {
        if self.format == ImageFormat::Jpeg {
            return jpeg::decode(self.bytes);
        }
        let bytes = match self.format {
            ImageFormat::Png => png::with_end(self.bytes),
            ImageFormat::Gif => gif::with_end(self.bytes),
            _ => Cow::Borrowed(self.bytes),
        };
        let mut decoder = ImageReader::with_format(Cursor::new(bytes), self.format).into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    }

    /// Decodes a picture that is going to be shrunk: a JPEG at an eighth, a quarter or half of its size, as long as both sides
    /// keep at least `side` pixels, and any other as [`decode`](Self::decode) does.
    ///
    /// # Errors
    /// When the picture is truncated or broken.
    pub fn decode_reduced(&self, side: u16) -> Result<DynamicImage, Refusal> {
        self.check()?;
        if self.format == ImageFormat::Jpeg
            && let Some(picture) = jpeg::reduced::decode(self.bytes, side)
        {
            return Ok(picture);
        }
        self.decode_checked()
    }

    /// Decodes the picture in gray.
    ///
    /// # Errors
    /// When the picture is truncated or broken.
    pub fn decode_gray(&self) -> Result<DynamicImage, Refusal> {
        self.check()?;
        if self.format == ImageFormat::Jpeg {
            return jpeg::decode_gray(self.bytes);
        }
        self.decode_checked().map(luma::grayed)
    }

    /// Refuses what a decoder would fill with gray, take any amount of memory for, or panic at.
    fn check(&self) -> Result<(), Refusal> {
        match self.format {
            ImageFormat::WebP if !webp::has_all_of_exif(self.bytes) => Err(Refusal::Truncated),
            ImageFormat::Png if !png::has_whole_colours(self.bytes) => {
                Err(Refusal::Broken("its palette ends within a colour".to_owned()))
            }
            _ => Ok(()),
        }
    }
}
