//! What the tests share: a folder of sockets, and who serves there.

use std::path::PathBuf;

use building_blocks::component::CreateError;
use building_blocks::{Component, ComponentSpec, Context, Registry};
use pluggable::{Block, Maker, Socket, discover, register};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A folder of sockets.
pub(crate) struct Sockets {
    pub(crate) folder: TempDir,
}

/// One who serves, until it is dropped or ended.
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

    /// Serves a component under that name.
    pub(crate) async fn serve(&self, name: &str, block: Block, maker: Maker) -> Served {
        let socket = Socket::bind(&self.path(name)).await.unwrap();
        let shutdown = CancellationToken::new();
        let serving = pluggable::serve(block, maker, socket, shutdown.clone());
        let task = tokio::spawn(async move { serving.await.unwrap() });
        Served { shutdown, task }
    }

    /// What the sockets serve, as component types.
    pub(crate) async fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        register(&mut registry, discover(self.folder.path()).await);
        registry
    }

    /// A component of the type that a socket serves, under a name and with properties of its YAML.
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

/// Makes a component of a native type, with the properties that come over the socket.
pub(crate) fn native(type_: &'static str) -> Maker {
    std::sync::Arc::new(move |name, given| {
        let mut spec = ComponentSpec { name, type_: type_.into(), ..ComponentSpec::default() };
        for (name, value) in given {
            spec.properties.push_secret(name, value);
        }
        Box::pin(async move {
            let made = native_components::registry().create(spec, Context::default()).await;
            made.map_err(|error| match error {
                CreateError::Init { source, .. } => source,
                other => building_blocks::InitError::misconfigured(other),
            })
        })
    })
}
