//! JPEGs without the mark of their end.

use std::borrow::Cow;
use std::io::Read as _;

use jpeg_decoder::{ColorTransform, Decoder};

use super::layout::Layout;
use crate::Refusal;

const END: &[u8] = b"\xFF\xD9";

/// What may be put behind a picture whose end is missing: bits that are all clear, and bits that are all set. Each goes on for
/// longer than the decoder reads ahead.
const CONTINUATIONS: [&[u8]; 2] = [&[0; 16], SET.as_flattened()];
/// A zero behind each byte tells it from a marker.
const SET: &[[u8; 2]] = &[[0xFF, 0]; 16];

/// The picture with the mark of its end.
///
/// # Errors
/// When pixels are missing, too, or it cannot be told.
pub(super) fn with_end<'a>(bytes: &'a [u8], layout: &Layout) -> Result<Cow<'a, [u8]>, Refusal> {
    if layout.has_end {
        return Ok(Cow::Borrowed(bytes));
    }
    if !(layout.is_complete() && layout.suits_jpeg_decoder()) {
        return Err(Refusal::Truncated);
    }
    // Half of an end marker.
    let bytes = bytes.strip_suffix(b"\xFF").unwrap_or(bytes);
    // Where bits are missing, those that are put in their place show: in pixels, or by being no code. Where none is missing,
    // nobody reads them.
    let [clear, set] = CONTINUATIONS.map(|continuation| samples(bytes, continuation, layout));
    if clear.is_some() && clear == set { Ok(Cow::Owned([bytes, END].concat())) } else { Err(Refusal::Truncated) }
}

fn samples(bytes: &[u8], continuation: &[u8], layout: &Layout) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(bytes.chain(continuation).chain(END));
    decoder.set_color_transform(match layout.component_count() {
        1 => ColorTransform::Grayscale,
        3 => ColorTransform::RGB,
        _ => ColorTransform::CMYK,
    });
    decoder.decode().ok()
}
