//! State store behind a socket.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dapr_building_blocks::state::{
    BatchError, DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem,
};
use dapr_building_blocks::{InitError, Metadata, Properties, StateError, StateStore};
use tokio::sync::OnceCell;

use super::connection::{Channel, metadata, with_timeout};
use super::error;
use crate::contract::state_store_client::StateStoreClient;
use crate::contract::transactional_state_store_client::TransactionalStateStoreClient;
use crate::contract::transactional_store_multi_max_size_client::TransactionalStoreMultiMaxSizeClient;
use crate::contract::{
    BulkGetRequest, BulkGetRequestOptions, BulkSetRequest, BulkSetRequestOptions, BulkStateItem, FeaturesRequest,
    GetResponse, InitRequest, MAX_MESSAGE_SIZE, MultiMaxSizeRequest, PingRequest, TransactionalStateRequest,
};

/// State store served by another process.
pub(super) struct Store {
    client: StateStoreClient<Channel>,
    transactions: TransactionalStateStoreClient<Channel>,
    features: StateFeatures,
    sizes: TransactionalStoreMultiMaxSizeClient<Channel>,
    /// Maximum size of transactions, once queried.
    multi_max_size: OnceCell<Option<usize>>,
}

impl Store {
    /// Initialises the component with its properties, and queries its features.
    pub(super) async fn open(channel: Channel, properties: &Properties) -> Result<Self, InitError> {
        let mut client = StateStoreClient::new(channel.clone()).max_decoding_message_size(MAX_MESSAGE_SIZE);
        let init = InitRequest { metadata: metadata(properties) };
        client.init(with_timeout(init)).await.map_err(|status| error::init(&status))?;
        let answer = client.features(with_timeout(FeaturesRequest {})).await.map_err(|status| error::init(&status))?;
        let names = answer.into_inner().features;
        let features = names.iter().filter_map(|name| StateFeature::from_name(name)).collect();
        let sizes = TransactionalStoreMultiMaxSizeClient::new(channel.clone());
        let transactions = TransactionalStateStoreClient::new(channel);
        Ok(Self { client, transactions, features, sizes, multi_max_size: OnceCell::new() })
    }
}

/// Batches whose individual errors matter are sent one by one. The protocol's batch calls have one result for all.
#[async_trait]
impl StateStore for Store {
    fn features(&self) -> StateFeatures {
        self.features
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        let answer = self.client.clone().get(with_timeout(request.into())).await;
        Ok(answer.map_err(|status| error::state(&status))?.into_inner().into())
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let answer = self.client.clone().set(with_timeout(request.into())).await;
        answer.map(drop).map_err(|status| error::state(&status))
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        let answer = self.client.clone().delete(with_timeout(request.into())).await;
        answer.map(drop).map_err(|status| error::state(&status))
    }

    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        parallelism: usize,
    ) -> Vec<Result<Option<StateItem>, StateError>> {
        let keys: Vec<String> = requests.iter().map(|request| request.key.clone()).collect();
        let options = BulkGetRequestOptions { parallelism: i64::try_from(parallelism).unwrap_or_default() };
        let items = requests.into_iter().map(Into::into).collect();
        let request = with_timeout(BulkGetRequest { items, options: Some(options) });
        let items = match self.client.clone().bulk_get(request).await {
            Ok(answer) => answer.into_inner().items,
            Err(status) => return keys.iter().map(|_| Err(error::state(&status))).collect(),
        };
        let found: BTreeMap<String, BulkStateItem> = items.into_iter().map(|item| (item.key.clone(), item)).collect();
        // A key that was requested twice has one result.
        keys.iter().map(|key| item_result(found.get(key).cloned())).collect()
    }

    async fn transact(&self, operations: Vec<Operation>, metadata: Metadata) -> Result<(), StateError> {
        if !self.features.contains(StateFeature::Transactional) {
            return Err(StateError::Unsupported("transactions".into()));
        }
        let operations = operations.into_iter().map(Into::into).collect();
        let request = with_timeout(TransactionalStateRequest { operations, metadata });
        self.transactions.clone().transact(request).await.map(drop).map_err(|status| error::transaction(&status))
    }

    async fn set_all(&self, requests: Vec<SetRequest>) -> Result<(), BatchError> {
        let items = requests.into_iter().map(Into::into).collect();
        let request = with_timeout(BulkSetRequest { items, options: Some(BulkSetRequestOptions { parallelism: 0 }) });
        let answer = self.client.clone().bulk_set(request).await;
        answer.map(drop).map_err(|status| BatchError::Whole(error::state(&status)))
    }

    async fn multi_max_size(&self) -> Option<usize> {
        let query = || async {
            // The service is optional; a component without it has no limit.
            let limit = self.sizes.clone().multi_max_size(with_timeout(MultiMaxSizeRequest {})).await;
            let limit = limit.ok().map(|answer| answer.into_inner().max_size);
            limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0)
        };
        *self.multi_max_size.get_or_init(query).await
    }

    async fn ping(&self) -> Result<(), StateError> {
        let answer = self.client.clone().ping(with_timeout(PingRequest {})).await;
        answer.map(drop).map_err(|status| error::state(&status))
    }
}

/// Converts the result for one of several keys.
fn item_result(item: Option<BulkStateItem>) -> Result<Option<StateItem>, StateError> {
    let item = item.ok_or_else(|| StateError::Other("the component returned no result for this key".into()))?;
    let BulkStateItem { data, etag, error, metadata, content_type, .. } = item;
    if !error.is_empty() {
        return Err(StateError::Other(error.into()));
    }
    Ok(GetResponse { data, etag, metadata, content_type }.into())
}
