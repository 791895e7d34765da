//! README's screenshot: a PNG that is small enough to be in the repository.

use std::path::PathBuf;

use color_quant::NeuQuant;
use image::{ImageFormat, RgbaImage};

/// Largest screenshot, in bytes.
pub const MAX_BYTES: usize = 150_000;

/// Numbers of colours that are tried until a screenshot is small enough.
const PALETTE_SIZES: [usize; 3] = [256, 128, 64];

/// One in this many pixels decides on the palette.
const SAMPLE_FACTOR: i32 = 10;

/// Bytes of an RGBA pixel.
const PIXEL: usize = 4;

/// Returns the path of README's screenshot.
#[must_use]
pub fn path() -> PathBuf {
    e2e::repository().join("docs/screenshot.png")
}

/// Encodes a screenshot with at most [`MAX_BYTES`], with fewer colours if need be.
///
/// # Panics
/// If it is no PNG, or too large even with the smallest palette.
#[must_use]
pub fn compress(png: &[u8]) -> Vec<u8> {
    if png.len() <= MAX_BYTES {
        return png.to_vec();
    }
    let image = image::load_from_memory_with_format(png, ImageFormat::Png).expect("a PNG").into_rgba8();
    let encoded = PALETTE_SIZES.iter().map(|&colours| encode(&image, colours));
    encoded.into_iter().find(|png| png.len() <= MAX_BYTES).unwrap_or_else(|| {
        panic!("the screenshot of {} x {} pixels has more than {MAX_BYTES} bytes", image.width(), image.height())
    })
}

fn encode(image: &RgbaImage, colours: usize) -> Vec<u8> {
    let palette = NeuQuant::new(SAMPLE_FACTOR, colours, image.as_raw());
    let indices = image.as_raw().chunks_exact(PIXEL).map(|pixel| palette.index_of(pixel));
    let indices: Vec<u8> = indices.map(|index| u8::try_from(index).expect("at most 256 colours")).collect();
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, image.width(), image.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.color_map_rgb());
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&indices).expect("all pixels");
    writer.finish().expect("an end");
    png
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::Rgba;

    use super::*;

    fn screenshot(pixel: impl Fn(u32, u32) -> Rgba<u8>) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        RgbaImage::from_fn(400, 250, pixel).write_to(&mut png, ImageFormat::Png).expect("an image");
        png.into_inner()
    }

    #[test]
    fn small_screenshot_stays_as_it_is() {
        let plain = screenshot(|_, _| Rgba([247, 246, 242, 255]));
        assert_eq!(compress(&plain), plain);
    }

    #[test]
    fn large_screenshot_gets_fewer_colours() {
        // Red and green change with each pixel, in steps that deflate cannot predict.
        let noisy = screenshot(|x, y| Rgba([(x * x % 251) as u8, (x * y % 241) as u8, (y % 7) as u8, 255]));
        assert!(noisy.len() > MAX_BYTES, "{}", noisy.len());
        let small = compress(&noisy);
        assert!(small.len() <= MAX_BYTES, "{}", small.len());
        let image = image::load_from_memory_with_format(&small, ImageFormat::Png).expect("a PNG");
        assert_eq!((image.width(), image.height()), (400, 250));
    }
}
