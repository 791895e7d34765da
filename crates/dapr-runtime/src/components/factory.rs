//! Creates an application's components: resolves references, secret stores first. See [`maintain`] for what follows.

mod maintain;

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::component::{Context, CreateError};
use dapr_building_blocks::middleware::Pipeline;
use dapr_building_blocks::{Component, ComponentSpec, HttpMiddleware, Registry, SecretStore};
use dapr_resources::component::ComponentResource;
use dapr_resources::configuration::Handler;
use dapr_resources::http_endpoint::HttpEndpointResource;
use dapr_resources::resiliency::ResiliencyResource;
use dapr_resources::subscription::{RuleResource, SubscriptionResource};
use dapr_resources::value::MetadataValue;

use super::references::ResolvedValue;
use super::{Components, References};
use crate::external::Endpoint;
use crate::resiliency::Resiliency;
use crate::{BulkSubscribe, Rule, Sidecar, Subscription, SubscriptionKind};

/// Creates the components of an application.
#[derive(Clone)]
pub struct ComponentFactory {
    /// Component types.
    pub registry: Arc<Registry>,
    /// The application.
    pub context: Context,
}

/// An error of a resource. It names the application and the position of the resource.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// A component cannot be created.
    #[error("app {app}: {origin}: {source}")]
    Component {
        /// App id.
        app: String,
        /// Origin of its YAML.
        origin: String,
        /// Error of the component.
        source: Box<CreateError>,
    },
    /// A resource's reference cannot be resolved, or its value is invalid.
    #[error("app {app}: {origin}: {what}: {why}")]
    Reference {
        /// App id.
        app: String,
        /// Origin of its YAML.
        origin: String,
        /// Kind and name of the resource.
        what: String,
        /// Reason.
        why: String,
    },
}

impl ResourceError {
    /// Returns whether a later attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Component { source, .. } if source.is_retryable())
    }
}

/// Resources that an application sees, and the pipelines of its Configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppResources {
    /// Components.
    pub components: Vec<ComponentResource>,
    /// Middleware components, to which pipelines refer by name.
    pub middleware: Vec<ComponentResource>,
    /// Middleware for requests to the Dapr API, in order.
    pub http_pipeline: Vec<Handler>,
    /// Middleware for requests to the application, in order.
    pub app_http_pipeline: Vec<Handler>,
    /// Outside servers that the application invokes by name.
    pub http_endpoints: Vec<HttpEndpointResource>,
    /// Subscriptions to topics.
    pub subscriptions: Vec<SubscriptionResource>,
    /// Resiliency policies.
    pub resiliency: Vec<ResiliencyResource>,
}

/// Components created so far, and those to retry.
#[derive(Default)]
pub struct CreatedComponents {
    /// In the order of creation.
    made: Vec<Made>,
    waiting: Vec<ComponentResource>,
    /// Resources that they were created from, and all others.
    resources: AppResources,
}

/// A component, and what it was created from.
struct Made {
    resource: ComponentResource,
    spec: ComponentSpec,
    component: Component,
}

impl CreatedComponents {
    /// Returns the secret stores, by name.
    fn secret_stores(&self) -> BTreeMap<String, Arc<dyn SecretStore>> {
        let stores = self.made.iter().filter_map(|it| Some((it.spec.name.clone(), it.component.secret_store.clone()?)));
        stores.collect()
    }

    /// Adds a component, in place of the one of its name, if there is one.
    fn add(&mut self, made: Made) {
        match self.made.iter_mut().find(|known| known.spec.name == made.spec.name) {
            Some(known) => *known = made,
            None => self.made.push(made),
        }
    }
}

