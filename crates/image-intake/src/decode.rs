//! Decoding of validated images.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::{ImageError, InputImage, gif, header, jpeg, luma, png, webp};

/// Returns the number of pixels that the decoder will produce. Reads only the header.
pub(crate) fn decoder_pixels(bytes: &[u8], format: ImageFormat) -> Result<u64, ImageError> {
    let (width, height) = match format {
        ImageFormat::Jpeg => jpeg::decoder_size(bytes)?,
        _ => reader(bytes, format, 0).into_dimensions()?,
    };
    Ok(header::cost(width, height))
}

/// Bytes of a pixel in the most detailed formats: four channels of 16 bits.
const MAX_PIXEL_BYTES: u64 = 8;
/// Bytes that a decoder may allocate besides pixels: a copy of the input, and tables.
const MAX_OVERHEAD_BYTES: u64 = 32 << 20;

/// Creates a reader whose decoder allocates no more than an image of so many pixels needs.
fn reader<'a>(
    bytes: impl AsRef<[u8]> + 'a,
    format: ImageFormat,
    pixels: u64,
) -> ImageReader<Cursor<impl AsRef<[u8]> + 'a>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits(pixels));
    reader
}

fn limits(pixels: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(pixels.saturating_mul(MAX_PIXEL_BYTES).saturating_add(MAX_OVERHEAD_BYTES));
    limits
}

impl InputImage<'_> {
    /// Decodes the image for display: with EXIF orientation applied, and of an animation the first frame.
    ///
    /// # Errors
    /// If the image is truncated or broken.
    pub fn decode(&self) -> Result<DynamicImage, ImageError> {
        self.check()?;
        self.decode_checked()
    }

    fn decode_checked(&self) -> Result<DynamicImage, ImageError> {
        if self.format == ImageFormat::Jpeg {
            return jpeg::decode(self.bytes);
        }
        let bytes = match self.format {
            ImageFormat::Png => match png::remove_unneeded_chunks(self.bytes) {
                Cow::Borrowed(bytes) => png::with_end(bytes),
                Cow::Owned(bytes) => Cow::Owned(png::with_end(&bytes).into_owned()),
            },
            ImageFormat::Gif => gif::with_end(self.bytes),
            _ => Cow::Borrowed(self.bytes),
        };
        let mut decoder = reader(bytes, self.format, self.pixels).into_decoder()?;
        limits(self.pixels).reserve(decoder.total_bytes())?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    }

    /// Decodes an image that will be shrunk.
    ///
    /// A JPEG is decoded at an eighth, a quarter or half of its size, as long as both sides keep at least `side`
    /// pixels, and any other format as [`decode`](Self::decode) does.
    ///
    /// # Errors
    /// If the image is truncated or broken.
    pub fn decode_reduced(&self, side: u16) -> Result<DynamicImage, ImageError> {
        self.check()?;
        if self.format == ImageFormat::Jpeg
            && let Some(picture) = jpeg::reduced::decode(self.bytes, side)
        {
            return Ok(picture);
        }
        self.decode_checked()
    }

    /// Decodes the image in gray.
    ///
    /// # Errors
    /// If the image is truncated or broken.
    pub fn decode_gray(&self) -> Result<DynamicImage, ImageError> {
        self.check()?;
        if self.format == ImageFormat::Jpeg {
            return jpeg::decode_gray(self.bytes);
        }
        self.decode_checked().map(luma::to_gray)
    }

    /// Rejects images that a decoder would pad with gray, use unbounded memory for, or panic on.
    fn check(&self) -> Result<(), ImageError> {
        match self.format {
            ImageFormat::WebP if !webp::has_complete_exif(self.bytes) => Err(ImageError::Truncated),
            ImageFormat::Png if !png::has_whole_colours(self.bytes) => {
                Err(ImageError::Broken("its palette ends within a colour".to_owned()))
            }
            _ => Ok(()),
        }
    }
}
