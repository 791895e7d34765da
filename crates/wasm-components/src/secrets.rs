//! Secret stores.

mod world;

use std::collections::BTreeMap;

use async_trait::async_trait;
use building_blocks::secret::{SecretError, SecretFeature, SecretValues};
use building_blocks::{Metadata, Secret, SecretStore};
use futures_util::FutureExt as _;

use crate::contract::SecretStoreWorld;
use crate::contract::secrets::{Error, Features};
use crate::engine::Module;
use crate::error::{CallError, OpenError, ReplaceError};
use crate::options::Options;
use crate::pool::Current;
use crate::text::cut;

/// A secret store that is a Wasm component.
pub struct WasmSecretStore(Current<SecretStoreWorld>);

impl WasmSecretStore {
    /// Starts a store. Must run inside a tokio runtime, as all calls must.
    ///
    /// # Errors
    /// When the component is no secret store, wants more than it is granted, or refuses its properties.
    pub async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        Ok(Self(Current::open(module, options).await?))
    }

    /// Puts another module in the place of this one, under the same options; see [`WasmStateStore::replace`].
    ///
    /// # Errors
    /// When the new module cannot be opened, or declares other features than the old one; the old one then stays.
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
        let (asked, metadata) = (name.to_owned(), listed(metadata));
        let called = self.0.pool().call("get", move |world, store| {
            async move { world.dapr_components_secrets().call_get(store, &asked, &metadata).await }.boxed()
        });
        called.await.map_err(failed)?.map(values).map_err(|error| refused(name, error))
    }

    async fn bulk_get(&self, metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError> {
        let metadata = listed(metadata);
        let called = self.0.pool().call("bulk-get", move |world, store| {
            async move { world.dapr_components_secrets().call_bulk_get(store, &metadata).await }.boxed()
        });
        let all = called.await.map_err(failed)?.map_err(|error| refused("", error))?;
        Ok(all.into_iter().map(|(name, secret)| (name, values(secret))).collect())
    }
}

fn listed(metadata: &Metadata) -> Vec<(String, String)> {
    metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn values(secret: Vec<(String, String)>) -> SecretValues {
    secret.into_iter().map(|(key, value)| (key, Secret::from(value))).collect()
}

fn refused(name: &str, error: Error) -> SecretError {
    match error {
        Error::NotFound => SecretError::NotFound { name: name.to_owned() },
        Error::Unavailable(why) => SecretError::Unavailable(cut(why).into()),
        Error::Other(why) => SecretError::Other(cut(why).into()),
    }
}

fn failed(error: CallError) -> SecretError {
    match error {
        CallError::Busy { .. } | CallError::Restart(_) => SecretError::Unavailable(error.into()),
        _ => SecretError::Other(error.into()),
    }
}
