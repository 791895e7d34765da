//! A state store accessed through `daprd`'s gRPC API.

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::state::{
    Concurrency, Consistency, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures,
};
use dapr_building_blocks::{Metadata, StateError, StateStore};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::contract::{
    DaprClient, DeleteStateRequest, Etag, ExecuteStateTransactionRequest, GetBulkStateRequest, GetStateRequest,
    SaveStateRequest, StateConcurrency, StateConsistency, StateItem, StateOptions, TransactionalStateOperation,
};

/// One of a sidecar's stores.
pub(super) struct Store {
    client: DaprClient<Channel>,
    name: String,
}

impl Store {
    /// Connects to a store of the sidecar on `port`.
    pub(super) async fn connect(port: u16, name: &str) -> anyhow::Result<Self> {
        let channel = Endpoint::try_from(format!("http://127.0.0.1:{port}"))?.connect().await?;
        Ok(Self { client: DaprClient::new(channel), name: name.to_owned() })
    }
}

#[async_trait]
impl StateStore for Store {
    /// Features that all tested stores have.
    fn features(&self) -> StateFeatures {
        StateFeatures::new(&[StateFeature::Etag, StateFeature::Transactional, StateFeature::Ttl])
    }

    async fn get(&self, request: GetRequest) -> Result<Option<dapr_building_blocks::state::StateItem>, StateError> {
        let GetRequest { key, metadata, consistency: wanted } = request;
        let (store_name, consistency) = (self.name.clone(), consistency(wanted).into());
        let request = GetStateRequest { store_name, key: sent(&key), consistency, metadata };
        let found = self.client.clone().get_state(request).await.map_err(|status| convert_error(&status))?.into_inner();
        Ok(item(found.data, found.etag, found.metadata))
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let request = SaveStateRequest { store_name: self.name.clone(), states: vec![save_item(request)] };
        self.client.clone().save_state(request).await.map(drop).map_err(|status| convert_error(&status))
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        let StateItem { key, etag, metadata, options, .. } = delete_item(request);
        let request = DeleteStateRequest { store_name: self.name.clone(), key, etag, options, metadata };
        self.client.clone().delete_state(request).await.map(drop).map_err(|status| convert_error(&status))
    }

    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        parallelism: usize,
    ) -> Vec<Result<Option<dapr_building_blocks::state::StateItem>, StateError>> {
        let keys: Vec<String> = requests.iter().map(|request| sent(&request.key)).collect();
        let parallelism = i32::try_from(parallelism).unwrap_or_default();
        let (store_name, metadata) = (self.name.clone(), Metadata::new());
        let request = GetBulkStateRequest { store_name, keys: keys.clone(), parallelism, metadata };
        let items = match self.client.clone().get_bulk_state(request).await {
            Ok(answer) => answer.into_inner().items,
            Err(status) => return keys.iter().map(|_| Err(convert_error(&status))).collect(),
        };
        let answer = |key: &String| {
            let found = items.iter().find(|item| item.key == *key).cloned();
            let found = found.ok_or_else(|| StateError::Other("no answer for this key".into()))?;
            if !found.error.is_empty() {
                return Err(StateError::Other(found.error.into()));
            }
            Ok(item(found.data, found.etag, found.metadata))
        };
        keys.iter().map(answer).collect()
    }

    async fn transact(&self, operations: Vec<Operation>, metadata: Metadata) -> Result<(), StateError> {
        let operations = operations.into_iter().map(|operation| {
            let (operation_type, request) = match operation {
                Operation::Upsert(request) => ("upsert", save_item(request)),
                Operation::Delete(request) => ("delete", delete_item(request)),
            };
            TransactionalStateOperation { operation_type: operation_type.to_owned(), request: Some(request) }
        });
        let (store_name, operations) = (self.name.clone(), operations.collect());
        let request = ExecuteStateTransactionRequest { store_name, operations, metadata };
        self.client.clone().execute_state_transaction(request).await.map(drop).map_err(|status| convert_error(&status))
    }
}

/// Replaces `||` in a key, which Dapr reserves.
fn sent(key: &str) -> String {
    key.replace("||", "::")
}

fn save_item(request: SetRequest) -> StateItem {
    let SetRequest { key, value, etag, metadata, options: its, .. } = request;
    StateItem { key: sent(&key), value, etag: etag.map(etag_of), metadata, options: Some(options(its)) }
}

fn delete_item(request: DeleteRequest) -> StateItem {
    let DeleteRequest { key, etag, metadata, options: its } = request;
    let (key, etag, options) = (sent(&key), etag.map(etag_of), Some(options(its)));
    StateItem { key, value: Bytes::new(), etag, metadata, options }
}

fn etag_of(value: String) -> Etag {
    Etag { value }
}

fn options(options: dapr_building_blocks::state::StateOptions) -> StateOptions {
    let concurrency = match options.concurrency {
        Concurrency::Unset => StateConcurrency::ConcurrencyUnspecified,
        Concurrency::FirstWrite => StateConcurrency::ConcurrencyFirstWrite,
        Concurrency::LastWrite => StateConcurrency::ConcurrencyLastWrite,
    };
    StateOptions { concurrency: concurrency.into(), consistency: consistency(options.consistency).into() }
}

const fn consistency(consistency: Consistency) -> StateConsistency {
    match consistency {
        Consistency::Eventual => StateConsistency::ConsistencyEventual,
        Consistency::Strong => StateConsistency::ConsistencyStrong,
    }
}

/// An absent key has neither data nor an etag.
fn item(value: Bytes, etag: String, metadata: Metadata) -> Option<dapr_building_blocks::state::StateItem> {
    let is_there = !value.is_empty() || !etag.is_empty();
    let etag = (!etag.is_empty()).then_some(etag);
    is_there.then_some(dapr_building_blocks::state::StateItem { value, etag, metadata, content_type: None })
}

/// `dapr/pkg/api/grpc/grpc.go`: Dapr distinguishes only etag errors.
fn convert_error(status: &Status) -> StateError {
    let text = status.message().to_owned();
    match status.code() {
        Code::Aborted => StateError::EtagMismatch(Some(text.into())),
        Code::InvalidArgument => StateError::EtagInvalid(text.into()),
        _ => StateError::Other(text.into()),
    }
}
