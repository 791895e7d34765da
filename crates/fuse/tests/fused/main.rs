//! Consumer and provider become one file, and runtimes that nobody here wrote run it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail them by panicking")]

mod mistakes;
mod run;

use std::path::PathBuf;

use fuse::{Part, describe, fuse};

/// The bytes of a component, from where `cargo xtask build-wasm --components` puts it.
fn bytes(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("WASM_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from("../../wasm"));
    let path = folder.join("components").join(name);
    let read = std::fs::read(&path);
    read.unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask build-wasm --components` makes it", path.display()))
}

/// The providers: built by the toolchain, and made here of a core module that `wit-bindgen` has described.
const PROVIDERS: [&str; 2] = ["keyvalue.wasm", "keyvalue.core.wasm"];

#[tokio::test]
async fn what_the_consumer_wants_is_inside_and_all_of_it_works() {
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
        let said = run::in_this_process(fused.bytes()).await.unwrap();
        assert!(said.ends_with("all is as it must be\n"), "{said}");
        if let Some(said) = run::by_wasmtime(fused.bytes()) {
            assert!(said.ends_with("all is as it must be\n"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_store_behind_the_provider_is_a_third_part() {
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
    let said = run::in_this_process(fused.bytes()).await.unwrap();
    assert!(said.ends_with("all is as it must be\n"), "{said}");
    if let Some(said) = run::by_wasmtime(fused.bytes()) {
        assert!(said.ends_with("all is as it must be\n"), "{said}");
    }
}

#[tokio::test]
async fn alone_the_consumer_does_not_run() {
    let error = run::in_this_process(&bytes("keyvalue-demo.wasm")).await.unwrap_err();
    assert!(format!("{error:?}").contains("wasi:keyvalue/"), "{error:?}");
}
