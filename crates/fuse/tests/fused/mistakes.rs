//! What does not go together.

use fuse::{FuseError, Part, fuse};

use crate::bytes;

#[test]
fn a_provider_of_another_version_is_told_from_one_of_something_else() {
    let demo = bytes("keyvalue-demo.wasm");
    let demo = Part::new("demo", &demo).unwrap();
    let other = wasm(r#"(component (instance $i) (export "wasi:keyvalue/store@0.2.0-draft" (instance $i)))"#);
    let unfit = fuse(&demo, &[Part::new("old", &other).unwrap()]).err().unwrap();
    assert_eq!(
        unfit.to_string(),
        "old provides wasi:keyvalue/store@0.2.0-draft, which does not fit wasi:keyvalue/store@0.2.0-draft2 that demo imports"
    );
    let store = bytes("state-in-memory.wasm");
    let error = fuse(&demo, &[Part::new("state", &store).unwrap()]).err().unwrap();
    assert!(matches!(error, FuseError::NothingInCommon { .. }), "{error}");
    let told = error.to_string();
    assert!(told.starts_with("state provides dapr:components/state@0.1.0, but demo imports "), "{told}");
}

#[test]
fn a_provider_whose_functions_have_other_types_does_not_fit() {
    let demo = bytes("keyvalue-demo.wasm");
    let demo = Part::new("demo", &demo).unwrap();
    let empty = wasm(r#"(component (instance $i) (export "wasi:keyvalue/store@0.2.0-draft2" (instance $i)))"#);
    let error = fuse(&demo, &[Part::new("empty", &empty).unwrap()]).err().unwrap();
    assert!(matches!(error, FuseError::Unfit { .. }), "{error}");
}

#[test]
fn what_is_no_component_is_told() {
    let not_wasm = Part::new("text", b"hello").err().unwrap();
    assert!(matches!(not_wasm, FuseError::NoComponent { .. }), "{not_wasm}");
    let module = Part::new("plain", &wasm("(module)")).err();
    // A core module without a description becomes a component that has nothing.
    assert!(module.is_none_or(|error| matches!(error, FuseError::Componentise { .. })));
    let damaged = Part::new("damaged", b"\0asm\x0d\0\x01\0damaged").unwrap();
    assert!(matches!(fuse::describe(&damaged), Err(FuseError::NoComponent { .. })));
}

/// Text as binary, by way of the text parser that wasmtime has anyway.
fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}
