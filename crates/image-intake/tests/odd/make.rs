//! Images that few programs create.

use std::io::Cursor;

use gif::{Encoder, Frame};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use jpeg_encoder::ColorType;

/// Creates a bright orange square with a dark corner.
pub(crate) fn orange(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| if x + y < 12 { Rgb([40, 30, 20]) } else { Rgb([230, 140, 30]) })
}

pub(crate) fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn jpeg(pixels: &[u8], size: (u16, u16), colours: ColorType, progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    encoder.set_progressive(progressive);
    encoder.encode(pixels, size.0, size.1, colours).unwrap();
    bytes
}

/// Creates the orange image in CMYK.
pub(crate) fn cmyk_jpeg() -> Vec<u8> {
    let inks = |pixel: &Rgb<u8>| [255 - pixel.0[0], 255 - pixel.0[1], 255 - pixel.0[2], 0];
    let pixels: Vec<u8> = orange(48, 40).pixels().flat_map(inks).collect();
    jpeg(&pixels, (48, 40), ColorType::Cmyk, false)
}

pub(crate) fn gray_jpeg() -> Vec<u8> {
    let pixels = GrayImage::from_fn(48, 40, |x, _| Luma([(x * 5) as u8]));
    jpeg(pixels.as_raw(), (48, 40), ColorType::Luma, false)
}

/// Creates the orange image with one scan for each colour.
pub(crate) fn jpeg_in_three_scans() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(orange(48, 40).as_raw(), 48, 40, ColorType::Rgb).unwrap();
    bytes
}

pub(crate) fn progressive_jpeg() -> Vec<u8> {
    jpeg(orange(48, 40).as_raw(), (48, 40), ColorType::Rgb, true)
}

pub(crate) fn deep_png() -> Vec<u8> {
    let deep =
        ImageBuffer::from_fn(48, 40, |x, y| Rgb(orange(48, 40).get_pixel(x, y).0.map(|value| u16::from(value) * 257)));
    encode(&DynamicImage::ImageRgb16(deep), ImageFormat::Png)
}

/// Creates an image with a transparent left half.
pub(crate) fn transparent_png() -> Vec<u8> {
    let pixels = RgbaImage::from_fn(48, 40, |x, _| Rgba([230, 140, 30, if x < 24 { 0 } else { 255 }]));
    encode(&pixels.into(), ImageFormat::Png)
}

/// Creates two frames: red, then green.
pub(crate) fn animated_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 48, 40, &[200, 20, 20, 20, 200, 20]).unwrap();
    for colour in [0, 1] {
        let frame = Frame { width: 48, height: 40, buffer: vec![colour; 48 * 40].into(), ..Frame::default() };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// Creates two frames: red, then green. No encoder here writes animations, but each frame is an image without its
/// container.
pub(crate) fn animated_webp() -> Vec<u8> {
    let three_bytes = |value: u32| value.to_le_bytes()[..3].to_vec();
    let mut chunks = chunk(b"VP8X", &[vec![2, 0, 0, 0], three_bytes(47), three_bytes(39)].concat());
    chunks.extend(chunk(b"ANIM", &[0; 6]));
    for colour in [[200, 20, 20], [20, 200, 20]] {
        let alone = encode(&RgbImage::from_pixel(48, 40, Rgb(colour)).into(), ImageFormat::WebP);
        let place = [three_bytes(0), three_bytes(0), three_bytes(47), three_bytes(39), three_bytes(100), vec![0]];
        chunks.extend(chunk(b"ANMF", &[place.concat(), alone[12..].to_vec()].concat()));
    }
    chunk(b"RIFF", &[b"WEBP".to_vec(), chunks].concat())
}

/// Creates a single pixel with these bytes as palette.
pub(crate) fn palette_png(colours: &[u8]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
    // Stored uncompressed: no filter, the first colour, and its checksum.
    let pixels = b"\x78\x01\x01\x02\0\xFD\xFF\0\0\0\x02\0\x01";
    for (name, content) in
        [(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0][..]), (b"PLTE", colours), (b"IDAT", pixels), (b"IEND", &[])]
    {
        let checked = [&name[..], content].concat();
        png.extend_from_slice(&(content.len() as u32).to_be_bytes());
        png.extend_from_slice(&checked);
        png.extend_from_slice(&crc32(&checked).to_be_bytes());
    }
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// Creates the orange image with an EXIF chunk that has only a claimed size.
pub(crate) fn webp_that_claims_exif(size: &[u8; 4]) -> Vec<u8> {
    let three_bytes = |value: u32| value.to_le_bytes()[..3].to_vec();
    let alone = encode(&orange(48, 40).into(), ImageFormat::WebP);
    let mut chunks = chunk(b"VP8X", &[vec![8, 0, 0, 0], three_bytes(47), three_bytes(39)].concat());
    chunks.extend_from_slice(&alone[12..]);
    chunks.extend_from_slice(&[&b"EXIF"[..], size].concat());
    chunk(b"RIFF", &[b"WEBP".to_vec(), chunks].concat())
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = [&name[..], &(content.len() as u32).to_le_bytes(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}
