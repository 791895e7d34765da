//! Secret stores.

mod world;

use std::collections::BTreeMap;

use async_trait::async_trait;
use dapr_building_blocks::secret::{SecretError, SecretFeature, SecretValues};
use dapr_building_blocks::{Metadata, Secret, SecretStore};
use futures_util::FutureExt as _;

use crate::contract::SecretStoreWorld;
use crate::contract::secrets::{Error, Features};
use crate::engine::Module;
use crate::error::{CallError, OpenError, ReplaceError};
use crate::options::Options;
use crate::pool::SwappablePool;
use crate::text::cut;

/// A secret store implemented by a Wasm component.
pub struct WasmSecretStore(SwappablePool<SecretStoreWorld>);

impl WasmSecretStore {
    /// Starts a store. Must run inside a tokio runtime, like all calls.
    ///
    /// # Errors
    /// When the component is not a secret store, imports more than it is granted, or rejects its properties.
    pub async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        Ok(Self(SwappablePool::open(module, options).await?))
    }

    /// Replaces the module, with the same options; see [`WasmStateStore::replace`].
    ///
    /// # Errors
    /// When the new module cannot be opened, or declares other features; the old one then stays.
    ///
    /// [`WasmStateStore::replace`]: crate::WasmStateStore::replace
    pub async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.0.replace(module, |old, new| old == new).await
    }
}

#[async_trait]
impl SecretStore for WasmSecretStore {
    fn features(&self) -> Vec<SecretFeature> {
        let has_many = self.0.pool().description().contains(Features::MULTIPLE_KEY_VALUES_PER_SECRET);
        if has_many { vec![SecretFeature::MultipleKeyValuesPerSecret] } else { Vec::new() }
    }

    async fn get(&self, name: &str, metadata: &Metadata) -> Result<SecretValues, SecretError> {
        let (name_owned, metadata) = (name.to_owned(), to_pairs(metadata));
        let called = self.0.pool().call("get", move |world, store| {
            async move { world.dapr_components_secrets().call_get(store, &name_owned, &metadata).await }.boxed()
        });
        called.await.map_err(call_error)?.map(values).map_err(|error| store_error(name, error))
    }

    async fn bulk_get(&self, metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError> {
        let metadata = to_pairs(metadata);
        let called = self.0.pool().call("bulk-get", move |world, store| {
            async move { world.dapr_components_secrets().call_bulk_get(store, &metadata).await }.boxed()
        });
        let all = called.await.map_err(call_error)?.map_err(|error| store_error("", error))?;
        Ok(all.into_iter().map(|(name, secret)| (name, values(secret))).collect())
    }
}

fn to_pairs(metadata: &Metadata) -> Vec<(String, String)> {
    metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn values(secret: Vec<(String, String)>) -> SecretValues {
    secret.into_iter().map(|(key, value)| (key, Secret::from(value))).collect()
}

fn store_error(name: &str, error: Error) -> SecretError {
    match error {
        Error::NotFound => SecretError::NotFound { name: name.to_owned() },
        Error::Unavailable(why) => SecretError::Unavailable(cut(why).into()),
        Error::Other(why) => SecretError::Other(cut(why).into()),
    }
}

fn call_error(error: CallError) -> SecretError {
    match error {
        CallError::Busy { .. } | CallError::Restart(_) => SecretError::Unavailable(error.into()),
        _ => SecretError::Other(error.into()),
    }
}
