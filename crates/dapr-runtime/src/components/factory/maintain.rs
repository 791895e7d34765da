//! Keeps an application's resources up to date: retries components that are not available, and takes changes of the
//! files, as `dapr/pkg/runtime/hotreload`.
//!
//! A change is applied as far as it is valid: a component that cannot be created leaves the one before in place, and so
//! do rules and policies with mistakes. Calls under way finish with what they began with.

use std::sync::Arc;
use std::time::Duration;

use dapr_resources::component::ComponentResource;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{AppResources, ComponentFactory, CreatedComponents, in_order};
use crate::{Backoff, Sidecar};

/// Metadata key that lists pending components, separated by commas.
const NOT_READY: &str = "daprletComponentsNotReady";

impl ComponentFactory {
    /// Retries pending components and takes each of the `changes`, until `shutdown`.
    pub async fn maintain(
        self,
        mut created: CreatedComponents,
        sidecar: Arc<Sidecar>,
        mut changes: mpsc::Receiver<AppResources>,
        shutdown: CancellationToken,
    ) {
        let mut backoff = Backoff::default();
        loop {
            let is_waiting = !created.waiting.is_empty();
            if is_waiting {
                let names: Vec<_> = created.waiting.iter().map(|resource| resource.name.as_str()).collect();
                sidecar.set_extended_metadata(NOT_READY.to_owned(), names.join(","));
            }
            // Evaluated here, because a disabled branch would evaluate it, too.
            let delay = if is_waiting { backoff.next_delay() } else { Duration::MAX };
            let is_changed = tokio::select! {
                () = shutdown.cancelled() => return,
                Some(resources) = changes.recv() => {
                    self.reload(resources, &mut created, &sidecar).await;
                    true
                }
                () = tokio::time::sleep(delay), if is_waiting => self.retry(&mut created).await,
            };
            if !is_changed {
                continue;
            }
            match self.components(&created) {
                Ok(components) => sidecar.set_components(components),
                Err(error) => tracing::error!(app = %self.context.app_id, %error, "components not set"),
            }
            if is_waiting && created.waiting.is_empty() {
                sidecar.set_extended_metadata(NOT_READY.to_owned(), String::new());
                backoff = Backoff::default();
            }
        }
    }

    /// Tries to create the pending components; returns whether one is created or has failed for good.
    async fn retry(&self, created: &mut CreatedComponents) -> bool {
        let before = created.waiting.len();
        for resource in std::mem::take(&mut created.waiting) {
            match self.create_one(&resource, created).await {
                Ok(made) => {
                    created.add(made);
                    tracing::info!(app = %self.context.app_id, component = %resource.name, "component ready");
                }
                Err(error) if error.is_retryable() => created.waiting.push(resource),
                Err(error) => tracing::error!(app = %self.context.app_id, %error, "component failed permanently"),
            }
        }
        created.waiting.len() < before
    }

    /// Applies a change of the files.
    async fn reload(&self, resources: AppResources, created: &mut CreatedComponents, sidecar: &Sidecar) {
        let app = &self.context.app_id;
        self.reload_components(&resources.components, created).await;
        let old = std::mem::take(&mut created.resources);
        let kept = |error: &dyn std::fmt::Display| tracing::error!(%app, %error, "not reloaded; the old one stays");
        if resources.resiliency != old.resiliency {
            match self.resiliency(&resources.resiliency) {
                Ok(resiliency) => {
                    sidecar.calls.set_resiliency(resiliency);
                    tracing::info!(%app, "resiliency policies reloaded");
                }
                Err(error) => kept(&error),
            }
        }
        if resources.subscriptions != old.subscriptions {
            match self.subscriptions(&resources.subscriptions) {
                Ok(subscriptions) => {
                    sidecar.set_declared_subscriptions(subscriptions);
                    tracing::info!(%app, "subscriptions reloaded");
                }
                Err(error) => kept(&error),
            }
        }
        if resources.http_endpoints != old.http_endpoints {
            match self.endpoints(&resources.http_endpoints, created).await {
                Ok(endpoints) => {
                    sidecar.external().set_endpoints(endpoints);
                    tracing::info!(%app, "HTTP endpoints reloaded");
                }
                Err(error) => kept(&error),
            }
        }
        let pipelines =
            |of: &AppResources| (of.http_pipeline.clone(), of.app_http_pipeline.clone(), of.middleware.clone());
        if pipelines(&resources) != pipelines(&old) {
            match self.set_pipelines(&resources, created, sidecar).await {
                Ok(()) => tracing::info!(%app, "middleware reloaded"),
                Err(error) => kept(&error),
            }
        }
        created.resources = resources;
    }

    async fn reload_components(&self, resources: &[ComponentResource], created: &mut CreatedComponents) {
        let app = &self.context.app_id;
        let is_wanted = |name: &str| resources.iter().any(|resource| resource.name == name);
        created.waiting.retain(|resource| resources.iter().any(|wanted| wanted.is_same(resource)));
        created.made.retain(|made| {
            let is_kept = is_wanted(&made.spec.name);
            if !is_kept {
                tracing::info!(%app, component = made.spec.name, "component removed");
            }
            is_kept
        });
        for resource in in_order(resources) {
            let known = created.made.iter().map(|made| &made.resource).chain(&created.waiting);
            if known.clone().any(|known| known.is_same(resource)) {
                continue;
            }
            match self.create_one(resource, created).await {
                Ok(made) => {
                    created.add(made);
                    tracing::info!(%app, component = resource.name, "component reloaded");
                }
                Err(error) if error.is_retryable() => {
                    tracing::warn!(%app, %error, "component not ready; retrying");
                    created.waiting.retain(|waiting| waiting.name != resource.name);
                    created.waiting.push(resource.clone());
                }
                Err(error) => tracing::error!(%app, %error, "component not reloaded; an older one stays"),
            }
        }
    }
}
