//! The classify service with inference on the host gives the same results as without; where the host has no such model,
//! the service says so and runs it itself.

use std::io::Cursor;
use std::path::PathBuf;

use e2e::{Deployment, Options, request};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::kept::Kept;
use crate::slow_model;

const SAMPLE: &[u8] = include_bytes!("../../../../docs/sample.jpg");

/// Lowest score, of 255, that is compared.
const MIN_COMPARED_SCORE: i64 = 5;

/// Largest difference of a compared score from the guest's own: kernels add in another order.
const TOLERANCE: i64 = 3;

const MODULE: &str = "image-api-classify-nn";
const COMPONENT: &str = "components/image-api-classify-nn";

/// Returns the directory of the project's own model.
fn default_model() -> PathBuf {
    e2e::repository().join("models/default")
}

/// A further app of a deployment.
struct Other {
    port: u16,
    yaml: String,
}

impl Other {
    /// Creates an app of the module with these flags of `wasmedge`.
    fn module(id: &str, flags: &[String]) -> Self {
        Self::new(id, &["wasmedge"], flags, MODULE)
    }

    /// Creates an app of the component with these flags of `wasmtime serve`.
    fn component(id: &str, flags: &[String]) -> Self {
        Self::new(id, &["wasmtime", "serve", "-Scli"], flags, COMPONENT)
    }

    fn new(id: &str, program: &[&str], flags: &[String], file: &str) -> Self {
        let [port, dapr_port] = e2e::free_ports();
        let mut command: Vec<String> = program.iter().map(|it| (*it).to_owned()).collect();
        command.extend([format!("--env=APP_PORT={port}"), format!("--env=DAPR_HTTP_PORT={dapr_port}")]);
        command.extend_from_slice(flags);
        command.push(e2e::wasm(file).display().to_string());
        let app = json!({ "appID": id, "appDirPath": "more", "appPort": port, "daprHTTPPort": dapr_port, "command": command });
        Self { port, yaml: format!("- {app}\n") }
    }

    fn get(&self, path: &str) -> String {
        request("GET", &format!("http://127.0.0.1:{}{path}", self.port)).send().text()
    }

    fn classes(&self, picture: &[u8]) -> Vec<Value> {
        classes(request("POST", &format!("http://127.0.0.1:{}/classify?k=2000", self.port)), picture)
    }
}

fn deployment(model: Option<PathBuf>, others: &[&Other]) -> Deployment {
    let more_apps = others.iter().map(|other| other.yaml.as_str()).collect();
    let deployment = Deployment::start(&Options { model, more_apps, ..crate::options() });
    for other in others {
        let url = format!("http://127.0.0.1:{}/healthz", other.port);
        deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
    }
    deployment
}

fn classes(ask: e2e::Request, picture: &[u8]) -> Vec<Value> {
    let answer = ask.header("Accept", "application/json").body(picture).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["classes"].as_array().expect("classes").clone()
}

/// Returns each class's score, by its index in the model's output.
fn scores(classes: &[Value]) -> Vec<i64> {
    let mut scores = vec![0; classes.len()];
    for class in classes {
        let index = usize::try_from(class["index"].as_u64().unwrap()).unwrap();
        scores[index] = class["score"].as_i64().unwrap();
    }
    scores
}

fn check(what: &str, guest: &[Value], host: &[Value]) {
    assert_eq!(guest[0]["label"], host[0]["label"], "{what}");
    assert_eq!(guest.len(), host.len(), "{what}");
    for (index, (one, other)) in scores(guest).into_iter().zip(scores(host)).enumerate() {
        let counts = one.max(other) >= MIN_COMPARED_SCORE;
        assert!(!counts || (one - other).abs() <= TOLERANCE, "{what}: class {index} has {one} and {other}");
    }
}

/// Creates images that have nothing in common.
fn pictures() -> Vec<(String, Vec<u8>)> {
    let draw = |name: &str, pixel: fn(u32, u32) -> [u8; 3]| {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::from(RgbImage::from_fn(160, 120, |x, y| Rgb(pixel(x, y))));
        picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
        (name.to_owned(), bytes.into_inner())
    };
    vec![
        ("the sample".to_owned(), SAMPLE.to_vec()),
        draw("a gradient", |x, y| [x as u8, y as u8, (x + y) as u8]),
        draw("stripes", |x, _| if x / 8 % 2 == 0 { [250, 240, 10] } else { [10, 20, 130] }),
        draw("a disc", |x, y| {
            if (x - 80.min(x)).pow(2) + (y - 60.min(y)).pow(2) < 900 { [200, 40, 40] } else { [90, 140, 230] }
        }),
        draw("noise", |x, y| {
            let hash = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77)).wrapping_mul(0xC2B2_AE3D);
            [(hash >> 8) as u8, (hash >> 16) as u8, (hash >> 24) as u8]
        }),
    ]
}

