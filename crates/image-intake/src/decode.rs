//! Decoding what was admitted.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::{Picture, Refusal, jpeg, luma};

/// The pixels that the decoder itself is going to see. Reads no further than the header.
pub(crate) fn understood_pixels(bytes: &[u8], format: ImageFormat) -> Result<u64, Refusal> {
    let (width, height) = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions()?;
    Ok(u64::from(width) * u64::from(height))
}

impl Picture<'_> {
    /// Decodes the picture the way it is meant to be looked at: EXIF orientation applied, of an animation the first frame.
    ///
    /// # Errors
    /// When the picture is truncated or broken.
    pub fn decode(&self) -> Result<DynamicImage, Refusal> {
        self.check_end()?;
        let mut decoder = ImageReader::with_format(Cursor::new(self.bytes), self.format).into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    }

    /// Decodes the picture in gray.
    ///
    /// # Errors
    /// When the picture is truncated or broken.
    pub fn decode_gray(&self) -> Result<DynamicImage, Refusal> {
        if self.format == ImageFormat::Jpeg {
            self.check_end()?;
            if let Some(gray) = jpeg::decode_luma(self.bytes) {
                return gray;
            }
        }
        self.decode().map(luma::grayed)
    }

    fn check_end(&self) -> Result<(), Refusal> {
        if self.format == ImageFormat::Jpeg && !jpeg::is_complete(self.bytes) {
            Err(Refusal::Truncated)
        } else {
            Ok(())
        }
    }
}
