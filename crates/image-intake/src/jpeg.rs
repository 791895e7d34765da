//! JPEG decoding, in colour or luma only, and checks that the decoders leave to their caller.
//!
//! The checks find missing pixels, the decoder that reads an image correctly, and input that would make one panic.

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
use crate::{ImageError, luma};

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// Returns the size in the first frame header.
pub(crate) fn claimed_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (_, content) = Segments::new(bytes).find(|(marker, _)| is_frame(*marker))?;
    frame_size(content)
}

/// Returns true for the marker of a frame header.
fn is_frame(marker: u8) -> bool {
    // 0xC4, 0xC8 and 0xCC are between the frame markers, and mean something else.
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// Returns width and height of a frame header.
fn frame_size(header: &[u8]) -> Option<(u32, u32)> {
    let &[_precision, h1, h0, w1, w0] = header.first_chunk::<5>()?;
    Some((u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into()))
}

/// Iterator over a JPEG's segments as marker and content, without scan data.
struct Segments<'a>(&'a [u8]);

impl<'a> Segments<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // After the start-of-image marker.
        Self(bytes.get(2..).unwrap_or_default())
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (marker, behind) = next_marker(self.0)?;
        // End, restart and similar markers have no content.
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

/// Finds the next marker and the bytes after it; any number of 0xFF may precede it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let start = memchr(0xFF, bytes)?;
    let from_marker = bytes.get(start..)?;
    let offset = from_marker.iter().position(|&byte| byte != 0xFF)?;
    Some((*from_marker.get(offset)?, from_marker.get(offset + 1..)?))
}

/// Skips scan data, in which 0xFF is followed by zero or a restart marker.
fn skip_scan(bytes: &[u8]) -> &[u8] {
    // Scan data is most of a file, and contains few 0xFF.
    let is_marker = |at: &usize| bytes.get(at + 1).is_some_and(|next| !matches!(next, 0 | 0xD0..=0xD7 | 0xFF));
    memchr_iter(0xFF, bytes).find(is_marker).and_then(|end| bytes.get(end..)).unwrap_or_default()
}

/// Returns the size that the decoder will produce.
pub(crate) fn decoder_size(bytes: &[u8]) -> Result<(u32, u32), ImageError> {
    size(&headers(bytes)?)
}

/// Decodes the image in colour, or in gray if it has no colours.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let layout = Layout::parse(bytes)?;
    let bytes = &end::with_end(bytes, &layout)?;
    let decoder = headers(bytes)?;
    let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    match layout.backend(false)? {
        Backend::Zune => pixels(decoder, if is_gray { ColorSpace::Luma } else { ColorSpace::RGB }),
        Backend::JpegDecoder => uncommon::decode(&decoder, bytes),
    }
}

/// Decodes luma only.
///
/// A JPEG stores it separately from the colours, which saves half of the work. The exceptions are rare images in RGB or
/// CMYK.
pub(crate) fn decode_gray(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let layout = Layout::parse(bytes)?;
    let bytes = &end::with_end(bytes, &layout)?;
    let decoder = headers(bytes)?;
    let is_apart = keeps_luma_apart(&decoder);
    match layout.backend(is_apart)? {
        Backend::Zune if is_apart => pixels(decoder, ColorSpace::Luma),
        Backend::Zune => pixels(decoder, ColorSpace::RGB).map(luma::to_gray),
        Backend::JpegDecoder if is_apart => uncommon::decode_luma(&decoder, bytes),
        Backend::JpegDecoder => uncommon::decode(&decoder, bytes).map(luma::to_gray),
    }
}

/// Creates a decoder that has read the headers.
fn headers(bytes: &[u8]) -> Result<JpegDecoder<Bytes<'_>>, ImageError> {
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(Bytes::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    Ok(decoder)
}

fn broken(error: DecodeErrors) -> ImageError {
    ImageError::Broken(error.to_string())
}

fn keeps_luma_apart(decoder: &JpegDecoder<Bytes<'_>>) -> bool {
    matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma))
}

fn size(decoder: &JpegDecoder<Bytes<'_>>) -> Result<(u32, u32), ImageError> {
    let size = decoder.dimensions().and_then(|(width, height)| Some((width.try_into().ok()?, height.try_into().ok()?)));
    size.ok_or(ImageError::Truncated)
}

fn pixels(mut decoder: JpegDecoder<Bytes<'_>>, colours: ColorSpace) -> Result<DynamicImage, ImageError> {
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(colours));
    let orientation = orientation(&decoder);
    let pixels = decoder.decode().map_err(broken)?;
    let (width, height) = size(&decoder)?;
    apply_orientation(picture(width, height, pixels, colours == ColorSpace::Luma), orientation)
}

/// Creates an image from pixels of one byte (gray) or three (colour); `None` if there are too few.
fn picture(width: u32, height: u32, pixels: Vec<u8>, is_gray: bool) -> Option<DynamicImage> {
    if is_gray {
        GrayImage::from_raw(width, height, pixels).map(Into::into)
    } else {
        RgbImage::from_raw(width, height, pixels).map(Into::into)
    }
}

fn apply_orientation(picture: Option<DynamicImage>, orientation: Orientation) -> Result<DynamicImage, ImageError> {
    let mut picture = picture.ok_or_else(|| ImageError::Broken("its size is contradictory".to_owned()))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Reads the orientation from the headers. A decoder may find another one later, depending on how far it reads.
fn orientation(headers: &JpegDecoder<Bytes<'_>>) -> Orientation {
    let said = headers.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    said.unwrap_or(Orientation::NoTransforms)
}
