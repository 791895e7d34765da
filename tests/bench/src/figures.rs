//! The figures, one function each.

use std::io::Write as _;
use std::time::{Duration, Instant};

use e2e::{Deployment, Options, wasm};
use image_api_classify::{DEFAULT_MODEL_MEMORY, LoadedModel};

use crate::bench::{Bench, free_port, load};
use crate::processes::{self, Usage};
use crate::row::{self, Row};
use crate::turns::{TURNS, by_turns, middle, turns};
use crate::{applications, components, inference, instances, native, plain_wasmtime, runtime, sizes, wasmedge};

/// Measurements of a real pair of `daprd` 1.18, and of one with Redis, on two cores.
const DAPRD_INVOCATIONS: f64 = 2800.0;
const DAPRD_STATE_P50: f64 = 410.0;

const SAMPLE: &[u8] = include_bytes!("../../../docs/sample.jpg");

/// Measures everything and prints the table.
pub(crate) fn all(seconds: Duration) -> anyhow::Result<()> {
    begin("starting, with and without compiled modules");
    let start = start()?;
    begin("requests to the three services");
    let bench = Bench::start(seconds)?;
    let idle = idle_memory(&bench)?;
    let mut rows = vec![hello(&bench, seconds)?];
    rows.extend(invocation(&bench)?);
    rows.extend([state(&bench)?, grayscale(&bench, seconds)?, classify(&bench, seconds)?, idle]);
    rows.extend(start);
    rows.extend(sizes::rows()?);
    begin("state stores that are components");
    rows.extend(components::rows()?);
    begin("more than one instance");
    rows.extend(instances::rows(seconds)?);
    begin("services that are components");
    rows.extend(applications::rows(seconds)?);
    rows.extend(plain_wasmtime::rows(seconds)?);
    begin("state through dapr:runtime");
    rows.extend(runtime::rows(seconds)?);
    if let Some(data) = std::env::var_os("TESTDATA_DIR") {
        begin("inference");
        rows.extend(inference::rows(data.as_ref(), seconds)?);
    }
    Ok(row::print(&rows)?)
}

/// Prints the current measurement to stderr as progress.
pub(crate) fn begin(what: &str) {
    // A closed stderr is ignored.
    let _ = writeln!(std::io::stderr().lock(), "=== {what}");
}

fn hello(bench: &Bench, seconds: Duration) -> anyhow::Result<Row> {
    let mut row = Row {
        what: "`GET /` of image-api-grayscale.wasm, requests/s at 16 connections",
        measured: String::new(),
        compared: "no WasmEdge here ($WASMEDGE)".to_owned(),
        ratio: "-".to_owned(),
        must: "0.7",
        hope: "1.2",
    };
    let Some(program) = wasmedge::program() else {
        row.measured = format!("{:.0}", bench.get(bench.deployment.ports.grayscale, "/", 16)?.rate);
        return Ok(row);
    };
    let compiled = wasmedge::compile(&program, &wasm("image-api-grayscale"))?;
    let port = free_port()?;
    let _server = wasmedge::start(&program, &[], &compiled, port)?;
    let get = |port| Ok::<_, anyhow::Error>(load(port, &["--connections", "16"], seconds / TURNS)?.rate);
    let both = || Ok((get(bench.deployment.ports.grayscale)?, get(port)?));
    let (ours, theirs) = by_turns(|(ours, theirs)| ours / theirs, both)?;
    row.measured = format!("{ours:.0}");
    row.compared = format!("WasmEdge AOT {theirs:.0}");
    row.ratio = format!("{:.2}", ours / theirs);
    Ok(row)
}

fn invocation(bench: &Bench) -> anyhow::Result<[Row; 2]> {
    let path = "/v1.0/invoke/counter/method/x";
    let dapr = bench.deployment.ports.grayscale_dapr;
    let direct = bench.get(bench.counter, "/x", 1)?;
    let through = bench.get(dapr, path, 1)?;
    let before = bench.count_requests()?;
    let busy = load(dapr, &["--path", path, "--connections", "16"], Duration::from_secs(5))?;
    let (seen, sent) = (bench.count_requests()? - before, busy.warming + busy.requests);
    anyhow::ensure!(seen == sent, "the second guest saw {seen} of {sent} invocations");
    let added = through.p50 - direct.p50;
    Ok([
        Row {
            what: "added p50 of an invocation through the Dapr port",
            measured: format!("{added:.0} us ({:.0} us)", through.p50),
            compared: format!("called directly {:.0} us", direct.p50),
            ratio: format!("{:.2}", through.p50 / direct.p50),
            must: "150 us",
            hope: "50 us",
        },
        Row {
            what: "invocations/s at 16 connections, each seen by the second guest",
            measured: format!("{:.0}", busy.rate),
            compared: format!("real daprd pair {DAPRD_INVOCATIONS:.0} (measured before)"),
            ratio: format!("{:.1}", busy.rate / DAPRD_INVOCATIONS),
            must: "10,000",
            hope: "25,000",
        },
    ])
}