impl ComponentFactory {
    /// Creates the resources of the application of `sidecar`.
    ///
    /// # Errors
    /// When a resource is misconfigured; for an unavailable component see [`maintain`](Self::maintain).
    pub async fn load(&self, resources: AppResources, sidecar: &Sidecar) -> Result<CreatedComponents, ResourceError> {
        sidecar.calls.set_resiliency(self.resiliency(&resources.resiliency)?);
        let mut created = self.create(&resources.components).await?;
        self.set_pipelines(&resources, &created, sidecar).await?;
        sidecar.external().set_endpoints(self.endpoints(&resources.http_endpoints, &created).await?);
        sidecar.set_declared_subscriptions(self.subscriptions(&resources.subscriptions)?);
        sidecar.set_components(self.components(&created)?);
        sidecar.health().components_are_ready(true);
        created.resources = resources;
        Ok(created)
    }

    /// Sets the middleware before the Dapr API and before the application.
    async fn set_pipelines(
        &self,
        resources: &AppResources,
        created: &CreatedComponents,
        sidecar: &Sidecar,
    ) -> Result<(), ResourceError> {
        let pipeline = async |handlers| self.pipeline(handlers, &resources.middleware, created).await;
        let (api, app) = (pipeline(&resources.http_pipeline).await?, pipeline(&resources.app_http_pipeline).await?);
        sidecar.set_api_pipeline(api);
        sidecar.app().set_pipeline(app);
        Ok(())
    }

