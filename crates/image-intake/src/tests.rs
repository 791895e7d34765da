//! Generated images, valid and damaged.

use std::io::Cursor;

use ::gif::{Encoder, Frame, Repeat};
use http::StatusCode;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::*;

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp];

/// Creates a wide image with a bright left half, so that rotation shows.
fn picture() -> DynamicImage {
    RgbImage::from_fn(64, 32, |x, y| Rgb([if x < 32 { 220 } else { 20 }, (y * 2) as u8 + 90, 40])).into()
}

fn encode(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn rejection(bytes: &[u8]) -> StatusCode {
    match InputImage::admit(bytes, DEFAULT_MAX_PIXELS) {
        Err(refusal) => refusal.status(),
        Ok(picture) => match picture.gif() {
            Some(outline) => outline.to_gray(bytes).unwrap_err().status(),
            None => picture.decode_gray().unwrap_err().status(),
        },
    }
}

#[test]
fn every_format_decodes_to_nearly_the_same_gray() {
    for format in FORMATS {
        let bytes = encode(format);
        let gray = InputImage::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap().decode_gray().unwrap().into_luma8();
        assert_eq!(gray.dimensions(), (64, 32), "{format:?}");
        let expected = luma::to_gray(picture()).into_luma8();
        let far = gray.pixels().zip(expected.pixels()).filter(|(a, b)| a.0[0].abs_diff(b.0[0]) > 12).count();
        assert!(far < 64, "{format:?}: {far} pixels are off");
    }
}

#[test]
fn truncated_image_is_unprocessable_in_every_format() {
    for format in FORMATS {
        let bytes = encode(format);
        let status = rejection(&bytes[..bytes.len() * 3 / 4]);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{format:?}");
    }
}

#[test]
fn empty_body_and_text_are_rejected() {
    assert_eq!(rejection(b""), StatusCode::BAD_REQUEST);
    assert_eq!(rejection(b"hello, world"), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(rejection(b"II*\0tiff"), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// Writes a size into an image's header, where the format stores it.
fn claiming(format: ImageFormat, width: u16, height: u16) -> Vec<u8> {
    let mut bytes = encode(format);
    let (at, field): (usize, Vec<u8>) = match format {
        ImageFormat::Png => (16, [u32::from(width).to_be_bytes(), u32::from(height).to_be_bytes()].concat()),
        ImageFormat::Bmp => (18, [u32::from(width).to_le_bytes(), u32::from(height).to_le_bytes()].concat()),
        ImageFormat::Gif => (6, [width.to_le_bytes(), height.to_le_bytes()].concat()),
        ImageFormat::Jpeg => {
            let frame = bytes.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
            (frame + 5, [height.to_be_bytes(), width.to_be_bytes()].concat())
        }
        _ => panic!("{format:?} is written by hand"),
    };
    bytes[at..at + field.len()].copy_from_slice(&field);
    if format == ImageFormat::Png {
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[test]
fn too_many_claimed_pixels_are_rejected_in_every_format() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::Bmp] {
        let status = rejection(&claiming(format, 50_000, 50_000));
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{format:?}");
    }
    // An extended WebP stores its canvas size, minus one, in 24 bits each.
    let mut webp = b"RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\x02\0\0\0".to_vec();
    webp.extend([0x4F, 0xC3, 0, 0x4F, 0xC3, 0]);
    assert_eq!(rejection(&webp), StatusCode::PAYLOAD_TOO_LARGE);
}

fn animation(frames: u16, width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &[200, 100, 50, 0, 0, 255]).unwrap();
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for number in 0..frames {
        let pixels = vec![(number % 2) as u8; usize::from(width) * usize::from(height)];
        let frame = Frame { width, height, delay: 10 + number, buffer: pixels.into(), ..Frame::default() };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn short_rows_count_for_more_than_their_pixels() {
    let bytes = claiming(ImageFormat::Png, 1, 50_000);
    assert!(InputImage::admit(&bytes, 800_000).is_ok());
    assert_eq!(InputImage::admit(&bytes, 799_999).unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn total_pixels_of_frames_are_limited() {
    let bytes = animation(5, 100, 100);
    assert!(InputImage::admit(&bytes, 60_000).is_ok());
    let refusal = InputImage::admit(&bytes, 59_999).unwrap_err();
    assert_eq!(refusal.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn gray_gif_keeps_frames_delays_and_loop() {
    let bytes = animation(3, 8, 8);
    let gray = InputImage::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap().gif().unwrap().to_gray(&bytes).unwrap();
    let mut decoder = ::gif::Decoder::new(&gray[..]).unwrap();
    let mut delays = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        delays.push(frame.delay);
    }
    assert_eq!((delays, decoder.repeat()), (vec![10, 11, 12], Repeat::Infinite));
    assert_eq!(decoder.global_palette(), Some(&[124, 124, 124, 29, 29, 29][..]));
}

#[test]
fn exif_orientation_is_applied() {
    // An EXIF block of one entry: orientation 6, to be turned clockwise.
    let mut app1 = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let plain = encode(ImageFormat::Jpeg);
    let mut bytes = plain[..2].to_vec();
    bytes.append(&mut app1);
    bytes.extend_from_slice(&plain[2..]);
    let picture = InputImage::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap();
    for upright in [picture.decode().unwrap().into_luma8(), picture.decode_gray().unwrap().into_luma8()] {
        assert_eq!(upright.dimensions(), (32, 64));
        assert!(upright.get_pixel(16, 8).0 > upright.get_pixel(16, 56).0, "the bright left is on top now");
    }
}

#[test]
fn data_after_the_end_of_a_jpeg_is_ignored() {
    let mut bytes = encode(ImageFormat::Jpeg);
    bytes.extend_from_slice(b"\xFF\xDAa film that some phones append");
    assert!(InputImage::admit(&bytes, DEFAULT_MAX_PIXELS).unwrap().decode_gray().is_ok());
}
