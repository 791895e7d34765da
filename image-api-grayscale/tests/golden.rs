//! The gray of every pixel follows the documented formula: 0.299 red, 0.587 green, 0.114 blue, rounded.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};
use image_api_grayscale::{EncodedGray, turn_gray};
use image_intake::luma::luma;
use image_intake::{DEFAULT_MAX_PIXELS, InputImage};

const SAMPLE: &[u8] = include_bytes!("../../docs/sample.jpg");

/// A JPEG rounds luma to a byte, and so does each colour converted from it and back.
const TOLERANCE: u8 = 2;

fn gray_of(bytes: &[u8]) -> GrayImage {
    let Ok(EncodedGray::Png(png)) = turn_gray(bytes, DEFAULT_MAX_PIXELS) else { panic!("a PNG") };
    image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap().into_luma8()
}

/// Creates an image with all extreme colours and those between, high enough for several chunks.
fn colours() -> RgbImage {
    RgbImage::from_fn(768, 512, |x, y| Rgb([(x / 3) as u8, (y / 2) as u8, (x * y / 97) as u8]))
}

#[test]
fn lossless_images_match_the_formula_exactly() {
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(colours()).write_to(&mut bytes, format).unwrap();
        let gray = gray_of(bytes.get_ref());
        for (x, y, pixel) in colours().enumerate_pixels() {
            let [red, green, blue] = pixel.0;
            assert_eq!(gray.get_pixel(x, y).0, [luma(red, green, blue)], "{format:?} at {x}, {y}");
        }
    }
}

#[test]
fn jpeg_luma_matches_the_formula_within_two_steps() {
    let colours = InputImage::admit(SAMPLE, DEFAULT_MAX_PIXELS).unwrap().decode().unwrap().into_rgb8();
    let gray = gray_of(SAMPLE);
    assert_eq!(gray.dimensions(), colours.dimensions());
    let mut off = 0u64;
    for (x, y, pixel) in colours.enumerate_pixels() {
        let [red, green, blue] = pixel.0;
        // Saturated colours were clipped, so that their luma changed.
        if pixel.0.iter().any(|value| matches!(value, 0 | 255)) {
            continue;
        }
        let apart = gray.get_pixel(x, y).0[0].abs_diff(luma(red, green, blue));
        assert!(apart <= TOLERANCE, "{apart} at {x}, {y}");
        off += u64::from(apart);
    }
    let pixels = u64::from(gray.width()) * u64::from(gray.height());
    assert!(off * 2 < pixels, "{off} steps in {pixels} pixels");
}
