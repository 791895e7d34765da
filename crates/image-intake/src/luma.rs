//! Luma with JPEG's own weights (BT.601), so that an image is the same gray in every format.

use image::{DynamicImage, GrayAlphaImage, GrayImage};

/// Returns the luma of a colour. The weights are 0.299, 0.587 and 0.114 in 65536ths, rounded.
#[must_use]
pub fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let weighted = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    // The weights add up to 65536, so that the sum fits into a byte again.
    ((weighted + 32_768) >> 16) as u8
}

/// Converts an image to gray, and keeps its transparency.
#[must_use]
pub fn to_gray(picture: DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    match picture {
        gray @ (DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_)) => gray,
        picture if picture.color().has_alpha() => {
            let pixels = picture.into_rgba8();
            let gray = pixels.pixels().flat_map(|pixel| {
                let [red, green, blue, alpha] = pixel.0;
                [luma(red, green, blue), alpha]
            });
            GrayAlphaImage::from_raw(width, height, gray.collect()).unwrap_or_default().into()
        }
        picture => {
            let pixels = picture.into_rgb8();
            let gray = pixels.pixels().map(|pixel| {
                let [red, green, blue] = pixel.0;
                luma(red, green, blue)
            });
            GrayImage::from_raw(width, height, gray.collect()).unwrap_or_default().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_stays_white_and_green_is_brightest() {
        assert_eq!((luma(0, 0, 0), luma(255, 255, 255)), (0, 255));
        assert_eq!((luma(255, 0, 0), luma(0, 255, 0), luma(0, 0, 255)), (76, 150, 29));
    }
}
