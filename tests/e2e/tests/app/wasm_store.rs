//! `type: state.wasm` over HTTP, as an application sees it.

use std::net::TcpListener;
use std::path::Path;

use e2e::{Process, Request, request};
use tempfile::TempDir;

/// A daprlet with one state store: the component of that name beside its YAML.
struct Store {
    daprlet: Process,
    folder: TempDir,
    port: u16,
}

impl Store {
    fn start(component: &str, properties: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("config");
        std::fs::create_dir(&config).unwrap();
        std::fs::copy(e2e::wasm(&format!("components/{component}")), config.join("store.wasm")).unwrap();
        std::fs::write(config.join("store.yaml"), yaml(properties)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let daprlet = e2e::daprlet(folder.path(), &arguments(port));
        let store = Self { daprlet, folder, port };
        store.daprlet.until(|| (store.call("GET", "healthz").send().status == 204).then_some(()));
        store
    }

    fn call(&self, method: &str, path: &str) -> Request {
        request(method, &format!("http://127.0.0.1:{}/v1.0/{path}", self.port))
    }

    fn save(&self, json: &str) -> u16 {
        self.call("POST", "state/store").body(json).send().status
    }

    fn read(&self, key: &str) -> (u16, String) {
        let answer = self.call("GET", &format!("state/store/{key}")).send();
        (answer.status, answer.text())
    }

    fn module(&self) -> impl AsRef<Path> {
        self.folder.path().join("config/store.wasm")
    }
}

fn arguments(port: u16) -> Vec<String> {
    let port = port.to_string();
    ["run", "--app-id", "a", "--dapr-http-port", &port, "--resources-path", "config"].map(str::to_owned).to_vec()
}

fn yaml(properties: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: store}}\nspec:\n  type: state.wasm\n  \
         version: v1\n  metadata:\n  - {{name: module, value: store.wasm}}\n{properties}"
    )
}

#[test]
fn wasm_store_responds_like_any_other() {
    let store = Store::start("state-in-memory", "");
    assert_eq!(store.save(r#"[{"key":"k","value":{"a":1},"metadata":{"ttlInSeconds":"3600"}}]"#), 204);
    let answer = store.call("GET", "state/store/k").send();
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"a":1}"#));
    assert!(!answer.header("metadata.ttlexpiretime").is_empty());
    let etag = answer.header("etag").to_owned();
    assert_eq!(store.save(&format!(r#"[{{"key":"k","value":2,"etag":"{etag}"}}]"#)), 204);
    let stale = store.call("POST", "state/store").body(format!(r#"[{{"key":"k","value":3,"etag":"{etag}"}}]"#)).send();
    assert_eq!((stale.status, stale.json()["errorCode"].as_str()), (409, Some("ERR_STATE_SAVE")));
    let transaction = r#"{"operations":[{"operation":"upsert","request":{"key":"l","value":"w"}},
        {"operation":"delete","request":{"key":"k"}}]}"#;
    assert_eq!(store.call("POST", "state/store/transaction").body(transaction).send().status, 204);
    assert_eq!(store.read("k"), (204, String::new()));
    let bulk = store.call("POST", "state/store/bulk").body(r#"{"keys":["l","k"]}"#).send();
    assert_eq!((bulk.status, bulk.json()[0]["data"].as_str()), (200, Some("w")));
    let metadata = store.call("GET", "metadata").send().json();
    assert_eq!(metadata["components"][0]["type"], "state.wasm");
    assert_eq!(metadata["components"][0]["capabilities"], serde_json::json!(["ETAG", "TRANSACTIONAL", "TTL", "ACTOR"]));
}

#[test]
fn trap_or_hang_in_component_fails_only_its_caller() {
    // Without a prefix, the component sees the plain key.
    let properties = "  - {name: allowHosts, value: '192.0.2.1:1'}\n  - {name: keyPrefix, value: none}\n  \
                      - {name: callTimeout, value: 300ms}\n";
    let store = Store::start("faulty-store", properties);
    assert_eq!(store.read("reads"), (200, "1".to_owned()));
    for (fault, message) in [("trap", "the component trapped during get"), ("spin", "did not answer get within 300ms")]
    {
        let answer = store.call("GET", &format!("state/store/{fault}")).send();
        assert_eq!((answer.status, answer.json()["errorCode"].as_str()), (500, Some("ERR_STATE_GET")));
        assert!(answer.text().contains(message), "{}", answer.text());
        assert_eq!(store.read("reads"), (200, "1".to_owned()), "after {fault}");
    }
    let said = store.daprlet.said();
    assert!(said.contains("component=store") && said.contains("a new instance takes its place"), "{said}");
}

#[test]
fn replaced_module_is_reloaded_without_dropped_requests() {
    let store = Store::start("state-in-memory", "");
    assert_eq!(store.save(r#"[{"key":"k","value":1}]"#), 204);
    let mut bytes = std::fs::read(store.module()).unwrap();
    bytes.extend([0, 2, 1, b'x']);
    let new = store.folder.path().join("new.wasm");
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(new, store.module()).unwrap();
    // The new instance does not have the old one's memory.
    store.daprlet.until(|| match store.read("k").0 {
        200 => None,
        204 => Some(()),
        other => panic!("a request was answered with {other}"),
    });
    assert_eq!(store.save(r#"[{"key":"k","value":2}]"#), 204);
    store.daprlet.until(|| store.daprlet.said().contains("component replaced").then_some(()));
}
