//! The pictures that the page and the README start with, drawn by arithmetic, so that the project needs nobody's photograph:
//! three of the things that the classify service's own model knows, and one that it does not.

mod plane;
mod scene;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageResult, Rgb, RgbImage};

use plane::Point;
pub use scene::Scene;

/// The picture's width in pixels.
pub const WIDTH: u32 = 640;

/// The picture's height in pixels.
pub const HEIGHT: u32 = 480;

/// High enough that edges stay clean, low enough for a file of some 30 kB.
const QUALITY: u8 = 88;

/// Each pixel is the mean of this many times as many samples, for smooth edges.
const SAMPLES: u32 = 3;

/// Draws a picture.
#[must_use]
pub fn draw(scene: Scene) -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let within = |sample: u32| (sample as f32 + 0.5) / SAMPLES as f32;
        let samples = (0..SAMPLES * SAMPLES).map(|sample| {
            scene.colour(Point { x: x as f32 + within(sample % SAMPLES), y: y as f32 + within(sample / SAMPLES) })
        });
        let light = samples.reduce(plane::sum).unwrap_or_default();
        Rgb(light.map(|channel| encoded(channel / (SAMPLES * SAMPLES) as f32)))
    })
}

/// Draws a picture and encodes it.
///
/// # Errors
/// When the encoder fails.
pub fn jpeg(scene: Scene) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    draw(scene).write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(bytes)
}

/// From light, in which samples may be averaged, to a byte as pictures have it.
fn encoded(light: f32) -> u8 {
    (light.clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0).round() as u8
}
