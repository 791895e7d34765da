//! Secret store behind a socket.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dapr_building_blocks::secret::{SecretError, SecretFeature, SecretValues};
use dapr_building_blocks::{InitError, Metadata, Properties, Secret, SecretStore};

use super::connection::{Channel, metadata, with_timeout};
use super::error;
use crate::contract::secret_store_client::SecretStoreClient;
use crate::contract::{
    BulkGetSecretRequest, FeaturesRequest, GetSecretRequest, MAX_MESSAGE_SIZE, SecretStoreInitRequest,
};

/// Secret store served by another process.
pub(super) struct Store {
    client: SecretStoreClient<Channel>,
    features: Vec<SecretFeature>,
}

impl Store {
    /// Initialises the component with its properties, and queries its features.
    pub(super) async fn open(channel: Channel, properties: &Properties) -> Result<Self, InitError> {
        let mut client = SecretStoreClient::new(channel).max_decoding_message_size(MAX_MESSAGE_SIZE);
        let init = SecretStoreInitRequest { metadata: metadata(properties) };
        client.init(with_timeout(init)).await.map_err(|status| error::init(&status))?;
        let answer = client.features(with_timeout(FeaturesRequest {})).await.map_err(|status| error::init(&status))?;
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
        let request = with_timeout(GetSecretRequest { key: name.to_owned(), metadata: metadata.clone() });
        let answer = self.client.clone().get(request).await.map_err(|status| error::secrets(&status))?;
        Ok(to_secret_values(answer.into_inner().data))
    }

    async fn bulk_get(&self, metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError> {
        let request = with_timeout(BulkGetSecretRequest { metadata: metadata.clone() });
        let answer = self.client.clone().bulk_get(request).await.map_err(|status| error::secrets(&status))?;
        Ok(answer
            .into_inner()
            .data
            .into_iter()
            .map(|(name, secret)| (name, to_secret_values(secret.secrets)))
            .collect())
    }
}

fn to_secret_values(values: BTreeMap<String, String>) -> SecretValues {
    values.into_iter().map(|(key, value)| (key, Secret::from(value))).collect()
}