#[test]
fn host_inference_matches_the_guests() {
    let model = default_model();
    let module = Other::module("module-nn", &[format!("--nn-preload=default:ONNX:CPU:{}/model.onnx", model.display())]);
    let component = Other::component("component-nn", &[format!("-Snn,nn-graph=onnx::{}", model.display())]);
    let deployment = deployment(None, &[&module, &component]);
    for (name, picture) in pictures() {
        let guest = classes(deployment.classify("POST", "/classify?k=2000"), &picture);
        check(&format!("{name}, module"), &guest, &module.classes(&picture));
        check(&format!("{name}, component"), &guest, &component.classes(&picture));
    }
    for other in [module, component] {
        let model = other.get("/model");
        assert!(model.contains(r#""computes":"wasi-nn""#) && !model.contains("computes_reason"), "{model}");
        assert!(other.get("/healthz").contains("computed by the host through wasi-nn"));
    }
}

#[test]
fn service_falls_back_to_its_own_inference() {
    let (module, component) = (Other::module("module-nn", &[]), Other::component("component-nn", &[]));
    let deployment = deployment(None, &[&module, &component]);
    let guest = classes(deployment.classify("POST", "/classify?k=2000"), SAMPLE);
    for other in [&module, &component] {
        check("the sample", &guest, &other.classes(SAMPLE));
        let model = other.get("/model");
        assert!(
            model.contains(r#""computes":"guest","computes_reason":"the host does not compute the graph"#),
            "{model}"
        );
        let health = other.get("/healthz");
        assert!(health.contains("computed in the service: the host does not compute the graph"), "{health}");
    }
    let said = deployment.daprlet.said();
    let denied = |app: &str| format!("denied: {app} wanted to load a graph of");
    assert!(said.contains(&denied("module-nn")) && said.contains("--nn-preload NAME:ONNX:CPU:FILE"), "{said}");
    assert!(said.contains(&denied("component-nn")) && said.contains("-S nn,nn-graph=onnx::FOLDER"), "{said}");
    assert!(said.contains("computed in the service: the host does not compute the graph"), "{said}");
}

#[test]
fn small_requests_pass_during_host_inference() {
    let folder = tempfile::tempdir().unwrap();
    slow_model::write(folder.path());
    let path = folder.path().display();
    let flags = [format!("--dir=model:{path}"), format!("--nn-preload=model:ONNX:CPU:{path}/model.onnx")];
    let slow = Other::module("slow", &flags);
    let deployment = deployment(None, &[&slow]);
    assert!(slow.get("/model").contains(r#""computes":"wasi-nn""#), "{}", slow.get("/model"));
    let mut kept = Kept::open(slow.port);
    kept.get("/");
    // If the requests had to wait for the image, at most one of them would get a response in the meantime. The first
    // images only start the other instance.
    deployment.daprlet.until(|| {
        std::thread::scope(|scope| {
            let picture = scope.spawn(|| slow.classes(SAMPLE));
            let mut answers = 0;
            while !picture.is_finished() {
                kept.get("/healthz");
                answers += 1;
            }
            assert_eq!(picture.join().unwrap().len(), 3);
            (answers > 10).then_some(())
        })
    });
}

#[test]
fn published_model_gives_the_same_results_on_photographs() {
    let Some(data) = std::env::var_os("TESTDATA_DIR").map(PathBuf::from) else {
        println!("DID NOT RUN: TESTDATA_DIR names no folder with images/ and models/");
        return;
    };
    let model = data.join("models/mobilenet-v2").canonicalize().expect("the model's folder");
    let path = model.display();
    // The module's directory has another name than the network, so that the host finds it by content.
    let module = [format!("--dir=model:{path}"), format!("--nn-preload=mobilenet:ONNX:CPU:{path}/model.onnx")];
    let module = Other::module("module-nn", &module);
    let component = [
        format!("--dir={path}::mobilenet-v2"),
        "--env=MODEL_DIR=mobilenet-v2".to_owned(),
        format!("-Snn,nn-graph=onnx::{path}"),
    ];
    let component = Other::component("component-nn", &component);
    let deployment = deployment(Some(model.clone()), &[&module, &component]);
    for name in ["hot_dog.jpg", "parrot.jpg", "food.jpg", "grace_hopper.bmp", "cat_720p.jpg"] {
        let picture = std::fs::read(data.join("images").join(name)).expect(name);
        let guest = classes(deployment.classify("POST", "/classify?k=2000"), &picture);
        check(&format!("{name}, module"), &guest, &module.classes(&picture));
        check(&format!("{name}, component"), &guest, &component.classes(&picture));
    }
    for other in [module, component] {
        assert!(other.get("/model").contains(r#""computes":"wasi-nn""#), "{}", other.get("/model"));
    }
}
