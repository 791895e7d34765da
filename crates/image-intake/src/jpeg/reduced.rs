//! JPEGs for whoever shrinks them anyway, decoded at a fraction of their size.
//!
//! A JPEG keeps squares of eight by eight pixels as frequencies. The lower ones alone are the same square of fewer pixels, each
//! the mean of those that it stands for, and what the others cost is saved.

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::layout::Layout;
use super::{headers, keeps_luma_apart, orientation};

/// Decodes at an eighth, a quarter or half of the size: the least that leaves both sides with `side` pixels. `None` where that
/// is all of the size, where colours are kept in a rare way, where the end is missing, and where this decoder finds a mistake:
/// whether a picture is broken is for the one to say that decodes all of it.
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
    let (width, height) = reduced(u16::try_from(width).ok()?, u16::try_from(height).ok()?, side)?;
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

/// The size at the least fraction that leaves both sides with `side` pixels, if there is one.
fn reduced(width: u16, height: u16, side: u16) -> Option<(u16, u16)> {
    let sizes = [8, 4, 2].map(|part| (width.div_ceil(part), height.div_ceil(part)));
    sizes.into_iter().find(|(width, height)| *width.min(height) >= side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_keep_as_many_pixels_as_are_wanted() {
        assert_eq!(reduced(640, 480, 60), Some((80, 60)));
        assert_eq!(reduced(640, 480, 61), Some((160, 120)));
        assert_eq!(reduced(5, 480, 3), Some((3, 240)));
        assert_eq!(reduced(119, 480, 60), Some((60, 240)));
        assert_eq!(reduced(118, 480, 60), None);
        assert_eq!(reduced(u16::MAX, u16::MAX, 1), Some((8192, 8192)));
    }
}
