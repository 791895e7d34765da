//! Shared test helpers: a directory of sockets, and servers on them.

use std::path::PathBuf;

use component_pluggable::{Block, ComponentFactory, Socket, discover, register};
use dapr_building_blocks::component::CreateError;
use dapr_building_blocks::{Component, ComponentSpec, Context, Registry};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Directory of sockets.
pub(crate) struct Sockets {
    pub(crate) folder: TempDir,
}

/// Running server, until it is dropped or ended.
pub(crate) struct Served {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).with_extension("sock")
    }

    /// Serves a component under the given name.
    pub(crate) async fn serve(&self, name: &str, block: Block, factory: ComponentFactory) -> Served {
        let socket = Socket::bind(&self.path(name)).await.unwrap();
        let shutdown = CancellationToken::new();
        let serving = component_pluggable::serve(block, factory, socket, shutdown.clone());
        let task = tokio::spawn(async move { serving.await.unwrap() });
        Served { shutdown, task }
    }

    /// Returns the served components as component types.
    pub(crate) async fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        register(&mut registry, discover(self.folder.path()).await);
        registry
    }

    /// Creates a component of a served type, with the name and properties of its YAML.
    pub(crate) async fn create(
        &self,
        type_: &str,
        name: &str,
        properties: &[(&str, &str)],
    ) -> Result<Component, CreateError> {
        let spec = ComponentSpec {
            name: name.into(),
            type_: type_.into(),
            properties: properties.iter().copied().collect(),
            ..ComponentSpec::default()
        };
        self.registry().await.create(spec, Context::default()).await
    }
}

impl Served {
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// Returns a factory of a native component, with the properties received over the socket.
pub(crate) fn native(type_: &'static str) -> ComponentFactory {
    std::sync::Arc::new(move |name, given| {
        let mut spec = ComponentSpec { name, type_: type_.into(), ..ComponentSpec::default() };
        for (name, value) in given {
            spec.properties.push_secret(name, value);
        }
        Box::pin(async move {
            let made = component_native::registry().create(spec, Context::default()).await;
            made.map_err(|error| match error {
                CreateError::Init { source, .. } => source,
                other => dapr_building_blocks::InitError::misconfigured(other),
            })
        })
    })
}
