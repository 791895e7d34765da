//! Inference alone, on every backend.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use e2e::{request, wasm};
use rten::{DataType, Dimension, Model, RunOptions, ThreadPool, Value, ValueOrView, ValueType};
use rten_tensor::NdTensor;

use super::UNLIMITED;
use crate::bench::free_port;
use crate::wasmedge::{self, WasmEdge};

/// Side length of the network's input, in pixels.
const SIDE: usize = 224;

/// Returns port and run template entry of a further app: the service with inference on the host.
pub(super) fn host_inference_app(model: &Path) -> anyhow::Result<(u16, String)> {
    let (port, dapr_port) = (free_port()?, free_port()?);
    let model = model.display();
    let mut command = vec!["wasmedge".to_owned(), format!("--dir=model:{model}")];
    command.push(format!("--nn-preload=model:ONNX:CPU:{model}/model.onnx"));
    for setting in [format!("APP_PORT={port}"), format!("DAPR_HTTP_PORT={dapr_port}"), UNLIMITED.to_owned()] {
        command.push(format!("--env={setting}"));
    }
    command.push(wasm("image-api-classify-nn").display().to_string());
    let app = serde_json::json!({
        "appID": "asks-the-host", "appDirPath": "more", "appPort": port, "daprHTTPPort": dapr_port, "command": command,
    });
    Ok((port, format!("- {app}\n")))
}

/// Measures the median time of one inference without WebAssembly, in milliseconds.
pub(super) fn native(network: &Model, threads: usize, within: Duration) -> anyhow::Result<f64> {
    let pool = Arc::new(ThreadPool::with_num_threads(threads));
    let input = network.input_ids().first().copied().context("an input")?;
    let shape = network.node_info(input).and_then(|info| info.shape()).context("a shape")?;
    let first_is_colour = shape.get(1).is_some_and(|size| *size == Dimension::Fixed(3));
    let shape = if first_is_colour { [1, 3, SIDE, SIDE] } else { [1, SIDE, SIDE, 3] };
    let takes_bytes =
        network.node_info(input).and_then(|info| info.dtype()) == Some(ValueType::Tensor(DataType::UInt8));
    let pixels =
        if takes_bytes { Value::from(NdTensor::full(shape, 127_u8)) } else { NdTensor::full(shape, 0.5_f32).into() };
    median(within, || {
        let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
        let begin = Instant::now();
        let pixels = ValueOrView::from(&pixels);
        std::hint::black_box(network.run(vec![(input, pixels)], network.output_ids(), Some(options))?);
        Ok(begin.elapsed().as_secs_f64() * 1000.0)
    })
}

/// Measures the median inference time that the service reports, in milliseconds.
pub(super) fn inference(port: u16, picture: &[u8], within: Duration) -> anyhow::Result<f64> {
    let url = format!("http://127.0.0.1:{port}/classify");
    median(within, || {
        let answer = request("POST", &url).header("Accept", "application/json").body(picture).send();
        let time = answer.json().pointer("/times_ms/inference").and_then(serde_json::Value::as_f64);
        time.with_context(|| format!("{} {}", answer.status, answer.text()))
    })
}

/// Starts the same module in a real WasmEdge without Dapr, if one is installed. Returns its port and process.
pub(super) fn start_in_wasmedge(model: &Path) -> anyhow::Result<Option<(u16, WasmEdge)>> {
    let Some(program) = wasmedge::program() else { return Ok(None) };
    let compiled = wasmedge::compile(&program, &wasm("image-api-classify"))?;
    let port = free_port()?;
    let flags = ["--dir".to_owned(), format!("model:{}", model.display()), "--env".to_owned(), UNLIMITED.to_owned()];
    Ok(Some((port, wasmedge::start(&program, &flags, &compiled, port)?)))
}

/// Returns the median of `once`, after one uncounted warm-up.
fn median(within: Duration, mut once: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    once()?;
    let begin = Instant::now();
    let mut times = Vec::new();
    while begin.elapsed() < within {
        times.push(once()?);
    }
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().ok_or_else(|| anyhow!("no time to measure in"))
}
