//! The middleware of an application's pipelines, made of its components.

use building_blocks::Properties;
use dapr_http::middleware::{self, Pipeline};
use dapr_resources::component::ComponentResource;
use dapr_resources::configuration::Handler;

use crate::components::{Made, Maker};
use crate::error::StartError;

/// The first part of the types of HTTP middleware.
const PREFIX: &str = "middleware.http.";

impl Maker {
    /// The pipeline of `handlers`, whose components are among `resources`.
    pub(crate) async fn pipeline(
        &self,
        handlers: &[Handler],
        resources: &[ComponentResource],
        made: &Made,
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
            let type_ = handler.type_.to_ascii_lowercase();
            let properties: Properties = spec.properties;
            let created = middleware::create(type_.strip_prefix(PREFIX).unwrap_or(&type_), &properties);
            pipeline.push(created.map_err(|why| error(&resource.origin, why))?);
        }
        Ok(Pipeline::new(pipeline))
    }
}
