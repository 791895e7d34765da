//! The component `middleware.http.wasm`, as `components-contrib/middleware/http/wasm` configures it.

use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Registry};

use crate::{HttpWasm, Options};

/// Registers `middleware.http.wasm`.
pub fn register(registry: &mut Registry) {
    registry.register("middleware.http.wasm", create);
}

async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let options = Options {
        guest_config: spec.properties.get("guestConfig").unwrap_or_default().to_owned(),
        strict_sandbox: spec.properties.bool("strictSandbox")?.unwrap_or_default(),
        ..Options::default()
    };
    let module = read_module(spec.properties.required("url")?, &context).await?;
    let middleware = HttpWasm::new(module, Options { name: spec.name, ..options }).await;
    middleware.map(Component::from_http_middleware).map_err(InitError::misconfigured)
}

/// Reads the module at `url`: `file://PATH`, relative to the application's directory, or a web address.
async fn read_module(url: &str, context: &Context) -> Result<Vec<u8>, InitError> {
    let read = match url.split_once("://") {
        Some(("file", path)) => {
            let path = context.resolve(path);
            tokio::fs::read(&path).await.map_err(|error| format!("reading {}: {error}", path.display()))
        }
        Some(("http" | "https", _)) => {
            context.documents()?.get(url).await.map(Into::into).map_err(|error| format!("GET {url}: {error}"))
        }
        _ => Err(format!("property url is {url:?}: write file://PATH, http://ADDRESS or https://ADDRESS")),
    };
    read.map_err(InitError::misconfigured)
}
