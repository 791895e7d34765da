//! From a picture's bytes to a gray picture's bytes.

use std::io::Write as _;

use image::DynamicImage;
use image_intake::{Picture, Refusal};
use png::{ColorType, Compression, Filter};

/// How many compressed bytes a PNG keeps together; each such piece costs twelve more.
const CHUNK: usize = 1 << 16;

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
    let gray = picture.decode_gray()?;
    encoded(&gray).map(GrayPicture::Png).map_err(|error| Refusal::Broken(error.to_string()))
}

/// The picture as PNG. Not by `image`, whose encoder writes eight bytes at a time through a cursor, which takes half as
/// long again in WebAssembly.
fn encoded(gray: &DynamicImage) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::with_capacity(gray.as_bytes().len() / 2);
    let mut encoder = png::Encoder::new(&mut bytes, gray.width(), gray.height());
    encoder.set_color(if gray.color().has_alpha() { ColorType::GrayscaleAlpha } else { ColorType::Grayscale });
    // A user waits for this: the fastest compression, and a filter for photographs that makes it worthwhile.
    encoder.set_compression(Compression::Fastest);
    encoder.set_filter(Filter::Up);
    let mut writer = encoder.write_header()?;
    let mut pixels = writer.stream_writer_with_size(CHUNK)?;
    pixels.write_all(gray.as_bytes())?;
    pixels.finish()?;
    writer.finish()?;
    Ok(bytes)
}
