//! A loaded model.

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

use image::{DynamicImage, RgbImage};
use rten::{ModelOptions, Value};
use rten_tensor::AsView;
use sha2::{Digest, Sha256};

use super::backend::{Inference, Network};
use super::description::{Description, OutputDescription};
use super::files::Files;
use super::input::Input;
use super::parameters::Parameters;
use super::signature::Signature;
use super::{Classified, Classifier, ModelError, memory, operators};
use crate::classes::{self, Class};

/// A model that is loaded, checked, and was run once.
pub struct LoadedModel {
    network: Network,
    input: Input,
    parameters: Parameters,
    description: Description,
}

impl LoadedModel {
    /// Loads the embedded model.
    ///
    /// # Errors
    /// If memory is insufficient.
    pub fn embedded(memory_limit: u64) -> Result<Self, ModelError> {
        let files = Files::embedded();
        memory::claim(memory::to_load(files.network.len() as u64), memory_limit)?;
        Self::load(files, memory_limit)
    }

    /// Loads a model from a directory within a memory limit.
    ///
    /// # Errors
    /// If it is incomplete, damaged, not an image classifier, or too large.
    pub fn in_directory(directory: &Path, memory_limit: u64) -> Result<Self, ModelError> {
        Self::load(Files::read(directory, memory_limit)?, memory_limit)
    }

    fn load(files: Files, memory_limit: u64) -> Result<Self, ModelError> {
        let begin = Instant::now();
        let parameters = Parameters::read(&files.parameters).map_err(ModelError::Parameters)?;
        let sha256 = verified_sha256(&files, &parameters)?;
        let labels: Vec<String> = files.labels.trim_end().lines().map(|line| line.trim().to_owned()).collect();
        let Files { name, place, network_name, network, .. } = files;
        let source = ModelSource { name, place, network_name, bytes: network.len(), parameters, sha256, labels, begin };
        let reason = match load_on_host(&network, &source) {
            Ok(model) => return Ok(model),
            Err(reason) => reason,
        };
        let mut options = ModelOptions::with_ops(operators::classifier_operators());
        // Only if memory suffices: it makes inference faster, but its absence rejects no model.
        options.prepack_weights(memory::claim(memory::to_load_prepacked(network.len() as u64), memory_limit).is_ok());
        let network = match operators::with_listed_operators(network) {
            Cow::Borrowed(network) => options.load_static_slice(network),
            Cow::Owned(network) => options.load(network),
        };
        let network = network.map_err(ModelError::Load)?;
        let signature = Signature::from_rten(&network)?;
        memory::claim(memory::to_run(&network), memory_limit)?;
        Self::warm_up(Network::Guest(network), &signature, source, Some(reason))
    }

    /// Assembles the model, and runs it once.
    fn warm_up(
        network: Network,
        signature: &Signature,
        source: ModelSource,
        reason: Option<String>,
    ) -> Result<Self, ModelError> {
        let ModelSource { name, place, network_name, bytes, parameters, sha256, labels, begin } = source;
        let input = Input::from_signature(signature, &parameters)?;
        let description = Description {
            name: parameters.name.clone().unwrap_or(name),
            licence: parameters.licence.clone(),
            note: parameters.note.clone(),
            source: place,
            file: network_name,
            bytes,
            sha256,
            parameters: signature.numbers,
            input: input.description(),
            output: OutputDescription {
                classes: labels.len(),
                kind: parameters.output,
                temperature: parameters.temperature,
                unsure_below: parameters.unsure_below,
            },
            labels,
            computes: Inference { by: network.by(), reason },
            load_ms: milliseconds(begin.elapsed()),
            first_inference_ms: 0.0,
        };
        let mut model = Self { network, input, parameters, description };
        // The first run is slower than later ones, and validates the model.
        let first = model.classify(&RgbImage::from_pixel(64, 64, image::Rgb([127; 3])).into())?;
        model.description.first_inference_ms = milliseconds(first.inference);
        Ok(model)
    }

    fn ranked(&self, output: &Value) -> Result<Vec<Class>, ModelError> {
        let labels = &self.description.labels;
        let check_count = |classes: usize| {
            if classes == labels.len() { Ok(()) } else { Err(ModelError::Labels { labels: labels.len(), classes }) }
        };
        match output {
            Value::UInt8Tensor(scores) => {
                let scores = scores.to_vec();
                check_count(scores.len())?;
                Ok(classes::from_scores(&scores, labels))
            }
            Value::FloatTensor(values) => {
                let values = values.to_vec();
                check_count(values.len())?;
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
        let output = self.network.run(input)?;
        let inference = begin.elapsed();
        Ok(Classified { classes: self.ranked(&output)?, preprocessing, inference })
    }
}

/// Facts about a model that are known before its network is loaded.
#[cfg_attr(feature = "wasi-nn", derive(Clone))]
struct ModelSource {
    /// Default name of the model, and the name that the host knows it by.
    name: String,
    place: String,
    network_name: &'static str,
    bytes: usize,
    parameters: Parameters,
    sha256: String,
    labels: Vec<String>,
    begin: Instant,
}

/// Loads the model on the host, if the host has it and it works; else returns the reason.
#[cfg(feature = "wasi-nn")]
fn load_on_host(network: &[u8], source: &ModelSource) -> Result<LoadedModel, String> {
    let signature = Signature::from_onnx(network).ok_or_else(|| {
        format!("{} is no ONNX file, and the host is only asked for such networks", source.network_name)
    })?;
    let graph = super::wasi_nn::HostGraph::open(&source.name, network, source.labels.len())?;
    let model = LoadedModel::warm_up(Network::Host(graph), &signature, source.clone(), None);
    model.map_err(|error| format!("the host's graph {:?} does not fit: {error}", source.name))
}

#[cfg(not(feature = "wasi-nn"))]
fn load_on_host(_: &[u8], _: &ModelSource) -> Result<LoadedModel, String> {
    Err("it is built without wasi-nn".to_owned())
}

fn verified_sha256(files: &Files, parameters: &Parameters) -> Result<String, ModelError> {
    let found: String = Sha256::digest(&files.network).iter().map(|byte| format!("{byte:02x}")).collect();
    match &parameters.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&found) => {
            Err(ModelError::Checksum { file: files.network_name, expected: expected.clone(), found })
        }
        _ => Ok(found),
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    // Microsecond precision is enough.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
