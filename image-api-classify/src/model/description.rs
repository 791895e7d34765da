//! Description of a model: the response of `GET /model`.

use serde::Serialize;

use super::backend::Inference;
use super::parameters::{Fit, Layout, Output};

/// Description of a loaded model.
#[derive(Debug, Clone, Serialize)]
pub struct Description {
    /// Name of the model.
    pub name: String,
    /// Licence, if `model.toml` has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Note for users, if `model.toml` has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Origin: a directory, or this service.
    pub source: String,
    /// Name of the network's file.
    pub file: &'static str,
    /// Size of the network's file in bytes.
    pub bytes: usize,
    /// SHA-256 of the network's file.
    pub sha256: String,
    /// Number of weights.
    pub parameters: usize,
    /// Input format.
    pub input: InputDescription,
    /// Output format.
    pub output: OutputDescription,
    /// Class names, in the order of the output.
    pub labels: Vec<String>,
    /// Inference backend.
    #[serde(flatten)]
    pub computes: Inference,
    /// Load time in milliseconds.
    pub load_ms: f64,
    /// Time of the first inference in milliseconds.
    pub first_inference_ms: f64,
}

impl Description {
    /// Summarises name, source, class count and note in one line.
    pub(crate) fn summary(&self) -> String {
        let Self { name, source, output, note, .. } = self;
        let note = note.as_ref().map(|note| format!(". {note}")).unwrap_or_default();
        format!("model {name} ({source}) answers; it knows {} things{note}", output.classes)
    }
}

/// Format of the model's input.
#[derive(Debug, Clone, Serialize)]
pub struct InputDescription {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    pub(super) layout: Layout,
    pub(super) fit: Fit,
    /// Element type: bytes, or floating-point numbers.
    pub numbers: &'static str,
    /// Mean subtracted from brightness between 0 and 1, for floating-point input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<[f32; 3]>,
    /// Divisor applied after subtracting the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<[f32; 3]>,
}

/// Format of the model's output.
#[derive(Debug, Clone, Serialize)]
pub struct OutputDescription {
    /// Number of classes.
    pub classes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Output>,
    /// Softmax temperature: logits are divided by it.
    pub temperature: f32,
    /// Probability below which the best class is reported as unsure.
    pub unsure_below: f32,
}
