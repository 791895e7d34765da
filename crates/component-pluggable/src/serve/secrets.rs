//! Service of a secret store.

use std::collections::BTreeMap;

use dapr_building_blocks::SecretStore as Native;
use dapr_building_blocks::secret::SecretValues;
use tonic::{Request, Response, Status};

use super::instances::Instances;
use super::status;
use crate::contract::secret_store_server::SecretStore;
use crate::contract::{
    BulkGetSecretRequest, BulkGetSecretResponse, FeaturesRequest, FeaturesResponse, GetSecretRequest,
    GetSecretResponse, PingRequest, PingResponse, SecretResponse, SecretStoreInitRequest, SecretStoreInitResponse,
};

/// Stores behind a socket.
pub(super) struct Stores(pub(super) Instances<dyn Native>);

#[tonic::async_trait]
impl SecretStore for Stores {
    async fn init(
        &self,
        request: Request<SecretStoreInitRequest>,
    ) -> Result<Response<SecretStoreInitResponse>, Status> {
        self.0.init(&request, request.get_ref().metadata.as_ref()).await?;
        Ok(Response::new(SecretStoreInitResponse {}))
    }

    async fn features(&self, request: Request<FeaturesRequest>) -> Result<Response<FeaturesResponse>, Status> {
        let features = self.0.get(&request)?.features();
        let features = features.into_iter().map(|feature| feature.as_str().to_owned()).collect();
        Ok(Response::new(FeaturesResponse { features }))
    }

    async fn get(&self, request: Request<GetSecretRequest>) -> Result<Response<GetSecretResponse>, Status> {
        let store = self.0.get(&request)?;
        let GetSecretRequest { key, metadata } = request.into_inner();
        let found = store.get(&key, &metadata).await.map_err(|error| status::secrets(&error))?;
        Ok(Response::new(GetSecretResponse { data: exposed(found) }))
    }

    async fn bulk_get(
        &self,
        request: Request<BulkGetSecretRequest>,
    ) -> Result<Response<BulkGetSecretResponse>, Status> {
        let store = self.0.get(&request)?;
        let all = store.bulk_get(&request.into_inner().metadata).await.map_err(|error| status::secrets(&error))?;
        let data = all.into_iter().map(|(name, values)| (name, SecretResponse { secrets: exposed(values) }));
        Ok(Response::new(BulkGetSecretResponse { data: data.collect() }))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        self.0.get(&request)?;
        Ok(Response::new(PingResponse {}))
    }
}

/// Exposes secrets.
///
/// The only place where they leave the process: to the sidecar that requested them.
fn exposed(values: SecretValues) -> BTreeMap<String, String> {
    values.into_iter().map(|(key, value)| (key, value.expose().to_owned())).collect()
}
