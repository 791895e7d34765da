//! Converts an image to the network's input tensor.

use std::borrow::Cow;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage};
use rten::Value;
use rten_tensor::Tensor;

use super::ModelError;
use super::description::InputDescription;
use super::parameters::{Fit, Layout, Parameters};
use super::signature::Signature;

/// Default side length of the input, where neither network nor parameters give one.
const DEFAULT_SIDE: u32 = 224;

/// Largest accepted side length: a network's file may claim any.
const MAX_SIDE: u32 = 4096;

/// Conversion of an image to a tensor.
#[derive(Debug, PartialEq)]
pub(super) struct Input {
    width: u32,
    height: u32,
    layout: Layout,
    fit: Fit,
    /// Mean and deviation; `None` for byte input, which takes the brightness as it is.
    normalisation: Option<([f32; 3], [f32; 3])>,
}

impl Input {
    /// Combines the network's signature with the parameters, which fill its gaps.
    ///
    /// # Errors
    /// If the input is not an image.
    pub(super) fn from_signature(signature: &Signature, parameters: &Parameters) -> Result<Self, ModelError> {
        Self::new(&signature.shape, signature.takes_bytes, parameters)
    }

    fn new(shape: &[Option<u32>], takes_bytes: bool, parameters: &Parameters) -> Result<Self, ModelError> {
        let (layout, height, width) = match *shape {
            [_, height, width, Some(3)] if parameters.layout != Some(Layout::Nchw) => (Layout::Nhwc, height, width),
            [_, Some(3) | None, height, width] if parameters.layout != Some(Layout::Nhwc) => {
                (Layout::Nchw, height, width)
            }
            [] => (parameters.layout.unwrap_or(Layout::Nchw), None, None),
            _ => return Err(ModelError::Input(format!("{shape:?} are not the dimensions of a picture"))),
        };
        let side = |own: Option<u32>, named: Option<u32>| own.or(named).unwrap_or(DEFAULT_SIDE);
        let (width, height) = (side(width, parameters.width), side(height, parameters.height));
        if width.max(height) > MAX_SIDE || width.min(height) == 0 {
            return Err(ModelError::Input(format!("{width} x {height} is no sensible size")));
        }
        let normalisation = (!takes_bytes).then_some((parameters.mean, parameters.deviation));
        Ok(Self { width, height, layout, fit: parameters.fit, normalisation })
    }

    /// Describes the input for users.
    pub(super) fn description(&self) -> InputDescription {
        InputDescription {
            width: self.width,
            height: self.height,
            layout: self.layout,
            fit: self.fit,
            numbers: if self.normalisation.is_some() { "float32" } else { "uint8" },
            mean: self.normalisation.map(|(mean, _)| mean),
            deviation: self.normalisation.map(|(_, deviation)| deviation),
        }
    }

    /// Resizes an image and converts it to a tensor.
    ///
    /// # Errors
    /// If it cannot be resized.
    pub(super) fn tensor(&self, picture: &DynamicImage) -> Result<Value, ModelError> {
        let small = self.resize(picture)?;
        let (height, width) = (self.height as usize, self.width as usize);
        let shape = match self.layout {
            Layout::Nhwc => [1, height, width, 3],
            Layout::Nchw => [1, 3, height, width],
        };
        Ok(match self.normalisation {
            None => Tensor::from_data(&shape, self.fill_tensor(&small, |_, brightness| brightness)).into(),
            Some((mean, deviation)) => {
                // One table for each colour: 768 divisions instead of three for each pixel.
                let tables: Vec<Vec<f32>> = mean
                    .iter()
                    .zip(deviation)
                    .map(|(mean, deviation)| (0..=255u8).map(|b| (f32::from(b) / 255.0 - mean) / deviation).collect())
                    .collect();
                let normal = |colour: usize, brightness: u8| {
                    tables.get(colour).and_then(|table| table.get(usize::from(brightness))).copied().unwrap_or_default()
                };
                Tensor::from_data(&shape, self.fill_tensor(&small, normal)).into()
            }
        })
    }

    /// Resizes an image to the input size: each pixel is a mean of those that it covers, weighted by distance.
    fn resize(&self, picture: &DynamicImage) -> Result<RgbImage, ModelError> {
        let picture = match picture {
            DynamicImage::ImageRgb8(pixels) => Cow::Borrowed(pixels),
            other => Cow::Owned(other.to_rgb8()),
        };
        if picture.dimensions() == (self.width, self.height) {
            return Ok(picture.into_owned());
        }
        let failed =
            |error: &dyn std::fmt::Display| ModelError::Input(format!("the picture cannot be resized: {error}"));
        let from = TypedImageRef::<U8x3>::from_buffer(picture.width(), picture.height(), picture.as_raw());
        let from = from.map_err(|error| failed(&error))?;
        let mut small = RgbImage::new(self.width, self.height);
        let to = TypedImage::<U8x3>::from_buffer(self.width, self.height, small.as_mut());
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
        let options = match self.fit {
            Fit::Stretch => options,
            Fit::Crop => options.fit_into_destination(None),
        };
        let resized = Resizer::new().resize_typed(&from, &mut to.map_err(|error| failed(&error))?, &options);
        resized.map_err(|error| failed(&error))?;
        Ok(small)
    }

