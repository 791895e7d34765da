//! Creates an application's components: resolves references, secret stores first, and retries those that are down.

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::component::{Context, CreateError};
use dapr_building_blocks::{Component, ComponentSpec, Registry, SecretStore};
use dapr_resources::component::ComponentResource;
use dapr_resources::http_endpoint::HttpEndpointResource;
use dapr_resources::value::MetadataValue;
use dapr_runtime::{Components, Sidecar};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::error::StartError;
use crate::external::Endpoint;
use crate::references::{References, ResolvedValue};

/// Metadata key that lists pending components, separated by commas.
const NOT_READY: &str = "daprletComponentsNotReady";

/// Creates the components of an application.
#[derive(Clone)]
pub(crate) struct ComponentFactory {
    pub(crate) registry: Arc<Registry>,
    pub(crate) context: Context,
}

/// Components created so far, and those to retry.
#[derive(Default)]
pub(crate) struct CreatedComponents {
    components: Components,
    secret_stores: BTreeMap<String, Arc<dyn SecretStore>>,
    pub(crate) waiting: Vec<ComponentResource>,
}

impl CreatedComponents {
    pub(crate) fn components(&self) -> Components {
        self.components.clone()
    }
}

impl ComponentFactory {
    /// Creates `resources`. A misconfigured component is an error; an unavailable one is retried.
    pub(crate) async fn create(&self, resources: &[ComponentResource]) -> Result<CreatedComponents, StartError> {
        let components = Components::in_namespace(&self.context.namespace);
        let mut made = CreatedComponents { components, ..CreatedComponents::default() };
        // Secret stores come first, because the others may refer to them.
        let (secret_stores, others): (Vec<_>, Vec<_>) =
            resources.iter().partition(|resource| resource.type_.to_ascii_lowercase().starts_with("secretstores."));
        for resource in secret_stores.into_iter().chain(others) {
            match self.create_one(resource, &mut made).await {
                Ok(()) => {}
                Err(error) if is_retryable(&error) => {
                    tracing::warn!(app = %self.context.app_id, %error, "component not ready; retrying");
                    made.waiting.push(resource.clone());
                }
                Err(error) if resource.ignore_errors => {
                    tracing::warn!(app = %self.context.app_id, %error, "component skipped (ignoreErrors)");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(made)
    }

    /// Retries pending components, and adds each to the sidecar once created.
    pub(crate) async fn retry(self, mut made: CreatedComponents, sidecar: Arc<Sidecar>, shutdown: CancellationToken) {
        let mut backoff = Backoff::new();
        while !made.waiting.is_empty() {
            let names: Vec<_> = made.waiting.iter().map(|resource| resource.name.as_str()).collect();
            sidecar.set_extended_metadata(NOT_READY.to_owned(), names.join(","));
            tokio::select! {
                () = tokio::time::sleep(backoff.next()) => {}
                () = shutdown.cancelled() => return,
            }
            for resource in std::mem::take(&mut made.waiting) {
                match self.create_one(&resource, &mut made).await {
                    Ok(()) => {
                        sidecar.set_components(made.components());
                        tracing::info!(app = %self.context.app_id, component = %resource.name, "component ready");
                    }
                    Err(error) if is_retryable(&error) => made.waiting.push(resource),
                    Err(error) => tracing::error!(app = %self.context.app_id, %error, "component failed permanently"),
                }
            }
        }
        sidecar.set_extended_metadata(NOT_READY.to_owned(), String::new());
    }

    async fn create_one(&self, resource: &ComponentResource, made: &mut CreatedComponents) -> Result<(), StartError> {
        let spec = self.resolve(resource, made).await?;
        let failed = |source| StartError::Component {
            app: self.context.app_id.clone(),
            origin: resource.origin.clone(),
            source: Box::new(source),
        };
        let creating = self.registry.create(spec.clone(), self.context.clone());
        let component = match tokio::time::timeout(resource.init_timeout, creating).await {
            Ok(created) => created.map_err(failed)?,
            Err(_) => {
                let source = dapr_building_blocks::InitError::unavailable(format!(
                    "it was not ready within {:?}",
                    resource.init_timeout
                ));
                return Err(failed(CreateError::Init { name: spec.name, type_: spec.type_, source }));
            }
        };
        self.add(resource, &spec, &component, made)
    }

    fn add(
        &self,
        resource: &ComponentResource,
        spec: &ComponentSpec,
        component: &Component,
        made: &mut CreatedComponents,
    ) -> Result<(), StartError> {
        made.components.add(spec, component).map_err(|error| self.reference(resource, error.to_string()))?;
        if let Some(store) = &component.secret_store {
            made.secret_stores.insert(spec.name.clone(), store.clone());
        }
        Ok(())
    }

    /// Builds the specification of `resource` with every reference resolved.
    pub(crate) async fn resolve(
        &self,
        resource: &ComponentResource,
        made: &CreatedComponents,
    ) -> Result<ComponentSpec, StartError> {
        let mut spec = ComponentSpec {
            name: resource.name.clone(),
            type_: resource.type_.clone(),
            version: resource.version.clone(),
            folder: resource.folder.clone(),
            ..ComponentSpec::default()
        };
        let references = self.references(made, resource.secret_store.as_deref());
        for item in &resource.metadata {
            if let MetadataValue::SecretKeyRef { name, .. } = &item.value {
                spec.secret_names.insert(item.name.to_ascii_lowercase(), name.clone());
            }
            let resolved = references.resolve(&item.value).await.and_then(|value| references.expand(value));
            let failed = |why: String| self.reference(resource, format!("metadata {:?}: {why}", item.name));
            match resolved.map_err(failed)? {
                ResolvedValue::Plain(text) => spec.properties.push_plain(&item.name, text),
                ResolvedValue::Secret(value) => spec.properties.push_secret(&item.name, value),
            }
        }
        Ok(spec)
    }

    /// Creates the HTTPEndpoints that `resources` describe.
    pub(crate) async fn endpoints(
        &self,
        resources: &[HttpEndpointResource],
        made: &CreatedComponents,
    ) -> Result<BTreeMap<String, Endpoint>, StartError> {
        let mut endpoints = BTreeMap::new();
        for resource in resources {
            let references = self.references(made, resource.secret_store.as_deref());
            let endpoint = Endpoint::new(resource, references).await.map_err(|why| StartError::Reference {
                app: self.context.app_id.clone(),
                origin: resource.origin.clone(),
                what: format!("HTTPEndpoint {:?}", resource.name),
                why,
            })?;
            endpoints.insert(resource.name.clone(), endpoint);
        }
        Ok(endpoints)
    }

    /// Resolver for references in a resource of this application, with secrets from `store`.
    fn references<'a>(&'a self, made: &'a CreatedComponents, store: Option<&'a str>) -> References<'a> {
        References { context: &self.context, stores: &made.secret_stores, store }
    }

    fn reference(&self, resource: &ComponentResource, why: String) -> StartError {
        StartError::Reference {
            app: self.context.app_id.clone(),
            origin: resource.origin.clone(),
            what: format!("component {:?}", resource.name),
            why,
        }
    }
}

fn is_retryable(error: &StartError) -> bool {
    matches!(error, StartError::Component { source, .. } if source.is_retryable())
}
