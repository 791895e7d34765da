//! A decoded image, ready for the model.

use std::time::{Duration, Instant};

use image::DynamicImage;
use image_intake::{ImageError, InputImage};

use crate::model::{Classified, Classifier, ModelError};

/// Fewest decoded pixels for each input pixel of the model, on each side.
///
/// With fewer, the detail that a decoder leaves out would change results.
const PIXELS_PER_INPUT_PIXEL: u32 = 2;

/// A decoded image, and the model that will classify it.
pub struct DecodedImage<'a> {
    pub(crate) model: &'a dyn Classifier,
    picture: DynamicImage,
    /// Duration of decoding.
    pub(crate) decoding: Duration,
}

impl<'a> DecodedImage<'a> {
    /// Decodes an image at the resolution that the model needs.
    ///
    /// # Errors
    /// If the image is broken.
    pub fn new(picture: &InputImage<'_>, model: &'a dyn Classifier) -> Result<Self, ImageError> {
        let input = &model.description().input;
        let side = input.width.max(input.height).saturating_mul(PIXELS_PER_INPUT_PIXEL);
        let begin = Instant::now();
        let picture = picture.decode_reduced(u16::try_from(side).unwrap_or(u16::MAX))?;
        Ok(Self { model, picture, decoding: begin.elapsed() })
    }

    /// Classifies the image.
    ///
    /// # Errors
    /// If the model fails.
    pub fn classify(&self) -> Result<Classified, ModelError> {
        self.model.classify(&self.picture)
    }
}
