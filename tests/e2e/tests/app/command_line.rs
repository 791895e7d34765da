//! Errors on the command line and in files: all reported at once, with exit code 64.

use std::path::Path;

/// A module without anything in it.
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn ends_with(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
    let daprlet = e2e::daprlet(folder, &arguments);
    let code = daprlet.wait().code();
    (code, daprlet.said())
}

fn check(dapr_yaml: &str, component: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(folder.path().join("dapr.yaml"), dapr_yaml).unwrap();
    std::fs::write(folder.path().join("config/c.yaml"), component).unwrap();
    std::fs::write(folder.path().join("x.wasm"), EMPTY_MODULE).unwrap();
    let daprlet = e2e::daprlet(folder.path(), &["run".to_owned(), "-f".to_owned(), "dapr.yaml".to_owned()]);
    let code = daprlet.wait().code();
    let missing = || expected.iter().find(|it| !daprlet.said().contains(**it));
    assert_eq!((code, missing()), (Some(64), None), "{}", daprlet.said());
}

const COMPONENT: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: c}
spec: {type: state.in-memory, version: v1}
";

fn app(command: &str) -> String {
    format!("version: 1\ncommon: {{resourcesPath: config}}\napps:\n- {{appID: a, appDirPath: ., command: {command}}}\n")
}

#[test]
fn errors_have_file_and_line() {
    check("version: 1\napps:\n- {appDirPath: gone, appPort: x}\n", COMPONENT, &["2 errors", "dapr.yaml:3"]);
    check("version: [1\n", COMPONENT, &["dapr.yaml:", "not valid YAML"]);
    check(&app("[wasmedge, --frobnicate, x.wasm]"), COMPONENT, &["dapr.yaml:4", "unknown option --frobnicate"]);
    let none = app("[], env: {DAPRLET_INSTANCES: 0}");
    check(&none, COMPONENT, &["dapr.yaml:4", "DAPRLET_INSTANCES is \"0\": it must be a number from 1"]);
}

#[test]
fn unknown_component_type_suggests_the_nearest() {
    let component = COMPONENT.replace("state.in-memory", "state.inmemory");
    check(&app("[]"), &component, &["c.yaml:1", "state.inmemory", "did you mean \"state.in-memory\"?"]);
}

#[test]
fn missing_or_invalid_module_is_an_error_with_its_path() {
    check(&app("[wasmedge, gone.wasm]"), COMPONENT, &["gone.wasm", "No such file"]);
    check(&app("[wasmedge, dapr.yaml]"), COMPONENT, &["dapr.yaml", "no WebAssembly module"]);
}

#[test]
fn missing_or_invalid_network_is_an_error_with_its_path() {
    let preload = |file: &str| app(&format!("[wasmedge, --nn-preload, \"a:ONNX:CPU:{file}\", x.wasm]"));
    check(&preload("gone.onnx"), COMPONENT, &["gone.onnx", "cannot be read", "No such file"]);
    check(&preload("dapr.yaml"), COMPONENT, &["dapr.yaml", "not a supported ONNX graph"]);
    check(&app("[wasmedge, --nn-preload, \"a:GGML:AUTO:x\", x.wasm]"), COMPONENT, &["--nn-preload cannot be", "ONNX"]);
    let folder = app("[wasmtime, serve, -Snn, \"-Snn-graph=onnx::gone\", x.wasm]");
    check(&folder, COMPONENT, &["gone/model.onnx", "cannot be read"]);
}

#[test]
fn missing_file_or_application_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ends_with(folder.path(), &["run", "-f", "gone.yaml"]).0, Some(64));
    assert_eq!(ends_with(folder.path(), &["run"]).0, Some(64));
}

#[test]
fn missing_program_is_reported_before_anything_starts() {
    check(
        &app("[no-such-program-anywhere, x]"),
        COMPONENT,
        &["dapr.yaml:4", "app a: command: no-such-program-anywhere"],
    );
    check(&app("[./gone.sh]"), COMPONENT, &["app a: command: ./gone.sh"]);
}