fn state(bench: &Bench) -> anyhow::Result<Row> {
    let saved = bench.deployment.dapr("POST", "/v1.0/state/memory").body(r#"[{"key":"k","value":"v"}]"#).send();
    anyhow::ensure!(saved.status == 204, "saving state: {}", saved.text());
    let read = bench.get(bench.deployment.ports.grayscale_dapr, "/v1.0/state/memory/k", 1)?;
    Ok(Row {
        what: "state read from state.in-memory over HTTP, p50",
        measured: format!("{:.0} us", read.p50),
        compared: format!("daprd with Redis {DAPRD_STATE_P50:.0} us (measured before)"),
        ratio: format!("{:.2}", read.p50 / DAPRD_STATE_P50),
        must: "120 us",
        hope: "60 us",
    })
}

fn grayscale(bench: &Bench, seconds: Duration) -> anyhow::Result<Row> {
    let picture = native::photograph()?;
    let file = bench.deployment.folder().join("photograph.jpg");
    std::fs::write(&file, &picture)?;
    let flags = ["--path", "/grayscale", "--method", "POST", "--body", &file.display().to_string()];
    let both = || {
        let guest = load(bench.deployment.ports.grayscale, &flags, seconds / TURNS)?.p50;
        Ok((guest, native::grayscale(&picture, seconds / TURNS)?.as_secs_f64() * 1e6))
    };
    let (guest, native) = by_turns(|(guest, native)| guest / native, both)?;
    Ok(Row {
        what: "`POST /grayscale` of a 1280x720 JPEG, with event and base64, p50",
        measured: format!("{:.1} ms", guest / 1000.0),
        compared: format!("the library natively {:.1} ms", native / 1000.0),
        ratio: format!("{:.2}", guest / native),
        must: "2.0",
        hope: "1.3",
    })
}

/// Uses the embedded model.
fn classify(bench: &Bench, seconds: Duration) -> anyhow::Result<Row> {
    let picture = bench.deployment.folder().join("sample.jpg");
    std::fs::write(&picture, SAMPLE)?;
    let flags = ["--path", "/classify", "--method", "POST", "--body", &picture.display().to_string()];
    let model = LoadedModel::embedded(DEFAULT_MODEL_MEMORY)?;
    let both = || {
        let guest = load(bench.deployment.ports.classify, &flags, seconds / TURNS)?.p50 / 1000.0;
        Ok((guest, native::classify(&model, SAMPLE, seconds / TURNS)?.as_secs_f64() * 1e3))
    };
    let turns = turns(both)?;
    let quickest = turns.iter().map(|(guest, _)| *guest).fold(f64::INFINITY, f64::min);
    let (guest, native) = middle(turns, |(guest, _)| *guest)?;
    Ok(Row {
        what: "`POST /classify` of docs/sample.jpg with the default model, with event, p50",
        measured: format!("{guest:.1} ms (in the quickest turn {quickest:.1} ms)"),
        compared: format!("the library natively {native:.1} ms"),
        ratio: format!("{:.2}", guest / native),
        must: "8 ms",
        hope: "-",
    })
}

fn idle_memory(bench: &Bench) -> anyhow::Result<Row> {
    let Usage { resident, .. } = processes::usage(&[bench.deployment.daprlet.id()])?;
    Ok(Row {
        what: "resident memory, three services and one more guest idle",
        measured: format!("{resident:.0} MB"),
        compared: "one daprd sidecar 150 MB (measured before)".to_owned(),
        ratio: format!("{:.2}", resident / 150.0),
        must: "120 MB",
        hope: "60 MB",
    })
}

/// Measures the time from nothing running to the first 200 from all three, and to the first classified image.
fn start() -> anyhow::Result<[Row; 4]> {
    let cache = std::env::temp_dir().join(format!("daprlet-bench-{}", std::process::id()));
    let options = Options { arguments: vec!["--cache".to_owned(), cache.display().to_string()], ..Options::default() };
    let time = || {
        let begin = Instant::now();
        let deployment = Deployment::start(&options);
        for answer in [deployment.grayscale("GET", "/"), deployment.classify("GET", "/"), deployment.events("GET", "/")]
        {
            anyhow::ensure!(answer.send().status == 200, "a service does not answer");
        }
        let answered = begin.elapsed().as_secs_f64();
        let classified = deployment.classify("POST", "/classify").body(SAMPLE).send();
        anyhow::ensure!(classified.status == 200, "classify: {}", classified.text());
        Ok((answered, begin.elapsed().as_secs_f64()))
    };
    let cold = time()?;
    let warm = (0..5).map(|_| time()).collect::<anyhow::Result<Vec<_>>>()?;
    let warm = warm.into_iter().fold((f64::MAX, f64::MAX), |best, one| (best.0.min(one.0), best.1.min(one.1)));
    std::fs::remove_dir_all(&cache)?;
    let row = |what, seconds: f64, must, hope| Row {
        what,
        measured: format!("{seconds:.2} s"),
        compared: String::new(),
        ratio: String::new(),
        must,
        hope,
    };
    Ok([
        row("start to first 200 from all three, modules compiled before", warm.0, "0.5 s", "0.15 s"),
        row("start to first 200 from all three, nothing compiled", cold.0, "60 s", "20 s"),
        row("start to the first picture classified, modules compiled before", warm.1, "", ""),
        row("start to the first picture classified, nothing compiled", cold.1, "", ""),
    ])
}
