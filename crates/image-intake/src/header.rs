//! Image sizes from headers, without a decoder.
//!
//! Decoders report a header that claims too much as broken, or need more of the image first.

use image::ImageFormat;

use crate::jpeg;

/// Returns the pixels that an image's header claims; `None` if the header is not recognised here.
pub(crate) fn claimed_pixels(bytes: &[u8], format: ImageFormat) -> Option<u64> {
    let (width, height) = match format {
        ImageFormat::Png => (u32::from_be_bytes(array(bytes, 16)?), u32::from_be_bytes(array(bytes, 20)?)),
        ImageFormat::Bmp => {
            let number = |at| Some(i32::from_le_bytes(array(bytes, at)?).unsigned_abs());
            // The oldest header, of 12 bytes, has 16 bits for each side, and cannot claim too much.
            if array(bytes, 14)? == 12u32.to_le_bytes() {
                return None;
            }
            (number(18)?, number(22)?)
        }
        // Only the extended form has a separate size; the others are limited to 16383 pixels for each side.
        ImageFormat::WebP if array(bytes, 12)? == *b"VP8X" => {
            let side = |at| array(bytes, at).map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]) + 1);
            (side(24)?, side(27)?)
        }
        ImageFormat::Jpeg => jpeg::claimed_size(bytes)?,
        _ => return None,
    };
    Some(cost(width, height))
}

/// Fewest pixels counted for a row: decoders have a cost for each.
const MIN_ROW_PIXELS: u32 = 16;

/// Returns the pixels of an image, with a minimum for short rows.
pub(crate) fn cost(width: u32, height: u32) -> u64 {
    u64::from(width.max(MIN_ROW_PIXELS)) * u64::from(height)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
