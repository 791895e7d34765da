//! Decodes JPEGs that will be shrunk at a fraction of their size.
//!
//! A JPEG stores blocks of eight by eight pixels as frequencies. The lower ones alone give the same block with fewer
//! pixels, each a mean of those that it covers, and the work for the others is saved.

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::layout::Layout;
use super::{headers, keeps_luma_apart, orientation};

/// Decodes at an eighth, a quarter or half of the size: the smallest that leaves both sides with `side` pixels.
///
/// `None` if no fraction is small enough, if the layout is unusual, if the end is missing, and if this decoder finds an
/// error: only a full decode decides whether an image is broken.
pub(crate) fn decode(bytes: &[u8], side: u16) -> Option<DynamicImage> {
    let layout = Layout::parse(bytes).ok()?;
    if !(layout.has_end && layout.suits_jpeg_decoder()) {
        return None;
    }
    let full = headers(bytes).ok()?;
    if !keeps_luma_apart(&full) {
        return None;
    }
    let (width, height) = full.dimensions()?;
    let (width, height) = reduced_size(u16::try_from(width).ok()?, u16::try_from(height).ok()?, side)?;
    let mut decoder = Decoder::new(bytes);
    decoder.set_color_transform(ColorTransform::YCbCr);
    let (width, height) = decoder.scale(width, height).ok()?;
    let pixels = decoder.decode().ok()?;
    let (width, height) = (width.into(), height.into());
    let mut picture: DynamicImage = match decoder.info()?.pixel_format {
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels)?.into(),
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels)?.into(),
        _ => return None,
    };
    picture.apply_orientation(orientation(&full));
    Some(picture)
}

/// Returns the size at the smallest fraction that leaves both sides with `side` pixels, if there is one.
fn reduced_size(width: u16, height: u16, side: u16) -> Option<(u16, u16)> {
    let sizes = [8, 4, 2].map(|part| (width.div_ceil(part), height.div_ceil(part)));
    sizes.into_iter().find(|(width, height)| *width.min(height) >= side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_keep_the_requested_pixels() {
        assert_eq!(reduced_size(640, 480, 60), Some((80, 60)));
        assert_eq!(reduced_size(640, 480, 61), Some((160, 120)));
        assert_eq!(reduced_size(5, 480, 3), Some((3, 240)));
        assert_eq!(reduced_size(119, 480, 60), Some((60, 240)));
        assert_eq!(reduced_size(118, 480, 60), None);
        assert_eq!(reduced_size(u16::MAX, u16::MAX, 1), Some((8192, 8192)));
    }
}
