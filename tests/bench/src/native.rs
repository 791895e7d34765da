//! The image services' libraries called natively, as the reference for guests.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Rgb, RgbImage};
use image_api_classify::{Classifier, DecodedImage};
use image_intake::{DEFAULT_MAX_PIXELS, ImageError, InputImage};

/// Creates a 1280x720 JPEG with enough detail to make decoding realistic.
pub(crate) fn photograph() -> anyhow::Result<Vec<u8>> {
    let pixels = RgbImage::from_fn(1280, 720, |x, y| {
        let wave = |a: u32, b: u32| ((f64::from(x * a + y * b) / 97.0).sin() * 100.0 + 128.0) as u8;
        // Reproducible noise in place of film grain.
        let grain = ((x * 7919 + y * 104_729) % 31) as u8;
        Rgb([wave(1, 2).saturating_add(grain), wave(3, 1), wave(2, 5).saturating_sub(grain)])
    });
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(pixels).write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 85))?;
    Ok(bytes)
}

/// Measures the median time of a call of the grayscale library.
pub(crate) fn grayscale(picture: &[u8], within: Duration) -> anyhow::Result<Duration> {
    median(within, || {
        Ok(image_api_grayscale::turn_gray(picture, DEFAULT_MAX_PIXELS).map_err(convert_error)?.into_bytes())
    })
}

/// Measures the median time to classify an image.
pub(crate) fn classify(model: &dyn Classifier, picture: &[u8], within: Duration) -> anyhow::Result<Duration> {
    median(within, || {
        let admitted = InputImage::admit(picture, DEFAULT_MAX_PIXELS).map_err(convert_error)?;
        Ok(DecodedImage::new(&admitted, model).map_err(convert_error)?.classify()?.classes)
    })
}

fn convert_error(refusal: ImageError) -> anyhow::Error {
    anyhow!("{refusal}")
}

fn median<T>(within: Duration, mut call: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let mut times = Vec::new();
    while begin.elapsed() < within {
        let start = Instant::now();
        std::hint::black_box(call()?);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().ok_or_else(|| anyhow!("no time to measure in"))
}
