//! Unusual and truncated images.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod ends;
mod make;
mod mutated;
mod reduced;

use image::{DynamicImage, ImageFormat};
use image_intake::luma::luma;
use image_intake::{DEFAULT_MAX_PIXELS, ImageError, InputImage};

fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    InputImage::admit(bytes, DEFAULT_MAX_PIXELS)?.decode()
}

/// Decodes as the grayscale service does; a GIF stays one.
fn gray(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let picture = InputImage::admit(bytes, DEFAULT_MAX_PIXELS)?;
    match picture.gif() {
        Some(outline) => decode(&outline.to_gray(bytes)?),
        None => picture.decode_gray(),
    }
}

/// Returns the colour in the middle of the right half, and the same in gray.
fn colour_and_gray(bytes: &[u8]) -> ([u8; 3], u8) {
    let (colour, gray) = (decode(bytes).unwrap().into_rgb8(), gray(bytes).unwrap().into_luma8());
    assert_eq!(colour.dimensions(), (48, 40));
    assert_eq!(gray.dimensions(), (48, 40));
    (colour.get_pixel(40, 20).0, gray.get_pixel(40, 20).0[0])
}

#[track_caller]
fn check_orange(bytes: &[u8], tolerance: u8) {
    let (colour, gray) = colour_and_gray(bytes);
    for (found, expected) in colour.iter().zip([230u8, 140, 30]) {
        assert!(found.abs_diff(expected) <= tolerance, "{colour:?}");
    }
    assert!(gray.abs_diff(luma(230, 140, 30)) <= tolerance, "{gray}");
}

#[test]
fn sixteen_bit_png_is_decoded() {
    check_orange(&make::deep_png(), 0);
}

#[test]
fn progressive_jpeg_is_decoded() {
    check_orange(&make::progressive_jpeg(), 6);
}

#[test]
fn jpeg_with_adobe_segment_between_scans_is_rejected() {
    let plain = make::jpeg_in_three_scans();
    check_orange(&plain, 6);
    let colours = b"\xFF\xEE\0\x0EAdobe\0\x65\0\0\0\0\x02";
    let scans = plain.windows(2).enumerate().filter(|(_, marker)| *marker == b"\xFF\xDA").map(|(at, _)| at);
    let scans: Vec<usize> = scans.collect();
    assert_eq!(scans.len(), 3);
    for at in &scans[1..] {
        let late = [&plain[..*at], colours, &plain[*at..]].concat();
        for found in [decode(&late), gray(&late)] {
            assert!(matches!(found, Err(ImageError::Broken(reason)) if reason.contains("colours")));
        }
    }
    // Another image may follow the end.
    check_orange(&[&plain[..], colours].concat(), 6);
}

#[test]
fn cmyk_jpeg_is_decoded() {
    check_orange(&make::cmyk_jpeg(), 8);
}

#[test]
fn gray_jpeg_is_decoded() {
    let (colour, gray) = colour_and_gray(&make::gray_jpeg());
    assert!(colour.iter().all(|value| value.abs_diff(200) <= 3) && gray.abs_diff(200) <= 3, "{colour:?} {gray}");
}

#[test]
fn transparency_is_kept_in_gray() {
    let bytes = make::transparent_png();
    check_orange(&bytes, 0);
    let gray = gray(&bytes).unwrap().into_luma_alpha8();
    assert_eq!((gray.get_pixel(3, 20).0[1], gray.get_pixel(40, 20).0[1]), (0, 255));
}

#[test]
fn animation_decodes_to_its_first_frame() {
    for bytes in [make::animated_gif(), make::animated_webp()] {
        let first = decode(&bytes).unwrap().into_rgb8();
        let apart = |found: u8, expected: u8| found.abs_diff(expected);
        // The frames of a WebP are blended, and rounded then.
        let colour = first.get_pixel(20, 20).0;
        assert!(colour.iter().zip([200, 20, 20]).all(|(found, expected)| apart(*found, expected) <= 1), "{colour:?}");
        let gray = gray(&bytes).unwrap().into_luma8();
        assert!(apart(gray.get_pixel(20, 20).0[0], luma(200, 20, 20)) <= 1);
    }
}

#[test]
fn webp_with_truncated_exif_is_rejected() {
    let bytes = make::webp_that_claims_exif(&[0xC5, 0x09, 0x0A, 0xC5]);
    assert!(matches!(decode(&bytes), Err(ImageError::Truncated)));
    assert!(matches!(gray(&bytes), Err(ImageError::Truncated)));
    check_orange(&make::webp_that_claims_exif(&[0; 4]), 0);
}

#[test]
fn palette_with_incomplete_colour_is_rejected() {
    for (colours, is_whole) in
        [(&[230, 140, 30][..], true), (&[230, 140, 30, 40], false), (&[230, 140, 30, 40, 30], false)]
    {
        let bytes = make::palette_png(colours);
        assert_eq!(decode(&bytes).is_ok(), is_whole, "{colours:?}");
        assert_eq!(gray(&bytes).is_ok(), is_whole, "{colours:?}");
    }
}

#[test]
fn extreme_sizes_are_decoded() {
    for (width, height) in [(1, 1), (1, 10_000), (10_000, 1)] {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif] {
            let bytes = make::encode(&make::orange(width, height).into(), format);
            assert_eq!(
                (decode(&bytes).unwrap().width(), decode(&bytes).unwrap().height()),
                (width, height),
                "{format:?}"
            );
            assert_eq!((gray(&bytes).unwrap().width(), gray(&bytes).unwrap().height()), (width, height), "{format:?}");
        }
    }
}

#[test]
fn truncated_images_are_rejected_without_panic() {
    let plain = DynamicImage::from(make::orange(48, 40));
    let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif];
    let mut pictures: Vec<Vec<u8>> = formats.iter().map(|format| make::encode(&plain, *format)).collect();
    pictures.extend([make::deep_png(), make::progressive_jpeg(), make::cmyk_jpeg(), make::gray_jpeg()]);
    pictures.extend([make::transparent_png(), make::animated_gif(), make::animated_webp()]);
    for (number, bytes) in pictures.iter().enumerate() {
        for percent in 0..100 {
            let (decoded, gray) =
                (decode(&bytes[..bytes.len() * percent / 100]), gray(&bytes[..bytes.len() * percent / 100]));
            // A reader need not check data after the pixels.
            if percent < 50 {
                assert!(decoded.is_err() && gray.is_err(), "{percent} % of picture {number}");
            }
        }
    }
}
