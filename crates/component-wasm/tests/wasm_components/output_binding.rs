//! Output bindings implemented by components.

use component_wasm::{Limits, Options, WasmOutputBinding, World};
use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use dapr_building_blocks::component::CreateError;
use dapr_building_blocks::{Component, ComponentSpec, Context, Metadata, OutputBinding as _, Registry};

use crate::support::{module, path};

async fn create(module: &str, properties: &[(&str, &str)]) -> Result<Component, CreateError> {
    let mut registry = Registry::default();
    component_wasm::register(&mut registry, None);
    let module = path(module).canonicalize().unwrap();
    let mut all = vec![("module", module.to_str().unwrap())];
    all.extend_from_slice(properties);
    let spec = ComponentSpec {
        name: "echo".into(),
        type_: component_wasm::component_type(World::OutputBinding).into(),
        properties: all.into_iter().collect(),
        ..ComponentSpec::default()
    };
    registry.create(spec, Context::default()).await
}

fn asked(operation: &str, data: &'static str) -> InvokeRequest {
    let metadata = Metadata::from([("name".to_owned(), "value".to_owned())]);
    InvokeRequest { operation: operation.to_owned(), data: data.into(), metadata }
}

#[tokio::test]
async fn operation_gets_request_and_returns_response() {
    let binding = create("echo-binding", &[]).await.unwrap().output_binding.unwrap();
    assert_eq!(binding.operations(), ["echo", "count", "refuse", "trap"]);
    let request = asked("echo", "{}");
    let answer = InvokeResponse { data: Some("{}".into()), metadata: request.metadata.clone() };
    assert_eq!(binding.invoke(request).await.unwrap(), answer);
    assert_eq!(binding.invoke(asked("echo", "")).await.unwrap().data, None);
    assert_eq!(binding.invoke(asked("count", "")).await.unwrap().data.unwrap(), "3", "its memory lasts");
}

#[tokio::test]
async fn error_and_trap_differ_and_the_next_call_succeeds() {
    let binding = create("echo-binding", &[]).await.unwrap().output_binding.unwrap();
    let refused = binding.invoke(asked("refuse", "")).await.unwrap_err();
    assert!(matches!(&refused, BindingError::InvalidRequest(why) if why == "no refuse today"), "{refused}");
    let trapped = binding.invoke(asked("trap", "")).await.unwrap_err().to_string();
    assert!(trapped.contains("the component trapped during invoke"), "{trapped}");
    assert_eq!(binding.invoke(asked("count", "")).await.unwrap().data.unwrap(), "1", "a new instance");
}

#[tokio::test]
async fn too_large_request_is_rejected_before_the_call() {
    let limits = Limits { memory: 4 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::named("small") };
    let binding = WasmOutputBinding::open(&module("echo-binding"), options).await.unwrap();
    let request = InvokeRequest { data: vec![0; 2 << 20].into(), ..asked("echo", "") };
    let refused = binding.invoke(request).await.unwrap_err();
    assert!(
        matches!(&refused, BindingError::InvalidRequest(why) if why.contains("takes 1048576 at once")),
        "{refused}"
    );
    assert_eq!(binding.invoke(asked("count", "")).await.unwrap().data.unwrap(), "1", "it was not asked");
}

#[tokio::test]
async fn non_binding_or_rejected_properties_are_errors() {
    let error = create("state-in-memory", &[]).await.err().unwrap();
    assert!(error.to_string().contains("exports no dapr:components/binding@0.1.0"), "{error}");
    let error = create("echo-binding", &[("refuse", "x")]).await.err().unwrap();
    assert!(error.to_string().contains("property \"refuse\" is refused") && !error.is_retryable(), "{error}");
}
