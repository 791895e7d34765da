//! JPEGs that the fast decoder does not read right.

use image::DynamicImage;
use jpeg_decoder::{ColorTransform, Decoder};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::bytes::Bytes;
use super::{orientation, picture, size, upright};
use crate::Refusal;

/// Decodes the picture in its colours, or in gray where it has none.
pub(super) fn decode(headers: &JpegDecoder<Bytes<'_>>, bytes: &[u8]) -> Result<DynamicImage, Refusal> {
    let (colours, transform) = match headers.input_colorspace() {
        Some(ColorSpace::Luma) => return decode_luma(headers, bytes),
        Some(colours @ ColorSpace::RGB) => (colours, ColorTransform::RGB),
        Some(colours @ ColorSpace::YCbCr) => (colours, ColorTransform::YCbCr),
        // Four bytes each as they are kept, each subtracted from 255.
        Some(colours @ (ColorSpace::CMYK | ColorSpace::YCCK)) => (colours, ColorTransform::CMYK),
        _ => return Err(Refusal::Broken("its colours are of a kind that is not read here".to_owned())),
    };
    let mut pixels = samples(bytes, transform)?;
    if transform == ColorTransform::CMYK {
        let is_ycck = colours == ColorSpace::YCCK;
        pixels = pixels.as_chunks::<4>().0.iter().flat_map(|inks| without_ink(inks.map(|ink| !ink), is_ycck)).collect();
    }
    let (width, height) = size(headers)?;
    upright(picture(width, height, pixels, false), orientation(headers))
}

/// Decodes the brightness of a picture that keeps it apart.
pub(super) fn decode_luma(headers: &JpegDecoder<Bytes<'_>>, bytes: &[u8]) -> Result<DynamicImage, Refusal> {
    let pixels = match headers.input_colorspace() {
        Some(ColorSpace::Luma) => samples(bytes, ColorTransform::Grayscale)?,
        // Named RGB, brightness and colours stay what they are.
        _ => samples(bytes, ColorTransform::RGB)?.as_chunks::<3>().0.iter().map(|[luma, ..]| *luma).collect(),
    };
    let (width, height) = size(headers)?;
    upright(picture(width, height, pixels, true), orientation(headers))
}

fn samples(bytes: &[u8], transform: ColorTransform) -> Result<Vec<u8>, Refusal> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_color_transform(transform);
    decoder.decode().map_err(|error| Refusal::Broken(error.to_string()))
}

/// The colour of a pixel in four inks, which are kept as what they leave: 0 is all of an ink.
fn without_ink([first, second, third, black]: [u8; 4], is_ycck: bool) -> [u8; 3] {
    let colours = if is_ycck { inks(first, second, third) } else { [first, second, third] };
    colours.map(|colour| ((u32::from(colour) * u32::from(black) + 127) / 255) as u8)
}

/// Turns brightness and colour differences into what three inks leave.
fn inks(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let colours = [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue];
    // Clamped by the cast.
    colours.map(|colour| 255 - colour.round() as u8)
}
