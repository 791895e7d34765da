//! `daprlet component serve`, and a daprlet that uses the served components.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Process, Request, request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

/// A socket directory, processes that serve components, and a daprlet that uses them.
struct Deployment {
    daprlet: Process,
    serving: Vec<Process>,
    port: u16,
    /// Directory with sockets and data.
    _folder: TempDir,
}

/// Serves a component under that name, with these flags.
fn serve(folder: &Path, name: &str, flags: &[&str]) -> Process {
    let socket = socket(folder, name);
    let mut arguments = vec!["component", "serve", "--socket", socket.to_str().unwrap()];
    arguments.extend_from_slice(flags);
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    let serving = e2e::daprlet(folder, &arguments);
    serving.until(|| serving.said().contains("in Dapr it is type: ").then_some(()));
    serving
}

fn socket(folder: &Path, name: &str) -> PathBuf {
    folder.join("sockets").join(name).with_extension("sock")
}

fn yaml(name: &str, type_: &str, metadata: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec:\n  type: {type_}\n  version: v1\n  \
         metadata: [{metadata}]\n"
    )
}

impl Deployment {
    fn start(served: &[(&str, &[&str])], components: &[(&str, &str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("config")).unwrap();
        std::fs::write(folder.path().join("secrets.env"), "KEY=hunter2\n").unwrap();
        for (name, type_, metadata) in components {
            std::fs::write(folder.path().join("config").join(name).with_extension("yaml"), yaml(name, type_, metadata))
                .unwrap();
        }
        let serving = served.iter().map(|(name, flags)| serve(folder.path(), name, flags)).collect();
        let [port] = e2e::free_ports();
        let mut command = Command::new(e2e::program());
        command.args(["run", "--app-id", "a", "--resources-path", "config", "--dapr-http-port", &port.to_string()]);
        command.env("DAPR_COMPONENTS_SOCKETS_FOLDER", folder.path().join("sockets")).current_dir(folder.path());
        let deployment = Self { daprlet: Process::spawn(&mut command), serving, port, _folder: folder };
        deployment.daprlet.until(|| (deployment.call("GET", "healthz").send().status == 204).then_some(()));
        deployment
    }

    fn call(&self, method: &str, path: &str) -> Request {
        request(method, &format!("http://127.0.0.1:{}/v1.0/{path}", self.port))
    }
}

fn module(name: &str) -> String {
    e2e::wasm(&format!("components/{name}")).display().to_string()
}

#[test]
fn served_wasm_store_works_in_another_daprlet() {
    let module = module("state-in-memory");
    let deployment = Deployment::start(&[("store", &["--module", &module])], &[("store", "state.store", "")]);
    let save = |json: &str| deployment.call("POST", "state/store").body(json).send().status;
    assert_eq!(save(r#"[{"key":"k","value":{"a":1},"metadata":{"ttlInSeconds":"3600"}}]"#), 204);
    let answer = deployment.call("GET", "state/store/k").send();
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"a":1}"#));
    assert!(!answer.header("metadata.ttlexpiretime").is_empty());
    let etag = answer.header("etag").to_owned();
    assert_eq!(save(&format!(r#"[{{"key":"k","value":2,"etag":"{etag}"}}]"#)), 204);
    assert_eq!(save(&format!(r#"[{{"key":"k","value":3,"etag":"{etag}"}}]"#)), 409);
    let transaction = r#"{"operations":[{"operation":"delete","request":{"key":"k"}}]}"#;
    assert_eq!(deployment.call("POST", "state/store/transaction").body(transaction).send().status, 204);
    assert_eq!(deployment.call("GET", "state/store/k").send().status, 204);
    let metadata = deployment.call("GET", "metadata").send().json();
    assert_eq!(metadata["components"][0]["type"], "state.store");
}

#[test]
fn served_secrets_and_bindings_get_flag_grants() {
    let (secrets, echo) = (module("secrets-env-file"), module("echo-binding"));
    let served: [(&str, &[&str]); 2] = [
        ("vault", &["--module", &secrets, "--allow-dirs", "here:.:readonly"]),
        ("echo", &["--module", &echo, "--memory-limit", "16Mi"]),
    ];
    let path = "{name: path, value: here/secrets.env}";
    let deployment =
        Deployment::start(&served, &[("vault", "secretstores.vault", path), ("echo", "bindings.echo", "")]);
    assert_eq!(deployment.call("GET", "secrets/vault/KEY").send().json(), json!({"KEY": "hunter2"}));
    let answer = deployment.call("POST", "bindings/echo").body(r#"{"operation":"echo","data":{"a":1}}"#).send();
    assert_eq!((answer.status, answer.json()), (200, json!({"a": 1})));
    let unknown = deployment.call("POST", "bindings/echo").body(r#"{"operation":"none"}"#).send();
    assert_eq!((unknown.status, unknown.json()["errorCode"].as_str()), (500, Some("ERR_INVOKE_OUTPUT_BINDING")));
    let all = deployment.serving.iter().chain([&deployment.daprlet]).map(Process::said).collect::<String>();
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn yaml_cannot_extend_flag_grants() {
    let folder = TempDir::new().unwrap();
    let module = module("state-in-memory");
    let _serving = serve(folder.path(), "store", &["--module", &module]);
    std::fs::create_dir(folder.path().join("config")).unwrap();
    let yaml = yaml("store", "state.store", "{name: allowHosts, value: '*:*'}");
    std::fs::write(folder.path().join("config/store.yaml"), yaml).unwrap();
    let mut command = Command::new(e2e::program());
    command.args(["run", "--app-id", "a", "--resources-path", "config"]);
    command.env("DAPR_COMPONENTS_SOCKETS_FOLDER", folder.path().join("sockets")).current_dir(folder.path());
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(64), "{said}");
    assert!(said.contains("\"allowHosts\" is set by the flags"), "{said}");
}

#[test]
fn server_removes_its_socket_on_exit() {
    let folder = TempDir::new().unwrap();
    let serving = serve(folder.path(), "memory", &["--type", "state.in-memory"]);
    assert!(socket(folder.path(), "memory").exists());
    let id = Pid::from_raw(i32::try_from(serving.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
    assert!(serving.wait().success(), "{}", serving.said());
    assert!(!socket(folder.path(), "memory").exists());
}

#[test]
fn unservable_component_fails_at_once() {
    let folder = TempDir::new().unwrap();
    let refused = |flags: &[&str], message: &str| {
        let mut command = Command::new(e2e::program());
        command.args(["component", "serve", "--socket", "s.sock"]).args(flags).current_dir(folder.path());
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains(message), "{said} does not say {message:?}");
    };
    refused(&["--module", "none.wasm"], "none.wasm");
    refused(&["--type", "state.sqllite"], "did you mean state.sqlite?");
    refused(&["--type", "bindings.cron"], "Dapr has bindings.cron itself");
    refused(&["--module", &module("keyvalue")], "of no world of dapr:components");
    refused(&["--module", &e2e::wasm("plain-udp").display().to_string()], "a core module and no component");
    refused(&[], "--module <FILE>");
    std::fs::write(folder.path().join("s.sock"), "mine").unwrap();
    refused(&["--type", "state.in-memory"], "s.sock exists and is not a socket");
}
