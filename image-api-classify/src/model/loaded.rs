//! A model in memory.

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

use image::{DynamicImage, RgbImage};
use rten::{ModelOptions, Value};
use rten_tensor::AsView;
use sha2::{Digest, Sha256};

use super::description::{Description, OutputDescription};
use super::files::Files;
use super::input::Input;
use super::parameters::Parameters;
use super::{Classified, Classifier, ModelError, memory, operators};
use crate::classes::{self, Class};

/// A model that is ready: loaded, checked, and tried once.
pub struct LoadedModel {
    network: rten::Model,
    input: Input,
    parameters: Parameters,
    description: Description,
}

impl LoadedModel {
    /// The model that was built into the service.
    ///
    /// # Errors
    /// When there is too little memory for it.
    pub fn embedded(memory_limit: u64) -> Result<Self, ModelError> {
        let files = Files::embedded();
        memory::claim(memory::to_load(files.network.len() as u64), memory_limit)?;
        Self::load(files, memory_limit)
    }

    /// The model in a directory, which may take that much memory.
    ///
    /// # Errors
    /// When it is incomplete, damaged, no classifier of pictures, or too large.
    pub fn in_directory(directory: &Path, memory_limit: u64) -> Result<Self, ModelError> {
        Self::load(Files::of(directory, memory_limit)?, memory_limit)
    }

    fn load(files: Files, memory_limit: u64) -> Result<Self, ModelError> {
        let begin = Instant::now();
        let parameters = Parameters::read(&files.parameters).map_err(ModelError::Parameters)?;
        let sha256 = checked_sha256(&files, &parameters)?;
        let bytes = files.network.len();
        let options = ModelOptions::with_ops(operators::of_classifiers());
        let network = match operators::chosen(files.network) {
            Cow::Borrowed(network) => options.load_static_slice(network),
            Cow::Owned(network) => options.load(network),
        };
        let network = network.map_err(ModelError::Load)?;
        let input = Input::of(&network, &parameters)?;
        memory::claim(memory::to_run(&network), memory_limit)?;
        let labels: Vec<String> = files.labels.trim_end().lines().map(|line| line.trim().to_owned()).collect();
        let description = Description {
            name: parameters.name.clone().unwrap_or(files.name),
            licence: parameters.licence.clone(),
            source: files.place,
            file: files.network_name,
            bytes,
            sha256,
            parameters: network.total_params(),
            input: input.description(),
            output: OutputDescription {
                classes: labels.len(),
                kind: parameters.output,
                temperature: parameters.temperature,
                unsure_below: parameters.unsure_below,
            },
            labels,
            load_ms: milliseconds(begin.elapsed()),
            first_inference_ms: 0.0,
        };
        let mut model = Self { network, input, parameters, description };
        // The first run is slower than all others, and shows whether the model is one at all.
        let first = model.classify(&RgbImage::from_pixel(64, 64, image::Rgb([127; 3])).into())?;
        model.description.first_inference_ms = milliseconds(first.inference);
        Ok(model)
    }

    fn ranked(&self, output: &Value) -> Result<Vec<Class>, ModelError> {
        let labels = &self.description.labels;
        let of_as_many = |classes: usize| {
            if classes == labels.len() { Ok(()) } else { Err(ModelError::Labels { labels: labels.len(), classes }) }
        };
        match output {
            Value::UInt8Tensor(scores) => {
                let scores = scores.to_vec();
                of_as_many(scores.len())?;
                Ok(classes::from_scores(&scores, labels))
            }
            Value::FloatTensor(values) => {
                let values = values.to_vec();
                of_as_many(values.len())?;
                let probabilities =
                    classes::probabilities(&values, self.parameters.output, self.parameters.temperature);
                Ok(classes::from_floats(&values, &probabilities.map_err(ModelError::Output)?, labels))
            }
            _ => Err(ModelError::Output("it is neither of bytes nor of floating-point numbers".to_owned())),
        }
    }
}

impl Classifier for LoadedModel {
    fn description(&self) -> &Description {
        &self.description
    }

    fn classify(&self, picture: &DynamicImage) -> Result<Classified, ModelError> {
        let begin = Instant::now();
        let input = self.input.tensor(picture)?;
        let preprocessing = begin.elapsed();
        let begin = Instant::now();
        let output = self.network.run_one(input.into(), None).map_err(|error| ModelError::Run(error.to_string()))?;
        let inference = begin.elapsed();
        Ok(Classified { classes: self.ranked(&output)?, preprocessing, inference })
    }
}

fn checked_sha256(files: &Files, parameters: &Parameters) -> Result<String, ModelError> {
    let found: String = Sha256::digest(&files.network).iter().map(|byte| format!("{byte:02x}")).collect();
    match &parameters.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&found) => {
            Err(ModelError::Checksum { file: files.network_name, expected: expected.clone(), found })
        }
        _ => Ok(found),
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    // Microseconds are as fine as it is worth telling.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
