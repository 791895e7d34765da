//! Decoding what was admitted.

use std::borrow::Cow;
use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::{Picture, Refusal, gif, header, jpeg, luma, png, webp};

/// The pixels that the decoder itself is going to see. Reads no further than the header.
pub(crate) fn understood_pixels(bytes: &[u8], format: ImageFormat) -> Result<u64, Refusal> {
    let (width, height) = match format {
        ImageFormat::Jpeg => jpeg::understood_size(bytes)?,
        _ => reader(bytes, format, 0).into_dimensions()?,
    };
    Ok(header::cost(width, height))
}

/// Bytes of a pixel as the most detailed formats keep them: four colours of 16 bits.
const MAX_PIXEL_BYTES: u64 = 8;
/// Bytes that a decoder may take beside those of pixels: what was sent, once more, and tables.
const MAX_OVERHEAD_BYTES: u64 = 32 << 20;

/// A reader whose decoder takes no more memory than a picture of so many pixels needs.
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
            ImageFormat::Png => match png::without_unneeded(self.bytes) {
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
