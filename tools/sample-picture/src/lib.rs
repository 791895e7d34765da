//! The sample images of the page and the README, generated so that the project needs no photograph.
//!
//! Three show classes that the classify service's embedded model knows, and one does not.

mod plane;
mod scene;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageResult, Rgb, RgbImage};

use plane::Point;
pub use scene::Scene;

/// Width of the image in pixels.
pub const WIDTH: u32 = 640;

/// Height of the image in pixels.
pub const HEIGHT: u32 = 480;

/// JPEG quality: high enough for clean edges, low enough for a file of some 30 kB.
const QUALITY: u8 = 88;

/// Samples per pixel on each side, averaged for smooth edges.
const SAMPLES: u32 = 3;

/// Draws an image.
#[must_use]
pub fn draw(scene: Scene) -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let within = |sample: u32| (sample as f32 + 0.5) / SAMPLES as f32;
        let samples = (0..SAMPLES * SAMPLES).map(|sample| {
            scene.colour(Point { x: x as f32 + within(sample % SAMPLES), y: y as f32 + within(sample / SAMPLES) })
        });
        let light = samples.reduce(plane::sum).unwrap_or_default();
        Rgb(light.map(|channel| gamma_encode(channel / (SAMPLES * SAMPLES) as f32)))
    })
}

/// Draws an image and encodes it.
///
/// # Errors
/// If the encoder fails.
pub fn jpeg(scene: Scene) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    draw(scene).write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(bytes)
}

/// Converts linear light, in which samples may be averaged, to a gamma-encoded byte.
fn gamma_encode(light: f32) -> u8 {
    (light.clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0).round() as u8
}
