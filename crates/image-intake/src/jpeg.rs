//! JPEGs: what their decoders leave to their caller (noticing that pixels are missing, which of them reads a picture right, and
//! what would make one panic), and decoding, in colours or brightness alone.

mod bytes;
pub(crate) mod cost;
mod end;
mod layout;
pub(crate) mod reduced;
mod uncommon;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use memchr::{memchr, memchr_iter};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use self::bytes::Bytes;
use self::layout::{Backend, Layout};
use crate::{Refusal, luma};

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// The size in the first frame header.
pub(crate) fn claimed_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (_, content) = Segments::of(bytes).find(|(marker, _)| is_frame(*marker))?;
    frame_size(content)
}

/// Whether a segment is the header of a frame.
fn is_frame(marker: u8) -> bool {
    // 0xC4, 0xC8 and 0xCC lie between the frame headers and are something else.
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// Width and height in the header of a frame.
fn frame_size(header: &[u8]) -> Option<(u32, u32)> {
    let &[_precision, h1, h0, w1, w0] = header.first_chunk::<5>()?;
    Some((u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into()))
}

/// The segments of a JPEG as marker and content, without the data of its scans.
struct Segments<'a>(&'a [u8]);

impl<'a> Segments<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        // Behind the start-of-image marker.
        Self(bytes.get(2..).unwrap_or_default())
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (marker, behind) = next_marker(self.0)?;
        // Markers of the end, of a restart and the like have no content.
        if matches!(marker, 0x01 | 0xD0..=0xD9) {
            self.0 = if marker == END_OF_IMAGE { &[] } else { behind };
            return Some((marker, &[]));
        }
        let length = usize::from(u16::from_be_bytes(*behind.first_chunk::<2>()?));
        let (content, behind) = (behind.get(2..length)?, behind.get(length..)?);
        self.0 = if marker == START_OF_SCAN { skip_scan(behind) } else { behind };
        Some((marker, content))
    }
}

/// The next marker and what comes behind it; any number of 0xFF may fill the space before.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let start = memchr(0xFF, bytes)?;
    let from_marker = bytes.get(start..)?;
    let offset = from_marker.iter().position(|&byte| byte != 0xFF)?;
    Some((*from_marker.get(offset)?, from_marker.get(offset + 1..)?))
}

/// Skips a scan's data, in which 0xFF is followed by zero or a restart marker.
fn skip_scan(bytes: &[u8]) -> &[u8] {
    // A scan is nearly all of a file, and nearly none of it is 0xFF.
    let is_marker = |at: &usize| bytes.get(at + 1).is_some_and(|next| !matches!(next, 0 | 0xD0..=0xD7 | 0xFF));
    memchr_iter(0xFF, bytes).find(is_marker).and_then(|end| bytes.get(end..)).unwrap_or_default()
}

/// The size that the decoder itself is going to see.
pub(crate) fn understood_size(bytes: &[u8]) -> Result<(u32, u32), Refusal> {
    size(&headers(bytes)?)
}

/// Decodes the picture in its colours, or in gray where it has none.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage, Refusal> {
    let layout = Layout::parse(bytes)?;
    let bytes = &end::with_end(bytes, &layout)?;
    let decoder = headers(bytes)?;
    let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    match layout.backend(false)? {
        Backend::Zune => pixels(decoder, if is_gray { ColorSpace::Luma } else { ColorSpace::RGB }),
        Backend::JpegDecoder => uncommon::decode(&decoder, bytes),
    }
}

/// Decodes the brightness alone: a JPEG keeps it apart from the colours, so that half the work is never done. But for the rare
/// picture in RGB or CMYK, which does not.
pub(crate) fn decode_gray(bytes: &[u8]) -> Result<DynamicImage, Refusal> {
    let layout = Layout::parse(bytes)?;
    let bytes = &end::with_end(bytes, &layout)?;
    let decoder = headers(bytes)?;
    let is_apart = keeps_luma_apart(&decoder);
    match layout.backend(is_apart)? {
        Backend::Zune if is_apart => pixels(decoder, ColorSpace::Luma),
        Backend::Zune => pixels(decoder, ColorSpace::RGB).map(luma::grayed),
        Backend::JpegDecoder if is_apart => uncommon::decode_luma(&decoder, bytes),
        Backend::JpegDecoder => uncommon::decode(&decoder, bytes).map(luma::grayed),
    }
}

/// A decoder that has read what comes before the pixels.
fn headers(bytes: &[u8]) -> Result<JpegDecoder<Bytes<'_>>, Refusal> {
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(Bytes::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    Ok(decoder)
}

fn broken(error: DecodeErrors) -> Refusal {
    Refusal::Broken(error.to_string())
}

fn keeps_luma_apart(decoder: &JpegDecoder<Bytes<'_>>) -> bool {
    matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma))
}

fn size(decoder: &JpegDecoder<Bytes<'_>>) -> Result<(u32, u32), Refusal> {
    let size = decoder.dimensions().and_then(|(width, height)| Some((width.try_into().ok()?, height.try_into().ok()?)));
    size.ok_or(Refusal::Truncated)
}

fn pixels(mut decoder: JpegDecoder<Bytes<'_>>, colours: ColorSpace) -> Result<DynamicImage, Refusal> {
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(colours));
    let orientation = orientation(&decoder);
    let pixels = decoder.decode().map_err(broken)?;
    let (width, height) = size(&decoder)?;
    upright(picture(width, height, pixels, colours == ColorSpace::Luma), orientation)
}

/// A picture of those pixels, one byte each in gray and three in colours; `None` where they are too few.
fn picture(width: u32, height: u32, pixels: Vec<u8>, is_gray: bool) -> Option<DynamicImage> {
    if is_gray {
        GrayImage::from_raw(width, height, pixels).map(Into::into)
    } else {
        RgbImage::from_raw(width, height, pixels).map(Into::into)
    }
}

fn upright(picture: Option<DynamicImage>, orientation: Orientation) -> Result<DynamicImage, Refusal> {
    let mut picture = picture.ok_or_else(|| Refusal::Broken("its size is contradictory".to_owned()))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// How the picture is meant to be looked at, as is said before its pixels. What a decoder meets later depends on how far it reads.
fn orientation(headers: &JpegDecoder<Bytes<'_>>) -> Orientation {
    let said = headers.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    said.unwrap_or(Orientation::NoTransforms)
}
