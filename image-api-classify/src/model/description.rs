//! What a model says of itself: the answer of `GET /model`.

use serde::Serialize;

use super::network::Computes;
use super::parameters::{Fit, Layout, Output};

/// Everything about a model that is worth knowing before it is asked.
#[derive(Debug, Clone, Serialize)]
pub struct Description {
    /// What it is called.
    pub name: String,
    /// Its licence, where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// What its users should know, where its parameters say something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it is from: a directory, or this service.
    pub source: String,
    /// The network's file.
    pub file: &'static str,
    /// The size of that file.
    pub bytes: usize,
    /// The SHA-256 of that file.
    pub sha256: String,
    /// How many numbers the network consists of.
    pub parameters: usize,
    /// What it takes.
    pub input: InputDescription,
    /// What it gives.
    pub output: OutputDescription,
    /// The names of its classes, in the order of its output.
    pub labels: Vec<String>,
    /// Who computes.
    #[serde(flatten)]
    pub computes: Computes,
    /// How long loading took, in milliseconds.
    pub load_ms: f64,
    /// How long its first picture took, in milliseconds.
    pub first_inference_ms: f64,
}

impl Description {
    /// Which model answers, how many things it knows, and its note: one line.
    pub(crate) fn summary(&self) -> String {
        let Self { name, source, output, note, .. } = self;
        let note = note.as_ref().map(|note| format!(". {note}")).unwrap_or_default();
        format!("model {name} ({source}) answers; it knows {} things{note}", output.classes)
    }
}

/// How a picture becomes the network's input.
#[derive(Debug, Clone, Serialize)]
pub struct InputDescription {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    pub(super) layout: Layout,
    pub(super) fit: Fit,
    /// Bytes, or floating-point numbers.
    pub numbers: &'static str,
    /// What is subtracted from brightness between 0 and 1, for floating-point numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<[f32; 3]>,
    /// What the difference is divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<[f32; 3]>,
}

/// How the network's output becomes an answer.
#[derive(Debug, Clone, Serialize)]
pub struct OutputDescription {
    /// How many classes it tells apart.
    pub classes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Output>,
    /// What logits are divided by.
    pub temperature: f32,
    /// The probability below which the best guess is called unsure.
    pub unsure_below: f32,
}
