//! Middleware in front of the Dapr API, and in front of an application.

use e2e::{free_ports, request};

const RESOURCES: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: alias}
spec: {type: middleware.http.routeralias, version: v1, metadata: [{name: routes, value: '{\"/who\":\"/v1.0/metadata\"}'}]}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: once}
spec: {type: middleware.http.ratelimit, version: v1, metadata: [{name: maxRequestsPerSecond, value: '0.001'}]}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: store}
spec: {type: state.in-memory, version: v1}
";

fn with_pipeline(handlers: &str) -> (tempfile::TempDir, u16, e2e::Process) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("components.yaml"), RESOURCES).unwrap();
    std::fs::create_dir(folder.path().join("configuration")).unwrap();
    let configuration = format!("kind: Configuration\nspec: {{httpPipeline: {{handlers: [{handlers}]}}}}\n");
    std::fs::write(folder.path().join("configuration/c.yaml"), configuration).unwrap();
    let [port] = free_ports();
    let arguments =
        ["run", "--app-id", "a", "--dapr-http-port", &port.to_string(), "-d", ".", "-c", "configuration/c.yaml"];
    let daprlet = e2e::daprlet(folder.path(), &arguments.map(str::to_owned));
    (folder, port, daprlet)
}

#[test]
fn requests_pass_the_pipeline_and_health_does_not() {
    let pipeline = "{name: once, type: middleware.http.ratelimit}, {name: alias, type: middleware.http.routeralias}";
    let (_folder, port, daprlet) = with_pipeline(pipeline);
    let get = |path: &str| request("GET", &format!("http://127.0.0.1:{port}{path}")).send();
    daprlet.until(|| (get("/v1.0/healthz").status == 204).then_some(()));
    assert_eq!(get("/who").json()["id"], "a");
    let limited = get("/who");
    assert_eq!((limited.status, limited.text().as_str()), (429, "You have reached maximum request limit."));
    assert_eq!(get("/v1.0/healthz").status, 204);
}

#[test]
fn pipeline_that_cannot_be_served_ends_the_start() {
    for (handler, expected) in [
        ("{name: x, type: middleware.http.oauth2}", "is no middleware of daprlet"),
        ("{name: missing, type: middleware.http.uppercase}", "no component of this application has this name"),
        ("{name: alias, type: middleware.http.routeralias, selector: {}}", "selector: unknown field"),
    ] {
        let (_folder, _, daprlet) = with_pipeline(handler);
        assert_eq!(daprlet.wait().code(), Some(64), "{handler}");
        assert!(daprlet.said().contains(expected), "{handler}: {}", daprlet.said());
    }
}
