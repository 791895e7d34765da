//! Parts that cannot be composed.

use compose::{FuseError, Part, fuse};

use crate::bytes;

#[test]
fn wrong_version_and_unrelated_provider_differ() {
    let demo = bytes("keyvalue-demo.wasm");
    let demo = Part::new("demo", &demo).unwrap();
    let other = wasm(r#"(component (instance $i) (export "wasi:keyvalue/store@0.2.0-draft" (instance $i)))"#);
    let incompatible = fuse(&demo, &[Part::new("old", &other).unwrap()]).err().unwrap();
    assert_eq!(
        incompatible.to_string(),
        "old provides wasi:keyvalue/store@0.2.0-draft, which does not fit wasi:keyvalue/store@0.2.0-draft2 that demo imports"
    );
    let store = bytes("state-in-memory.wasm");
    let error = fuse(&demo, &[Part::new("state", &store).unwrap()]).err().unwrap();
    assert!(matches!(error, FuseError::NoMatchingInterface { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("state provides dapr:components/state@0.1.0, but demo imports "), "{text}");
}

#[test]
fn provider_with_other_function_types_does_not_fit() {
    let demo = bytes("keyvalue-demo.wasm");
    let demo = Part::new("demo", &demo).unwrap();
    let empty = wasm(r#"(component (instance $i) (export "wasi:keyvalue/store@0.2.0-draft2" (instance $i)))"#);
    let error = fuse(&demo, &[Part::new("empty", &empty).unwrap()]).err().unwrap();
    assert!(matches!(error, FuseError::Incompatible { .. }), "{error}");
}

#[test]
fn invalid_component_is_reported() {
    let not_wasm = Part::new("text", b"hello").err().unwrap();
    assert!(matches!(not_wasm, FuseError::InvalidComponent { .. }), "{not_wasm}");
    let module = Part::new("plain", &wasm("(module)")).err();
    // A core module without metadata becomes an empty component.
    assert!(module.is_none_or(|error| matches!(error, FuseError::Componentise { .. })));
    let damaged = Part::new("damaged", b"\0asm\x0d\0\x01\0damaged").unwrap();
    assert!(matches!(compose::describe(&damaged), Err(FuseError::InvalidComponent { .. })));
}

/// Parses WAT.
fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}
