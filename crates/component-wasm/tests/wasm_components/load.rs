//! Files that are not components, or not the expected ones.

use component_wasm::{Digest, Engine, LoadError, OpenError, Options, WasmStateStore};

use crate::support::{engine, faulty, module, path};

async fn open(text: &str) -> Result<WasmStateStore, OpenError> {
    let module = engine().compile(&wat::parse_str(text).unwrap(), None).unwrap();
    WasmStateStore::open(&module, Options::named("text")).await
}

async fn why(text: &str) -> String {
    open(text).await.err().unwrap().to_string()
}

#[test]
fn non_components_and_damaged_ones_have_distinct_errors() {
    let load = |bytes: &[u8]| engine().compile(bytes, None).err().unwrap();
    assert!(matches!(load(b""), LoadError::NotWasm));
    assert!(matches!(load(b"#!/bin/sh\n"), LoadError::NotWasm));
    assert!(matches!(load(b"\0asm\x01\0\0\0"), LoadError::CoreModule));
    assert!(matches!(load(b"\0asm\x0d\0\x01\0damaged"), LoadError::Compile(_)));
    let mut half = std::fs::read(path("state-in-memory")).unwrap();
    half.truncate(half.len() / 2);
    assert!(matches!(load(&half), LoadError::Compile(_)));
}

#[tokio::test]
async fn missing_file_is_named() {
    let error = engine().load("gone/store.wasm", None).await.err().unwrap();
    assert!(error.to_string().starts_with("the module gone/store.wasm cannot be read: "), "{error}");
}

#[tokio::test]
async fn only_the_file_with_the_right_digest_loads() {
    let path = path("state-in-memory");
    let right = Digest::new(&std::fs::read(&path).unwrap());
    assert_eq!(engine().load(&path, Some(right)).await.unwrap().digest(), right);
    let wrong = engine().load(&path, Some(Digest::new(b"another"))).await.err().unwrap();
    let told = wrong.to_string();
    assert!(told.contains(&right.to_string()) && told.contains(&Digest::new(b"another").to_string()), "{told}");
}

#[tokio::test]
async fn compiled_component_is_loaded_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let load = async || Engine::new(Some(folder.path().to_owned())).unwrap().load(path("faulty-store"), None).await;
    load().await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    load().await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn missing_world_or_other_version_names_what_is_required() {
    assert_eq!(
        why("(component)").await,
        "the component exports no dapr:components/state@0.1.0, which the world dapr:components/state-store asks for"
    );
    for version in ["@0.2.0", "@1.0.0", ""] {
        let text = format!(r#"(component (instance $i) (export "dapr:components/state{version}" (instance $i)))"#);
        let expected = format!(
            "the component exports dapr:components/state{version}, but this host speaks dapr:components/state@0.1.0"
        );
        assert_eq!(why(&text).await, expected);
    }
}

#[tokio::test]
async fn missing_function_is_named() {
    let text = why(r#"(component (instance $i) (export "dapr:components/state@0.1.0" (instance $i)))"#).await;
    assert!(text.contains("exports no dapr:components/state@0.1.0#init"), "{text}");
}

#[tokio::test]
async fn functions_of_other_types_are_a_mismatch() {
    let functions =
        ["init", "describe", "get", "set", "delete", "bulk-get", "bulk-set", "bulk-delete", "transact", "ping"];
    let exports: String = functions.iter().map(|name| format!(r#"(export "{name}" (func $f))"#)).collect();
    let text = format!(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $c (instantiate $m))
            (func $f (canon lift (core func $c "f")))
            (instance $i {exports})
            (export "dapr:components/state@0.1.0" (instance $i)))"#
    );
    let error = open(&text).await.err().unwrap();
    assert!(matches!(error, OpenError::Mismatch(_)), "{error}");
    assert!(error.to_string().starts_with("the component does not fit the contract"), "{error}");
}

#[tokio::test]
async fn imports_without_grants_are_named() {
    let text = r#"(component
        (import "wasi:http/outgoing-handler@0.2.0" (instance))
        (import "wasi:cli/environment@0.2.0" (instance))
        (import "acme:secret/door" (instance)))"#;
    assert_eq!(
        why(text).await,
        "the component imports wasi:http/outgoing-handler@0.2.0, acme:secret/door, which nothing grants"
    );
}

#[tokio::test]
async fn component_with_sockets_needs_a_granted_host() {
    let error = faulty(|options| options.grants.hosts.clear()).await.err().unwrap();
    assert!(matches!(error, OpenError::RefusedImports { .. }), "{error}");
    let told = error.to_string();
    assert!(
        told.contains("wasi:sockets/tcp@0.2") && told.ends_with("which nothing grants; allowHosts would"),
        "{told}"
    );
}

#[tokio::test]
async fn stores_of_one_module_share_no_data() {
    use dapr_building_blocks::StateStore as _;
    use dapr_building_blocks::state::{GetRequest, SetRequest};
    let module = module("state-in-memory");
    let first = WasmStateStore::open(&module, Options::named("first")).await.unwrap();
    let second = WasmStateStore::open(&module, Options::named("second")).await.unwrap();
    first.set(SetRequest::new("k", "v")).await.unwrap();
    assert!(first.get(GetRequest::new("k")).await.unwrap().is_some());
    assert_eq!(second.get(GetRequest::new("k")).await.unwrap(), None);
}
