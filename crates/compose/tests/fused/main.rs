//! Composition of consumers and providers, run with this crate's wasmtime and with the program `wasmtime`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

mod errors;
mod run;

use std::path::PathBuf;

use compose::{Part, describe, fuse};

/// Reads a component from the output directory of `cargo xtask build-wasm --components`.
fn bytes(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("WASM_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from("../../wasm"));
    let path = folder.join("components").join(name);
    let read = std::fs::read(&path);
    read.unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask build-wasm --components` makes it", path.display()))
}

/// Providers: one built by the toolchain, and one created here from a core module with `wit-bindgen` metadata.
const PROVIDERS: [&str; 2] = ["keyvalue.wasm", "keyvalue.core.wasm"];

#[tokio::test]
async fn composed_component_contains_providers_and_runs() {
    for provider in PROVIDERS {
        let (demo, provided) = (bytes("keyvalue-demo.wasm"), bytes(provider));
        let (demo, provider) = (Part::new("demo", &demo).unwrap(), Part::new(provider, &provided).unwrap());
        let before = describe(&demo).unwrap();
        for interface in ["store", "atomics", "batch"] {
            let wanted = format!("wasi:keyvalue/{interface}@0.2.0-draft2");
            assert!(before.imports.contains(&wanted), "{before}");
            assert!(describe(&provider).unwrap().exports.contains(&wanted));
        }
        let fused = fuse(&demo, &[provider]).unwrap();
        let after = describe(&fused).unwrap();
        assert!(!after.imports.iter().any(|name| name.starts_with("wasi:keyvalue/")), "{after}");
        assert_eq!(after.exports, before.exports);
        assert!(after.producers.iter().any(|it| it.starts_with("language: Rust")), "{after}");
        let said = run::in_process(fused.bytes()).await.unwrap();
        assert!(said.ends_with("all is as it must be\n"), "{said}");
        if let Some(said) = run::with_wasmtime(fused.bytes()) {
            assert!(said.ends_with("all is as it must be\n"), "{said}");
        }
    }
}

#[tokio::test]
async fn provider_imports_are_provided_by_third_part() {
    let (demo, provider, store) =
        (bytes("keyvalue-demo.wasm"), bytes("keyvalue-on-state.wasm"), bytes("state-in-memory.wasm"));
    let [demo, provider, store] =
        [("demo", &demo), ("provider", &provider), ("store", &store)].map(|(name, it)| Part::new(name, it).unwrap());
    let without = fuse(&demo, std::slice::from_ref(&provider)).unwrap();
    assert!(describe(&without).unwrap().imports.contains(&"dapr:components/state@0.1.0".to_owned()));
    let fused = fuse(&demo, &[provider, store]).unwrap();
    let after = describe(&fused).unwrap();
    let is_inside = |name: &String| name.starts_with("wasi:keyvalue/") || name.starts_with("dapr:components/state");
    assert!(!after.imports.iter().any(is_inside), "{after}");
    let said = run::in_process(fused.bytes()).await.unwrap();
    assert!(said.ends_with("all is as it must be\n"), "{said}");
    if let Some(said) = run::with_wasmtime(fused.bytes()) {
        assert!(said.ends_with("all is as it must be\n"), "{said}");
    }
}

#[tokio::test]
async fn consumer_without_provider_does_not_run() {
    let error = run::in_process(&bytes("keyvalue-demo.wasm")).await.unwrap_err();
    assert!(format!("{error:?}").contains("wasi:keyvalue/"), "{error:?}");
}
