//! MobileNet V2 on one photograph, in all the ways there are to compute it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use e2e::{Options, World, request, wasm};
use rten::{DataType, Dimension, Model, ModelOptions, RunOptions, ThreadPool, Value, ValueOrView, ValueType};
use rten_tensor::NdTensor;
use serde::Deserialize;

use crate::row::Row;
use crate::world::{free_port, load};
use crate::{instances, wasmedge};

/// Measures ONNX Runtime, where Python has it.
const ONNX_RUNTIME: &str = include_str!("inference/onnx_runtime.py");

/// The limit on users is not what is measured.
const UNLIMITED: &str = "RATE_LIMIT_PER_MINUTE=0";

/// Side of the pictures that the network takes, in pixels.
const SIDE: usize = 224;

/// Medians, in milliseconds.
#[derive(Deserialize)]
struct OnnxRuntime {
    version: String,
    /// Inference alone.
    one: f64,
    two: f64,
    /// From the file's bytes to the likeliest class, with Pillow.
    whole: f64,
}

/// Inference alone by each, and the whole way of a picture with `wasi-nn`. `data` is a folder as `TESTDATA_DIR` names it.
pub(crate) fn rows(data: &Path, seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let model = data.join("models/mobilenet-v2").canonicalize().context("models/mobilenet-v2")?;
    let photograph = data.join("images/food.jpg");
    let network = ModelOptions::with_all_ops().load_file(model.join("model.onnx"))?;
    let (native, native_two) = (native(&network, 1, seconds)?, native(&network, 2, seconds)?);
    let (host_port, more_apps) = asks_the_host(&model)?;
    let settings = vec![UNLIMITED.to_owned()];
    let world = World::start(&Options { model: Some(model.clone()), settings, more_apps, ..Options::default() });
    let port = world.ports.classify;
    for port in [port, host_port] {
        let url = format!("http://127.0.0.1:{port}/healthz");
        world.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
    }
    let picture = std::fs::read(&photograph)?;
    let (host, guest) = (inference(host_port, &picture, seconds)?, inference(port, &picture, seconds)?);
    let body = photograph.display().to_string();
    let whole = load(host_port, &["--path", "/classify", "--method", "POST", "--body", &body], seconds)?.p50 / 1000.0;
    let beside = [
        ("`GET /healthz` while the module infers MobileNet V2 in the guest, p99", port),
        ("`GET /healthz` while the module has it inferred by wasi-nn, p99", host_port),
    ];
    let beside = beside.map(|(what, port)| instances::beside_pictures(what, port, &body, seconds));
    let [beside_guest, beside_host] = beside;
    drop(world);
    let mut rows = vec![
        beside_guest?,
        beside_host?,
        row("inference by RTen, native, two threads", native_two, "one thread", native, ""),
        row("inference by daprlet's wasi-nn (two threads)", host, "RTen, native, two threads", native_two, "1.3"),
        row("inference in the guest, in daprlet", guest, "RTen, native, one thread", native, "4"),
    ];
    if let Some(program) = wasmedge::program() {
        let theirs = in_wasmedge(&program, &model, &picture, seconds)?;
        rows.push(row("inference in the guest, in daprlet", guest, "in WasmEdge, ahead of time", theirs, ""));
    }
    match onnx_runtime(&model.join("model.onnx"), &photograph, seconds) {
        Ok(OnnxRuntime { version, one, two, whole: their_whole }) => {
            let named = |what: &str| format!("ONNX Runtime {version} in Python, {what}");
            rows.push(row("inference by RTen, native, one thread", native, &named("one thread"), one, ""));
            rows.push(row("inference by daprlet's wasi-nn", host, &named("two threads"), two, ""));
            rows.push(row(
                "`POST /classify` of food.jpg with wasi-nn, p50",
                whole,
                &named("with Pillow"),
                their_whole,
                "5",
            ));
        }
        Err(error) => {
            rows.push(row("`POST /classify` of food.jpg with wasi-nn, p50", whole, &error.to_string(), f64::NAN, "5"))
        }
    }
    Ok(rows)
}

fn row(what: &'static str, ours: f64, beside: &str, theirs: f64, must: &'static str) -> Row {
    Row {
        what,
        measured: format!("{ours:.1} ms"),
        compared: format!("{beside}: {theirs:.1} ms"),
        ratio: format!("{:.2}", ours / theirs),
        must,
        hope: "",
    }
}

/// The service that asks the host, as one more app: its port, and its entry.
fn asks_the_host(model: &Path) -> anyhow::Result<(u16, String)> {
    let (port, dapr_port) = (free_port()?, free_port()?);
    let model = model.display();
    let mut command = vec!["wasmedge".to_owned(), format!("--dir=model:{model}")];
    command.push(format!("--nn-preload=model:ONNX:CPU:{model}/model.onnx"));
    for setting in [format!("APP_PORT={port}"), format!("DAPR_HTTP_PORT={dapr_port}"), UNLIMITED.to_owned()] {
        command.push(format!("--env={setting}"));
    }
    command.push(wasm("image-api-classify-nn").display().to_string());
    let app = serde_json::json!({
        "appID": "asks-the-host", "appDirPath": ".", "appPort": port, "daprHTTPPort": dapr_port, "command": command,
    });
    Ok((port, format!("- {app}\n")))
}

/// The median time of one inference without WebAssembly, in milliseconds.
fn native(network: &Model, threads: usize, within: Duration) -> anyhow::Result<f64> {
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

/// The median time that the service says one inference took, in milliseconds.
fn inference(port: u16, picture: &[u8], within: Duration) -> anyhow::Result<f64> {
    let url = format!("http://127.0.0.1:{port}/classify");
    median(within, || {
        let answer = request("POST", &url).header("Accept", "application/json").body(picture).send();
        let time = answer.json().pointer("/times_ms/inference").and_then(serde_json::Value::as_f64);
        time.with_context(|| format!("{} {}", answer.status, answer.text()))
    })
}

/// The same module in a real WasmEdge, without Dapr.
fn in_wasmedge(program: &Path, model: &Path, picture: &[u8], within: Duration) -> anyhow::Result<f64> {
    let compiled = wasmedge::compile(program, &wasm("image-api-classify"))?;
    let port = free_port()?;
    let flags = ["--dir".to_owned(), format!("model:{}", model.display()), "--env".to_owned(), UNLIMITED.to_owned()];
    let _server = wasmedge::start(program, &flags, &compiled, port)?;
    inference(port, picture, within)
}

/// Asks the Python that `PYTHON` names.
fn onnx_runtime(model: &Path, photograph: &Path, within: Duration) -> anyhow::Result<OnnxRuntime> {
    let python = std::env::var_os("PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let seconds = within.as_secs_f64().to_string();
    let said = Command::new(&python).args(["-c", ONNX_RUNTIME, &seconds]).arg(model).arg(photograph).output()?;
    if !said.status.success() {
        let words = String::from_utf8_lossy(&said.stderr);
        bail!("{} has no ONNX Runtime: {}", python.display(), words.lines().last().unwrap_or_default());
    }
    Ok(serde_json::from_slice(&said.stdout)?)
}

/// The median of what `once` measures, after a first time that does not count.
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
