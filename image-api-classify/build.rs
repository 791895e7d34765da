//! Embeds a model into the service, so that its module needs no other file.
//!
//! The model is `models/default`, or the directory that `EMBEDDED_MODEL_DIR` names.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const NETWORKS: [&str; 2] = ["model.onnx", "model.rten"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed=EMBEDDED_MODEL_DIR");
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("cargo::error={reason}");
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    let own = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../models/default");
    let directory = env::var_os("EMBEDDED_MODEL_DIR").map_or(own, PathBuf::from);
    let directory = directory.canonicalize().map_err(|error| format!("{}: {error}", directory.display()))?;
    println!("cargo::rerun-if-changed={}", directory.display());
    let network = NETWORKS.iter().find(|name| directory.join(name).is_file());
    let network = network.ok_or_else(|| format!("{} has no model.onnx and no model.rten", directory.display()))?;
    let constant = |name: &str, kind: &str, include: &str, file: &str| {
        let path = directory.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        format!("const {name}: {kind} = {include}!({path:?});\n")
    };
    let source = [
        format!("const EMBEDDED_NETWORK_NAME: &str = {network:?};\n"),
        constant("EMBEDDED_NETWORK", "&[u8]", "include_bytes", network),
        constant("EMBEDDED_LABELS", "&str", "include_str", "labels.txt"),
        constant("EMBEDDED_PARAMETERS", "&str", "include_str", "model.toml"),
    ];
    let target = Path::new(&variable("OUT_DIR")?).join("embedded.rs");
    fs::write(&target, source.concat()).map_err(|error| format!("{}: {error}", target.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
