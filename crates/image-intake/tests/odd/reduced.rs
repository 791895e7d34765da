//! JPEGs decoded at a reduced size.

use image::{ImageFormat, Rgb, RgbImage};
use image_intake::{DEFAULT_MAX_PIXELS, ImageError, InputImage};
use jpeg_encoder::ColorType;

use crate::make;

fn decode_reduced_rgb(bytes: &[u8], side: u16) -> Result<RgbImage, ImageError> {
    Ok(InputImage::admit(bytes, DEFAULT_MAX_PIXELS)?.decode_reduced(side)?.into_rgb8())
}

/// Creates waves that survive any reduction, in a size that is not a multiple of anything.
fn waves() -> RgbImage {
    let wave = |at: u32| ((f64::from(at) / 40.0).sin() * 100.0 + 128.0) as u8;
    RgbImage::from_fn(333, 217, |x, y| Rgb([wave(x), wave(y), wave(x + y)]))
}

fn waves_as(colours: ColorType, progressive: bool) -> Vec<u8> {
    make::jpeg(waves().as_raw(), (333, 217), colours, progressive)
}

/// Returns the mean colour of a square, which may be partly outside of the image.
fn mean(picture: &RgbImage, at: (u32, u32), side: u32) -> [u8; 3] {
    let across = at.0..(at.0 + side).min(picture.width());
    let pixels = across.flat_map(|x| (at.1..(at.1 + side).min(picture.height())).map(move |y| (x, y)));
    let pixels: Vec<_> = pixels.map(|(x, y)| picture.get_pixel(x, y).0.map(u32::from)).collect();
    [0, 1, 2].map(|colour| (pixels.iter().map(|pixel| pixel[colour]).sum::<u32>() / pixels.len() as u32) as u8)
}

#[test]
fn reduced_pixels_are_means() {
    let waves = waves();
    for bytes in [waves_as(ColorType::Rgb, false), waves_as(ColorType::Rgb, true)] {
        for (side, width, height) in [(20, 42, 28), (50, 84, 55), (100, 167, 109), (200, 333, 217)] {
            let reduced = decode_reduced_rgb(&bytes, side).unwrap();
            assert_eq!(reduced.dimensions(), (width, height), "{side}");
            let part = 333_u32.div_ceil(width);
            for (x, y, Rgb(colour)) in reduced.enumerate_pixels() {
                let expected = mean(&waves, (x * part, y * part), part);
                let off = colour.iter().zip(expected).any(|(found, expected)| found.abs_diff(expected) > 8);
                assert!(!off, "{side}: {colour:?} for {expected:?} at {x}, {y}");
            }
        }
    }
}

#[test]
fn gray_jpeg_is_reduced() {
    let small = decode_reduced_rgb(&make::gray_jpeg(), 10).unwrap();
    assert_eq!(small.dimensions(), (12, 10));
    let Rgb([red, green, blue]) = *small.get_pixel(6, 5);
    assert!(red == green && green == blue && red.abs_diff(130) < 6, "{red}");
}

#[test]
fn rare_layouts_and_other_formats_decode_in_full() {
    let png = make::encode(&waves().into(), ImageFormat::Png);
    assert_eq!(decode_reduced_rgb(&png, 10).unwrap().dimensions(), (333, 217));
    assert_eq!(decode_reduced_rgb(&make::cmyk_jpeg(), 10).unwrap().dimensions(), (48, 40));
}

/// An EXIF block of one entry: orientation 6, to be turned clockwise.
const EXIF_ROTATED: &[u8] = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

#[test]
fn reduced_image_has_its_orientation_applied() {
    let plain = waves_as(ColorType::Rgb, false);
    let sideways = [&plain[..2], EXIF_ROTATED, &plain[2..]].concat();
    assert_eq!(decode_reduced_rgb(&sideways, 20).unwrap().dimensions(), (28, 42));
}

#[test]
fn orientation_between_scans_is_ignored() {
    let plain = waves_as(ColorType::Rgb, true);
    let last = plain.windows(2).rposition(|marker| marker == b"\xFF\xDA").unwrap();
    let late = [&plain[..last], EXIF_ROTATED, &plain[last..]].concat();
    let admitted = InputImage::admit(&late, DEFAULT_MAX_PIXELS).unwrap();
    let (full, gray) = (admitted.decode().unwrap(), admitted.decode_gray().unwrap());
    assert_eq!([full.width(), full.height(), gray.width(), gray.height()], [333, 217, 333, 217]);
    assert_eq!(decode_reduced_rgb(&late, 20).unwrap().dimensions(), (42, 28));
}

#[test]
fn truncated_image_is_rejected() {
    for bytes in [waves_as(ColorType::Rgb, false), waves_as(ColorType::Rgb, true)] {
        for percent in 0..100 {
            assert!(decode_reduced_rgb(&bytes[..bytes.len() * percent / 100], 20).is_err(), "{percent} %");
        }
    }
}
