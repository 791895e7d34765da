//! Creates the middleware of an application's pipelines from its components.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_api_http::middleware::{self, Bearer, Fetch, Middleware, Pipeline};
use dapr_building_blocks::{ComponentSpec, Properties};
use dapr_resources::component::ComponentResource;
use dapr_resources::configuration::Handler;
use http_wasm::HttpWasm;

use crate::components::{ComponentFactory, CreatedComponents};
use crate::error::StartError;
use crate::external;

/// Type prefix of HTTP middleware.
const PREFIX: &str = "middleware.http.";
/// Timeout for fetching a document or module.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

impl ComponentFactory {
    /// Creates the pipeline of `handlers`, whose components are among `resources`.
    pub(crate) async fn pipeline(
        &self,
        handlers: &[Handler],
        resources: &[ComponentResource],
        made: &CreatedComponents,
    ) -> Result<Pipeline, StartError> {
        let mut pipeline = Vec::new();
        for handler in handlers {
            let error = |origin: &str, why: String| StartError::Reference {
                app: self.context.app_id.clone(),
                origin: origin.to_owned(),
                what: format!("middleware {:?}", handler.name),
                why,
            };
            let is_its = |resource: &&ComponentResource| {
                resource.name == handler.name && resource.type_.eq_ignore_ascii_case(&handler.type_)
            };
            let resource = resources.iter().find(is_its).ok_or_else(|| {
                error(
                    &handler.origin,
                    format!("no component of this application has this name and type {}", handler.type_),
                )
            })?;
            let spec = self.resolve(resource, made).await?;
            let created = self.middleware(&spec).await.map_err(|why| error(&resource.origin, why))?;
            pipeline.push(created);
        }
        Ok(Pipeline::new(pipeline))
    }

    async fn middleware(&self, spec: &ComponentSpec) -> Result<Arc<dyn Middleware>, String> {
        let type_ = spec.type_.to_ascii_lowercase();
        match type_.strip_prefix(PREFIX).unwrap_or(&type_) {
            "bearer" => Ok(Arc::new(Bearer::new(&spec.properties, Arc::new(Client)).await?)),
            "wasm" => {
                let is_strict = spec.properties.bool("strictSandbox").map_err(|error| error.to_string())?;
                let module = module(&spec.properties, &self.context.base_dir).await?;
                let options = http_wasm::Options {
                    name: spec.name.clone(),
                    guest_config: spec.properties.get("guestConfig").unwrap_or_default().to_owned(),
                    strict_sandbox: is_strict.unwrap_or_default(),
                    ..http_wasm::Options::default()
                };
                Ok(Arc::new(HttpWasm::new(module, options).await?))
            }
            name => middleware::create(name, &spec.properties),
        }
    }
}

/// Reads the module that property `url` names: `file://PATH`, relative to the application's directory, or a web
/// address.
async fn module(properties: &Properties, base_dir: &Path) -> Result<Vec<u8>, String> {
    let url = properties.required("url").map_err(|error| error.to_string())?;
    match url.split_once("://") {
        Some(("file", path)) => {
            let path = base_dir.join(path);
            tokio::fs::read(&path).await.map_err(|error| format!("reading {}: {error}", path.display()))
        }
        Some(("http" | "https", _)) => {
            let fetched = Client.get(url).await.map_err(|error| format!("GET {url}: {error}"));
            fetched.map(Into::into)
        }
        _ => Err(format!("property url is {url:?}: write file://PATH, http://ADDRESS or https://ADDRESS")),
    }
}

/// Fetches documents that components name by URL. Writing a URL into the resources allows fetching it.
struct Client;

#[async_trait]
impl Fetch for Client {
    async fn get(&self, url: &str) -> Result<Bytes, String> {
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, external::get(url)).await;
        fetched.map_err(|_| format!("no response within {FETCH_TIMEOUT:?}"))?
    }
}
