//! A secret store behind a socket.

use std::collections::BTreeMap;

use async_trait::async_trait;
use building_blocks::secret::{SecretError, SecretFeature, SecretValues};
use building_blocks::{InitError, Metadata, Properties, Secret, SecretStore};

use super::connection::{Channel, limited, metadata};
use super::error;
use crate::contract::secret_store_client::SecretStoreClient;
use crate::contract::{
    BulkGetSecretRequest, FeaturesRequest, GetSecretRequest, LARGEST_MESSAGE, SecretStoreInitRequest,
};

/// A secret store that somebody else serves.
pub(super) struct Store {
    client: SecretStoreClient<Channel>,
    features: Vec<SecretFeature>,
}

impl Store {
    /// Tells the component its properties, and asks what it can do.
    pub(super) async fn open(channel: Channel, properties: &Properties) -> Result<Self, InitError> {
        let mut client = SecretStoreClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        let init = SecretStoreInitRequest { metadata: metadata(properties) };
        client.init(limited(init)).await.map_err(|status| error::init(&status))?;
        let answer = client.features(limited(FeaturesRequest {})).await.map_err(|status| error::init(&status))?;
        let many = SecretFeature::MultipleKeyValuesPerSecret;
        let has_many = answer.into_inner().features.iter().any(|name| name == many.as_str());
        Ok(Self { client, features: if has_many { vec![many] } else { Vec::new() } })
    }
}

#[async_trait]
impl SecretStore for Store {
    fn features(&self) -> Vec<SecretFeature> {
        self.features.clone()
    }

    async fn get(&self, name: &str, metadata: &Metadata) -> Result<SecretValues, SecretError> {
        let request = limited(GetSecretRequest { key: name.to_owned(), metadata: metadata.clone() });
        let answer = self.client.clone().get(request).await.map_err(|status| error::secrets(&status))?;
        Ok(kept(answer.into_inner().data))
    }

    async fn bulk_get(&self, metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError> {
        let request = limited(BulkGetSecretRequest { metadata: metadata.clone() });
        let answer = self.client.clone().bulk_get(request).await.map_err(|status| error::secrets(&status))?;
        Ok(answer.into_inner().data.into_iter().map(|(name, secret)| (name, kept(secret.secrets))).collect())
    }
}

fn kept(values: BTreeMap<String, String>) -> SecretValues {
    values.into_iter().map(|(key, value)| (key, Secret::from(value))).collect()
}
