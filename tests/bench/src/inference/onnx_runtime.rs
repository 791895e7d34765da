//! ONNX Runtime, if Python has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

/// Python program that measures it.
const PROGRAM: &str = include_str!("onnx_runtime.py");

/// Medians in milliseconds.
#[derive(Deserialize)]
pub(super) struct OnnxRuntime {
    pub(super) version: String,
    /// Inference alone, on one thread.
    pub(super) one: f64,
    pub(super) two: f64,
    /// From the file's bytes to the likeliest class, with Pillow.
    pub(super) whole: f64,
}

impl OnnxRuntime {
    /// Value for a Python without ONNX Runtime.
    pub(super) const NONE: Self = Self { version: String::new(), one: f64::NAN, two: f64::NAN, whole: f64::NAN };
}

/// Runs the measurement in the Python that `PYTHON` names.
pub(super) fn measure(model: &Path, photograph: &Path, within: Duration) -> anyhow::Result<OnnxRuntime> {
    let python = std::env::var_os("PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let seconds = within.as_secs_f64().to_string();
    let said = Command::new(&python).args(["-c", PROGRAM, &seconds]).arg(model).arg(photograph).output()?;
    if !said.status.success() {
        let words = String::from_utf8_lossy(&said.stderr);
        bail!("{} has no ONNX Runtime: {}", python.display(), words.lines().last().unwrap_or_default());
    }
    Ok(serde_json::from_slice(&said.stdout)?)
}