    fn fill_tensor<T>(&self, picture: &RgbImage, value: impl Fn(usize, u8) -> T) -> Vec<T> {
        let value = &value;
        match self.layout {
            Layout::Nhwc => picture
                .pixels()
                .flat_map(|pixel| pixel.0.into_iter().enumerate().map(move |(colour, b)| value(colour, b)))
                .collect(),
            Layout::Nchw => (0..3)
                .flat_map(|colour| {
                    picture.pixels().filter_map(move |pixel| pixel.0.get(colour).map(|b| value(colour, *b)))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use rten_tensor::AsView;

    use super::*;

    fn of(shape: &[Option<u32>], takes_bytes: bool) -> Result<Input, ModelError> {
        Input::new(shape, takes_bytes, &Parameters::default())
    }

    #[test]
    fn layout_follows_from_the_colour_dimension() {
        let bytes = of(&[Some(1), Some(8), Some(4), Some(3)], true).unwrap();
        assert_eq!((bytes.layout, bytes.width, bytes.height, bytes.normalisation), (Layout::Nhwc, 4, 8, None));
        let floats = of(&[None, Some(3), None, None], false).unwrap();
        assert_eq!((floats.layout, floats.width, floats.height), (Layout::Nchw, DEFAULT_SIDE, DEFAULT_SIDE));
    }

    #[test]
    fn non_image_shapes_are_rejected() {
        assert!(of(&[Some(1), Some(10)], true).is_err());
        assert!(of(&[Some(1), Some(100_000), Some(4), Some(3)], true).is_err());
    }

    #[test]
    fn tensor_is_ordered_by_layout_and_normalised() {
        let picture = RgbImage::from_fn(2, 1, |x, _| Rgb([x as u8, 10, 20])).into();
        let bytes = of(&[Some(1), Some(1), Some(2), Some(3)], true).unwrap();
        let Value::UInt8Tensor(tensor) = bytes.tensor(&picture).unwrap() else { panic!("bytes") };
        assert_eq!(tensor.to_vec(), [0, 10, 20, 1, 10, 20]);
        let parameters = Parameters { mean: [0.0; 3], deviation: [1.0 / 255.0; 3], ..Parameters::default() };
        let floats = Input::new(&[Some(1), Some(3), Some(1), Some(2)], false, &parameters).unwrap();
        let Value::FloatTensor(tensor) = floats.tensor(&picture).unwrap() else { panic!("floats") };
        let rounded: Vec<_> = tensor.to_vec().iter().map(|value| value.round()).collect();
        assert_eq!(rounded, [0.0, 1.0, 10.0, 10.0, 20.0, 20.0]);
    }
    /// Creates an image of red, green and blue thirds, side by side.
    fn stripes() -> DynamicImage {
        RgbImage::from_fn(90, 30, |x, _| Rgb([0, 1, 2].map(|third| if x / 30 == third { 255 } else { 0 }))).into()
    }

    #[test]
    fn crop_shows_the_middle_and_stretch_shows_all() {
        let fitted = |fit| {
            let parameters = Parameters { fit, ..Parameters::default() };
            Input::new(&[None, Some(6), Some(6), Some(3)], true, &parameters).unwrap().resize(&stripes()).unwrap()
        };
        let stretched = fitted(Fit::Stretch);
        assert_eq!([stretched.get_pixel(0, 3), stretched.get_pixel(5, 3)], [&Rgb([255, 0, 0]), &Rgb([0, 0, 255])]);
        // Pixels next to the edge blend in a little.
        assert!(fitted(Fit::Crop).pixels().all(|pixel| matches!(pixel.0, [0..=64, 192..=255, 0..=64])));
    }

    #[test]
    fn one_pixel_wide_image_is_resized() {
        for (width, height) in [(1, 1), (1, 10_000), (10_000, 1)] {
            let line = RgbImage::from_pixel(width, height, Rgb([9, 8, 7])).into();
            for fit in [Fit::Stretch, Fit::Crop] {
                let parameters = Parameters { fit, ..Parameters::default() };
                let input = Input::new(&[None, Some(32), Some(32), Some(3)], true, &parameters).unwrap();
                assert!(
                    input.resize(&line).unwrap().pixels().all(|pixel| *pixel == Rgb([9, 8, 7])),
                    "{width}x{height}"
                );
            }
        }
    }
}