    /// Creates components. A misconfigured one is an error; an unavailable one is retried.
    async fn create(&self, resources: &[ComponentResource]) -> Result<CreatedComponents, ResourceError> {
        let mut created = CreatedComponents::default();
        for resource in in_order(resources) {
            match self.create_one(resource, &created).await {
                Ok(made) => created.add(made),
                Err(error) if error.is_retryable() => {
                    tracing::warn!(app = %self.context.app_id, %error, "component not ready; retrying");
                    created.waiting.push(resource.clone());
                }
                Err(error) if resource.ignore_errors => {
                    tracing::warn!(app = %self.context.app_id, %error, "component skipped (ignoreErrors)");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(created)
    }

    async fn create_one(
        &self,
        resource: &ComponentResource,
        created: &CreatedComponents,
    ) -> Result<Made, ResourceError> {
        let spec = self.resolve(resource, created).await?;
        let failed = |source| ResourceError::Component {
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
        let made = Made { resource: resource.clone(), spec, component };
        self.add(&made, &mut Components::in_namespace(&self.context.namespace))?;
        Ok(made)
    }

    /// Returns the components, by building block.
    fn components(&self, created: &CreatedComponents) -> Result<Components, ResourceError> {
        let mut components = Components::in_namespace(&self.context.namespace);
        created.made.iter().try_for_each(|made| self.add(made, &mut components))?;
        Ok(components)
    }

    fn add(&self, made: &Made, components: &mut Components) -> Result<(), ResourceError> {
        let Made { resource, spec, component } = made;
        components.add(spec, component).map_err(|error| self.reference(resource, error.to_string()))
    }

    /// Builds the specification of `resource` with every reference resolved.
    async fn resolve(
        &self,
        resource: &ComponentResource,
        made: &CreatedComponents,
    ) -> Result<ComponentSpec, ResourceError> {
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
            let failed = |why: String| self.reference(resource, format!("metadata {:?}: {why}", item.name));
            let resolved = references.resolve(&item.value).await.map_err(failed)?;
            spec.names_namespace |= resolved.expose().contains("{namespace}");
            match references.expand(resolved).map_err(failed)? {
                ResolvedValue::Plain(text) => spec.properties.push_plain(&item.name, text),
                ResolvedValue::Secret(value) => spec.properties.push_secret(&item.name, value),
            }
        }
        Ok(spec)
    }

    /// Creates the pipeline of `handlers`, whose components are among `resources`.
    async fn pipeline(
        &self,
        handlers: &[Handler],
        resources: &[ComponentResource],
        made: &CreatedComponents,
    ) -> Result<Pipeline, ResourceError> {
        let mut pipeline = Vec::new();
        for handler in handlers {
            let error = |origin: &str, why: String| ResourceError::Reference {
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
            let created = self.middleware(spec).await.map_err(|why| error(&resource.origin, why))?;
            pipeline.push(created);
        }
        Ok(Pipeline::new(pipeline))
    }

    async fn middleware(&self, spec: ComponentSpec) -> Result<Arc<dyn HttpMiddleware>, String> {
        match self.registry.create(spec, self.context.clone()).await {
            Ok(component) => component.http_middleware.ok_or_else(|| "it is no HTTP middleware".to_owned()),
            Err(CreateError::Init { source, .. }) => Err(source.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Creates the HTTPEndpoints that `resources` describe.
    async fn endpoints(
        &self,
        resources: &[HttpEndpointResource],
        made: &CreatedComponents,
    ) -> Result<BTreeMap<String, Endpoint>, ResourceError> {
        let mut endpoints = BTreeMap::new();
        for resource in resources {
            let references = self.references(made, resource.secret_store.as_deref());
            let endpoint = Endpoint::new(resource, references).await.map_err(|why| ResourceError::Reference {
                app: self.context.app_id.clone(),
                origin: resource.origin.clone(),
                what: format!("HTTPEndpoint {:?}", resource.name),
                why,
            })?;
            endpoints.insert(resource.name.clone(), endpoint);
        }
        Ok(endpoints)
    }

    /// Creates the policies that `resources` describe.
    fn resiliency(&self, resources: &[ResiliencyResource]) -> Result<Resiliency, ResourceError> {
        Resiliency::new(resources).map_err(|error| ResourceError::Reference {
            app: self.context.app_id.clone(),
            origin: error.origin,
            what: format!("Resiliency {:?}", error.name),
            why: error.why,
        })
    }

    /// Creates the subscriptions that `resources` describe.
    fn subscriptions(&self, resources: &[SubscriptionResource]) -> Result<Vec<Subscription>, ResourceError> {
        resources.iter().map(|resource| self.subscription(resource)).collect()
    }

    /// Creates the subscription that `resource` describes.
    fn subscription(&self, resource: &SubscriptionResource) -> Result<Subscription, ResourceError> {
        let rule = |rule: &RuleResource| {
            Rule::new(&rule.condition, &rule.path).map_err(|why| ResourceError::Reference {
                app: self.context.app_id.clone(),
                origin: rule.origin.clone(),
                what: format!("subscription {:?}", resource.name),
                why: format!("match {why}"),
            })
        };
        Ok(Subscription {
            pubsub: resource.pubsub.clone(),
            topic: resource.topic.clone(),
            metadata: resource.metadata.iter().cloned().collect(),
            dead_letter_topic: resource.dead_letter_topic.clone(),
            rules: resource.rules.iter().map(rule).collect::<Result<_, _>>()?,
            bulk: resource.bulk.map(|limits| BulkSubscribe::new(limits.max_messages, limits.max_await_millis)),
            kind: SubscriptionKind::Declarative,
        })
    }

    /// Resolver for references in a resource of this application, with secrets from `store`.
    fn references<'a>(&'a self, made: &CreatedComponents, store: Option<&'a str>) -> References<'a> {
        References { context: &self.context, stores: made.secret_stores(), store }
    }

    fn reference(&self, resource: &ComponentResource, why: String) -> ResourceError {
        ResourceError::Reference {
            app: self.context.app_id.clone(),
            origin: resource.origin.clone(),
            what: format!("component {:?}", resource.name),
            why,
        }
    }
}

/// Orders components for creation: secret stores first, because the others may refer to them.
fn in_order(resources: &[ComponentResource]) -> impl Iterator<Item = &ComponentResource> {
    let is_store = |it: &&ComponentResource| it.type_.to_ascii_lowercase().starts_with("secretstores.");
    let (stores, others): (Vec<_>, Vec<_>) = resources.iter().partition(is_store);
    stores.into_iter().chain(others)
}
