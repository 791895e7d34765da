//! MobileNet V2 on one photograph, with every inference backend.

mod backends;
mod onnx_runtime;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use e2e::{Deployment, Options, request};
use rten::ModelOptions;

use self::backends::{host_inference_app, inference, native, start_in_wasmedge};
use self::onnx_runtime::OnnxRuntime;
use crate::bench::load;
use crate::instances;
use crate::row::Row;
use crate::turns::{TURNS, middle, turns};

/// Disables the rate limit, which is not measured.
const UNLIMITED: &str = "RATE_LIMIT_PER_MINUTE=0";

/// Medians of one turn, in milliseconds.
struct Turn {
    native: f64,
    native_two: f64,
    host: f64,
    guest: f64,
    /// From request to response, with inference on the host.
    whole: f64,
    wasmedge: f64,
    onnx_runtime: OnnxRuntime,
}

/// Measures inference alone on each backend, and a complete request with `wasi-nn`.
///
/// `data` is a directory as `TESTDATA_DIR` names it.
pub(crate) fn rows(data: &Path, seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let model = data.join("models/mobilenet-v2").canonicalize().context("models/mobilenet-v2")?;
    let (file, photograph) = (model.join("model.onnx"), data.join("images/food.jpg"));
    let network = ModelOptions::with_all_ops().load_file(&file)?;
    let (host_port, more_apps) = host_inference_app(&model)?;
    let settings = vec![UNLIMITED.to_owned()];
    let deployment =
        Deployment::start(&Options { model: Some(model.clone()), settings, more_apps, ..Options::default() });
    let port = deployment.ports.classify;
    for port in [port, host_port] {
        let url = format!("http://127.0.0.1:{port}/healthz");
        deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
    }
    let real = start_in_wasmedge(&model)?;
    let python = onnx_runtime::measure(&file, &photograph, Duration::ZERO);
    let picture = std::fs::read(&photograph)?;
    let body = photograph.display().to_string();
    let upload = ["--path", "/classify", "--method", "POST", "--body", &body];
    let within = seconds / TURNS;
    let all = turns(|| {
        Ok(Turn {
            native: native(&network, 1, within)?,
            guest: inference(port, &picture, within)?,
            wasmedge: real.as_ref().map_or(Ok(f64::NAN), |(port, _)| inference(*port, &picture, within))?,
            native_two: native(&network, 2, within)?,
            host: inference(host_port, &picture, within)?,
            whole: load(host_port, &upload, within)?.p50 / 1000.0,
            onnx_runtime: match python {
                Ok(_) => onnx_runtime::measure(&file, &photograph, within)?,
                Err(_) => OnnxRuntime::NONE,
            },
        })
    })?;
    let beside = |what, port| instances::beside_pictures(what, port, &body, seconds);
    let mut rows = vec![
        beside("`GET /healthz` while the module infers MobileNet V2 in the guest, p99", port)?,
        beside("`GET /healthz` while the module has it inferred by wasi-nn, p99", host_port)?,
    ];
    let mut row = |what, ours: fn(&Turn) -> f64, beside: &str, theirs: fn(&Turn) -> f64, must| {
        let turn = middle(all.iter().collect(), |turn| ours(turn) / theirs(turn))?;
        rows.push(row(what, ours(turn), beside, theirs(turn), must));
        anyhow::Ok(())
    };
    let one_thread = "RTen, native, one thread";
    row("inference by RTen, native, two threads", |turn| turn.native_two, one_thread, |turn| turn.native, "")?;
    let both_threads = "RTen, native, two threads";
    row("inference by daprlet's wasi-nn (two threads)", |turn| turn.host, both_threads, |turn| turn.native_two, "1.3")?;
    row("inference in the guest, in daprlet", |turn| turn.guest, one_thread, |turn| turn.native, "4")?;
    if real.is_some() {
        let ahead = "in WasmEdge, ahead of time";
        row("inference in the guest, in daprlet", |turn| turn.guest, ahead, |turn| turn.wasmedge, "")?;
    }
    let whole = "`POST /classify` of food.jpg with wasi-nn, p50";
    match python {
        Ok(OnnxRuntime { version, .. }) => {
            let theirs = |how: &str| format!("ONNX Runtime {version} in Python, {how}");
            let (one, two, pillow) = (theirs("one thread"), theirs("two threads"), theirs("with Pillow"));
            row("inference by RTen, native, one thread", |turn| turn.native, &one, |turn| turn.onnx_runtime.one, "")?;
            row("inference by daprlet's wasi-nn", |turn| turn.host, &two, |turn| turn.onnx_runtime.two, "")?;
            row(whole, |turn| turn.whole, &pillow, |turn| turn.onnx_runtime.whole, "5")?;
        }
        Err(error) => row(whole, |turn| turn.whole, &error.to_string(), |_| f64::NAN, "5")?,
    }
    Ok(rows)
}

/// Creates a row for a duration.
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
