//! Sizes of the services' modules, without function names.

use anyhow::{Context as _, ensure};
use e2e::wasm;
use wasmparser::{Parser, Payload};

use crate::row::Row;

const DEFAULT_MODEL: &[u8] = include_bytes!("../../../models/default/model.onnx");

/// Returns a row for each service.
pub(crate) fn rows() -> anyhow::Result<[Row; 3]> {
    Ok([
        row("size of image-api-grayscale.wasm, without names", "image-api-grayscale", 0, "1.5 MB")?,
        row(
            "size of image-api-classify.wasm, without names and model",
            "image-api-classify",
            DEFAULT_MODEL.len(),
            "4 MB",
        )?,
        row("size of events-service.wasm, without names", "events-service", 0, "1.5 MB")?,
    ])
}

fn row(what: &'static str, service: &str, model: usize, must: &'static str) -> anyhow::Result<Row> {
    let file = wasm(service);
    let module = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let mut names = 0;
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::CustomSection(section) = payload? {
            names += section.range().len();
        }
    }
    ensure!(module.len() > names + model, "{}: nothing is in it", file.display());
    let megabytes = |bytes: usize| format!("{:.2} MB", bytes as f64 / 1e6);
    Ok(Row {
        what,
        measured: megabytes(module.len() - names - model),
        compared: format!("the file {}", megabytes(module.len())),
        ratio: "-".to_owned(),
        must,
        hope: "-",
    })
}
