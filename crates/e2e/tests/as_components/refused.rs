//! Components that do not start, and what is said about them.

use e2e::daprlet;

/// What `daprlet run` says to a component with that text, and its exit code.
fn told(text: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("odd.wasm"), wat::parse_str(text).unwrap()).unwrap();
    let command =
        ["run", "--app-id", "odd", "--app-port", "0", "--dapr-http-port", "0", "wasmtime", "serve", "odd.wasm"];
    let process = daprlet(folder.path(), &command.map(str::to_owned));
    let status = process.wait();
    (status.code().unwrap(), process.said())
}

#[test]
fn a_component_that_is_no_service_is_told_what_it_lacks() {
    let (code, said) = told("(component)");
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("app odd: ") && said.contains("wasi:http/incoming-handler"), "{said}");
}

#[test]
fn an_import_that_nobody_gives_is_named() {
    let (code, said) = told(r#"(component (import "acme:magic/wand@1.0.0" (instance (export "wave" (func)))))"#);
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("acme:magic/wand@1.0.0"), "{said}");
}

#[test]
fn a_core_module_under_wasmtime_serve_is_told_apart() {
    let (code, said) = told("(module)");
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("cannot be compiled"), "{said}");
}
