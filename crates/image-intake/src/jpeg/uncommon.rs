//! JPEGs that the fast decoder does not read correctly.

use image::DynamicImage;
use jpeg_decoder::{ColorTransform, Decoder};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::bytes::Bytes;
use super::{apply_orientation, orientation, picture, size};
use crate::ImageError;

/// Decodes the image in colour, or in gray if it has no colours.
pub(super) fn decode(headers: &JpegDecoder<Bytes<'_>>, bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let (colours, transform) = match headers.input_colorspace() {
        Some(ColorSpace::Luma) => return decode_luma(headers, bytes),
        Some(colours @ ColorSpace::RGB) => (colours, ColorTransform::RGB),
        Some(colours @ ColorSpace::YCbCr) => (colours, ColorTransform::YCbCr),
        // Four stored bytes each, each subtracted from 255.
        Some(colours @ (ColorSpace::CMYK | ColorSpace::YCCK)) => (colours, ColorTransform::CMYK),
        _ => return Err(ImageError::Broken("its colours are of a kind that is not read here".to_owned())),
    };
    let mut pixels = samples(bytes, transform)?;
    if transform == ColorTransform::CMYK {
        let is_ycck = colours == ColorSpace::YCCK;
        pixels = pixels.as_chunks::<4>().0.iter().flat_map(|inks| cmyk_to_rgb(inks.map(|ink| !ink), is_ycck)).collect();
    }
    let (width, height) = size(headers)?;
    apply_orientation(picture(width, height, pixels, false), orientation(headers))
}

/// Decodes luma of an image that stores it separately.
pub(super) fn decode_luma(headers: &JpegDecoder<Bytes<'_>>, bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let pixels = match headers.input_colorspace() {
        Some(ColorSpace::Luma) => samples(bytes, ColorTransform::Grayscale)?,
        // Declared as RGB, luma and chroma stay unchanged.
        _ => samples(bytes, ColorTransform::RGB)?.as_chunks::<3>().0.iter().map(|[luma, ..]| *luma).collect(),
    };
    let (width, height) = size(headers)?;
    apply_orientation(picture(width, height, pixels, true), orientation(headers))
}

fn samples(bytes: &[u8], transform: ColorTransform) -> Result<Vec<u8>, ImageError> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_color_transform(transform);
    decoder.decode().map_err(|error| ImageError::Broken(error.to_string()))
}

/// Converts CMYK to RGB. The inks are stored inverted: 0 is all of an ink.
fn cmyk_to_rgb([first, second, third, black]: [u8; 4], is_ycck: bool) -> [u8; 3] {
    let colours = if is_ycck { inks(first, second, third) } else { [first, second, third] };
    colours.map(|colour| ((u32::from(colour) * u32::from(black) + 127) / 255) as u8)
}

/// Converts luma and chroma to inverted inks.
fn inks(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let colours = [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue];
    // The cast clamps.
    colours.map(|colour| 255 - colour.round() as u8)
}
