//! Components that do not start, and their error messages.

use e2e::daprlet;

/// Returns the output of `daprlet run` for a component with that text, and its exit code.
fn output_of(text: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("odd.wasm"), wat::parse_str(text).unwrap()).unwrap();
    let command =
        ["run", "--app-id", "odd", "--app-port", "0", "--dapr-http-port", "0", "wasmtime", "serve", "odd.wasm"];
    let process = daprlet(folder.path(), &command.map(str::to_owned));
    let status = process.wait();
    (status.code().unwrap(), process.said())
}

#[test]
fn non_service_component_error_names_the_missing_export() {
    let (code, said) = output_of("(component)");
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("app odd: ") && said.contains("wasi:http/incoming-handler"), "{said}");
}

#[test]
fn unknown_import_is_named() {
    let (code, said) = output_of(r#"(component (import "acme:magic/wand@1.0.0" (instance (export "wave" (func)))))"#);
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("acme:magic/wand@1.0.0"), "{said}");
}

#[test]
fn core_module_under_wasmtime_serve_is_an_error() {
    let (code, said) = output_of("(module)");
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("cannot be compiled"), "{said}");
}
