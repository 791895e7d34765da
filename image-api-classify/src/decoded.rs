//! From a picture that was admitted to what a model says of it.

use std::time::{Duration, Instant};

use image::DynamicImage;
use image_intake::{Picture, Refusal};

use crate::model::{Classified, Classifier, ModelError};

/// How many pixels of a decoded picture make one of the network's on each side, at least. With fewer, what a decoder leaves out
/// would begin to show.
const DETAIL: u32 = 2;

/// A picture, and the model that is to look at it.
pub struct Decoded<'a> {
    pub(crate) model: &'a dyn Classifier,
    picture: DynamicImage,
    /// How long decoding took.
    pub(crate) decoding: Duration,
}

impl<'a> Decoded<'a> {
    /// Decodes as much of a picture as the model can see.
    ///
    /// # Errors
    /// When the picture is broken.
    pub fn of(picture: &Picture<'_>, model: &'a dyn Classifier) -> Result<Self, Refusal> {
        let input = &model.description().input;
        let side = input.width.max(input.height).saturating_mul(DETAIL);
        let begin = Instant::now();
        let picture = picture.decode_reduced(u16::try_from(side).unwrap_or(u16::MAX))?;
        Ok(Self { model, picture, decoding: begin.elapsed() })
    }

    /// What the picture shows.
    ///
    /// # Errors
    /// When the model fails.
    pub fn look(&self) -> Result<Classified, ModelError> {
        self.model.classify(&self.picture)
    }
}
