//! JPEGs: what their decoder leaves to its caller (noticing that the end is missing, or what would make it panic), and decoding, in
//! colours or brightness alone.

mod bytes;
pub(crate) mod reduced;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use memchr::{memchr, memchr_iter, memmem};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use self::bytes::Bytes;
use crate::{Refusal, luma};

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// The marker of the segment in which Adobe's programs, and by now others, say what the colours are.
const COLOURS: &[u8] = &[0xFF, 0xEE];

/// Refuses what does not reach its end marker, which decoders fill with gray and call a success, and what says amid its pixels
/// of what kind their colours are, at which the decoder panics.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    let (mut segments, mut pixels) = (Segments::of(bytes), None);
    let end = loop {
        let rest = segments.0;
        match segments.next() {
            Some((END_OF_IMAGE, _)) => break rest,
            Some((START_OF_SCAN, _)) => pixels = pixels.or(Some(rest)),
            Some(_) => {}
            None => return Err(Refusal::Truncated),
        }
    };
    let pixels = pixels.and_then(|from| from.get(..from.len() - end.len()));
    match pixels.and_then(|pixels| memmem::find(pixels, COLOURS)) {
        Some(_) => Err(Refusal::Broken("it says amid its pixels how their colours are kept".to_owned())),
        None => Ok(()),
    }
}

/// The size in the first frame header.
pub(crate) fn claimed_size(bytes: &[u8]) -> Option<(u32, u32)> {
    // 0xC4, 0xC8 and 0xCC lie between the frame headers and are something else.
    let is_frame = |marker| matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
    let (_, content) = Segments::of(bytes).find(|(marker, _)| is_frame(*marker))?;
    let &[_precision, h1, h0, w1, w0] = content.first_chunk::<5>()?;
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
    let decoder = headers(bytes)?;
    let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    pixels(decoder, if is_gray { ColorSpace::Luma } else { ColorSpace::RGB })
}

/// Decodes the brightness alone: a JPEG keeps it apart from the colours, so that half the work is never done. But for the rare
/// picture in RGB or CMYK, which does not.
pub(crate) fn decode_gray(bytes: &[u8]) -> Result<DynamicImage, Refusal> {
    let decoder = headers(bytes)?;
    if keeps_luma_apart(&decoder) {
        return pixels(decoder, ColorSpace::Luma);
    }
    pixels(decoder, ColorSpace::RGB).map(luma::grayed)
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
    let picture: Option<DynamicImage> = match colours {
        ColorSpace::Luma => GrayImage::from_raw(width, height, pixels).map(Into::into),
        _ => RgbImage::from_raw(width, height, pixels).map(Into::into),
    };
    let mut picture = picture.ok_or_else(|| Refusal::Broken("its size is contradictory".to_owned()))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// How the picture is meant to be looked at, as is said before its pixels. What a decoder meets later depends on how far it reads.
fn orientation(headers: &JpegDecoder<Bytes<'_>>) -> Orientation {
    let said = headers.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    said.unwrap_or(Orientation::NoTransforms)
}
