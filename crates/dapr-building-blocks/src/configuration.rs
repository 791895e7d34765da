//! Configuration that changes while applications run: `components-contrib/configuration/{store,requests,responses}.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde::Serialize;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{BoxError, Metadata};

/// Items by key.
pub type Items = BTreeMap<String, Item>;

/// Watches for changes until its subscription ends.
pub type Watching = BoxFuture<'static, ()>;

/// A store of configuration.
#[async_trait]
pub trait ConfigurationStore: Send + Sync {
    /// Reads items; missing ones are left out. Without keys, all items are read.
    async fn get(&self, request: ConfigurationRequest) -> Result<Items, ConfigurationError>;

    /// Reports changes of items to `sink` until `shutdown` is cancelled. Without keys, those of all items.
    ///
    /// On return the subscription holds; the future reports the changes.
    async fn subscribe(
        &self,
        request: ConfigurationRequest,
        sink: Arc<dyn ConfigurationSink>,
        shutdown: CancellationToken,
    ) -> Result<Watching, ConfigurationError>;
}

/// Receiver of changes.
#[async_trait]
pub trait ConfigurationSink: Send + Sync {
    /// Reports changed items. One that is deleted is empty.
    async fn changed(&self, items: Items);
}

/// Keys of a read or a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationRequest {
    /// Keys; empty for all.
    pub keys: Vec<String>,
    /// Metadata of the request.
    pub metadata: Metadata,
}

/// An item; Dapr leaves out empty fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Version of the value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Metadata of the item.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// An error of a configuration store.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// The store is unreachable now; the same call may succeed later.
    #[error("{0}")]
    Unavailable(#[source] BoxError),
    /// The store reported an error.
    #[error("{0}")]
    Other(#[source] BoxError),
}