#[test]
fn unknown_option_is_not_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = ends_with(folder.path(), &["run", "--app-id", "a", "--frobnicate", "sleep", "9"]);
    assert!(code == Some(64) && said.contains("unknown option --frobnicate"), "{code:?} {said}");
    let (code, said) = ends_with(folder.path(), &["run", "-f", "dapr.yaml", "--frobnicate"]);
    assert!(code == Some(64) && said.contains("unknown option --frobnicate"), "{code:?} {said}");
    let (code, said) = ends_with(folder.path(), &["run", "-f", "dapr.yaml", "sleep", "9"]);
    assert!(code == Some(64) && said.contains("a run template already contains commands"), "{code:?} {said}");
}

#[test]
fn flags_without_effect_are_listed_once() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "run --app-id a -G 50001 --metrics-port=9090 --app-protocol http --enable-profiling=false -- true";
    let (code, said) = ends_with(folder.path(), &flags.split(' ').collect::<Vec<_>>());
    assert_eq!(code, Some(0), "{said}");
    let list = "3 settings are without effect:\n  --dapr-grpc-port\n  --metrics-port\n  --enable-profiling";
    assert!(said.contains(list), "{said}");
}

#[test]
fn flag_that_cannot_be_honoured_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for flags in ["--app-protocol grpc", "--app-ssl", "--app-id a.b"] {
        let arguments: Vec<_> =
            ["run", "--app-id", "a"].into_iter().chain(flags.split(' ')).chain(["--", "true"]).collect();
        let (code, said) = ends_with(folder.path(), &arguments);
        assert!(code == Some(64) && said.contains(flags.split(' ').next().unwrap()), "{flags}: {code:?} {said}");
    }
}

#[test]
fn misspelled_option_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = ends_with(folder.path(), &["run", "--app-id", "a", "--app-prot", "9"]);
    assert!(code == Some(64) && said.contains("did you mean --app-port?"), "{code:?} {said}");
}

#[test]
fn unknown_fields_are_warnings_and_errors_when_strict() {
    let folder = tempfile::tempdir().unwrap();
    let template = "version: 1\napps:\n- {appID: a, appDirPath: ., appport: 1}\n";
    std::fs::write(folder.path().join("dapr.yaml"), template).unwrap();
    let (code, said) = ends_with(folder.path(), &["run", "-f", "dapr.yaml", "--strict"]);
    assert!(code == Some(64) && said.contains("dapr.yaml:3: apps[0].appport: unknown field"), "{code:?} {said}");
    let daprlet = e2e::daprlet(folder.path(), &["run", "-f", "dapr.yaml"].map(str::to_owned));
    let warning =
        "without effect: dapr.yaml:3: apps[0].appport: unknown field; it has no effect; it is written appPort";
    daprlet.until(|| (daprlet.said().contains(warning) && daprlet.said().contains("Ready:")).then_some(()));
}

#[test]
fn taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let daprlet = e2e::daprlet(
        folder.path(),
        &["run", "--app-id", "a", "--dapr-http-port", &port.to_string()].map(str::to_owned),
    );
    assert_eq!(daprlet.wait().code(), Some(1));
    let expected = format!("cannot listen on 127.0.0.1:{port}");
    for _ in 0..1000 {
        if daprlet.said().contains(&expected) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    panic!("{}", daprlet.said());
}

#[test]
fn help_names_examples_and_version_lists_components() {
    let folder = tempfile::tempdir().unwrap();
    let help = std::process::Command::new(e2e::program()).args(["run", "--help"]).current_dir(folder.path()).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    assert!(help.contains("daprlet run -f dapr.yaml") && help.contains("--components-path"), "{help}");
    let version = std::process::Command::new(e2e::program()).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert!(version.contains("state.sqlite") && version.contains("bindings.cron"), "{version}");
}

#[test]
fn unusable_wasm_component_is_reported_with_yaml_location() {
    let component = |module: &str| {
        COMPONENT.replace(
            "{type: state.in-memory, version: v1}",
            &format!("{{type: state.wasm, version: v1, metadata: [{{name: module, value: {module}}}]}}"),
        )
    };
    check(&app("[]"), &component("gone.wasm"), &["c.yaml:1", "config/gone.wasm cannot be read"]);
    let faulty = e2e::wasm("components/faulty-store");
    check(&app("[]"), &component(&faulty.display().to_string()), &["c.yaml:1", "wasi:sockets/", "allowHosts would"]);
}
