//! JPEGs without an end marker.

use std::borrow::Cow;
use std::io::Read as _;

use jpeg_decoder::{ColorTransform, Decoder};

use super::layout::Layout;
use crate::ImageError;

const END_MARKER: &[u8] = b"\xFF\xD9";

/// Continuations of an image without its end: all bits clear, and all bits set. Each is longer than the decoder reads
/// ahead.
const CONTINUATIONS: [&[u8]; 2] = [&[0; 16], SET_BITS.as_flattened()];
/// A zero after each 0xFF distinguishes it from a marker.
const SET_BITS: &[[u8; 2]] = &[[0xFF, 0]; 16];

/// Returns the image with its end marker.
///
/// # Errors
/// If pixels are missing, or may be.
pub(super) fn with_end<'a>(bytes: &'a [u8], layout: &Layout) -> Result<Cow<'a, [u8]>, ImageError> {
    if layout.has_end {
        return Ok(Cow::Borrowed(bytes));
    }
    if !(layout.is_complete() && layout.suits_jpeg_decoder()) {
        return Err(ImageError::Truncated);
    }
    // Half of an end marker.
    let bytes = bytes.strip_suffix(b"\xFF").unwrap_or(bytes);
    // If bits are missing, the continuation shows in pixels, or is not a valid code. If none is missing, it is never
    // read.
    let [clear, set] = CONTINUATIONS.map(|continuation| samples(bytes, continuation, layout));
    if clear.is_some() && clear == set {
        Ok(Cow::Owned([bytes, END_MARKER].concat()))
    } else {
        Err(ImageError::Truncated)
    }
}

fn samples(bytes: &[u8], continuation: &[u8], layout: &Layout) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(bytes.chain(continuation).chain(END_MARKER));
    decoder.set_color_transform(match layout.component_count() {
        1 => ColorTransform::Grayscale,
        3 => ColorTransform::RGB,
        _ => ColorTransform::CMYK,
    });
    decoder.decode().ok()
}
