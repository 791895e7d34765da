//! Services of a state store.

use std::sync::Arc;

use dapr_building_blocks::StateStore as Native;
use dapr_building_blocks::state::DEFAULT_PARALLELISM;
use tonic::{Request, Response, Status};

use super::instances::Instances;
use super::status;
use crate::contract::state_store_server::StateStore;
use crate::contract::transactional_state_store_server::TransactionalStateStore;
use crate::contract::transactional_store_multi_max_size_server::TransactionalStoreMultiMaxSize;
use crate::contract::{
    BulkDeleteRequest, BulkDeleteResponse, BulkGetRequest, BulkGetResponse, BulkSetRequest, BulkSetResponse,
    BulkStateItem, DeleteRequest, DeleteResponse, FeaturesRequest, FeaturesResponse, GetRequest, GetResponse,
    InitRequest, InitResponse, MultiMaxSizeRequest, MultiMaxSizeResponse, PingRequest, PingResponse, SetRequest,
    SetResponse, TransactionalStateOperation, TransactionalStateRequest, TransactionalStateResponse,
};

/// Stores behind a socket.
#[derive(Clone)]
pub(super) struct Stores(pub(super) Arc<Instances<dyn Native>>);

#[tonic::async_trait]
impl StateStore for Stores {
    async fn init(&self, request: Request<InitRequest>) -> Result<Response<InitResponse>, Status> {
        self.0.init(&request, request.get_ref().metadata.as_ref()).await?;
        Ok(Response::new(InitResponse {}))
    }

    async fn features(&self, request: Request<FeaturesRequest>) -> Result<Response<FeaturesResponse>, Status> {
        let features = self.0.get(&request)?.features().iter().map(|feature| feature.as_str().to_owned()).collect();
        Ok(Response::new(FeaturesResponse { features }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let store = self.0.get(&request)?;
        let found = store.get(request.into_inner().into()).await.map_err(|error| status::state(&error))?;
        Ok(Response::new(found.into()))
    }

    async fn set(&self, request: Request<SetRequest>) -> Result<Response<SetResponse>, Status> {
        let store = self.0.get(&request)?;
        store.set(request.into_inner().into()).await.map_err(|error| status::state(&error))?;
        Ok(Response::new(SetResponse {}))
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<DeleteResponse>, Status> {
        let store = self.0.get(&request)?;
        store.delete(request.into_inner().into()).await.map_err(|error| status::state(&error))?;
        Ok(Response::new(DeleteResponse {}))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        self.0.get(&request)?.ping().await.map_err(|error| status::state(&error))?;
        Ok(Response::new(PingResponse {}))
    }

    async fn bulk_get(&self, request: Request<BulkGetRequest>) -> Result<Response<BulkGetResponse>, Status> {
        let store = self.0.get(&request)?;
        let BulkGetRequest { items, options } = request.into_inner();
        let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
        let at_once = parallelism(options.map(|options| options.parallelism));
        let found = store.bulk_get(items.into_iter().map(Into::into).collect(), at_once).await;
        let items = keys.into_iter().zip(found).map(|(key, found)| {
            let (found, error) = match found {
                Ok(found) => (found, String::new()),
                Err(error) => (None, error.to_string()),
            };
            let GetResponse { data, etag, metadata, content_type } = found.into();
            BulkStateItem { key, data, etag, error, metadata, content_type }
        });
        Ok(Response::new(BulkGetResponse { items: items.collect() }))
    }

    async fn bulk_set(&self, request: Request<BulkSetRequest>) -> Result<Response<BulkSetResponse>, Status> {
        let store = self.0.get(&request)?;
        let BulkSetRequest { items, options } = request.into_inner();
        let at_once = parallelism(options.map(|options| options.parallelism));
        status::first(store.bulk_set(items.into_iter().map(Into::into).collect(), at_once).await)?;
        Ok(Response::new(BulkSetResponse {}))
    }

    async fn bulk_delete(&self, request: Request<BulkDeleteRequest>) -> Result<Response<BulkDeleteResponse>, Status> {
        let store = self.0.get(&request)?;
        let BulkDeleteRequest { items, options } = request.into_inner();
        let at_once = parallelism(options.map(|options| options.parallelism));
        status::first(store.bulk_delete(items.into_iter().map(Into::into).collect(), at_once).await)?;
        Ok(Response::new(BulkDeleteResponse {}))
    }
}

#[tonic::async_trait]
impl TransactionalStateStore for Stores {
    async fn transact(
        &self,
        request: Request<TransactionalStateRequest>,
    ) -> Result<Response<TransactionalStateResponse>, Status> {
        let store = self.0.get(&request)?;
        let TransactionalStateRequest { operations, metadata } = request.into_inner();
        let operations: Option<Vec<_>> = operations.into_iter().map(TransactionalStateOperation::native).collect();
        let operations = operations.ok_or_else(|| Status::invalid_argument("unknown operation"))?;
        store.transact(operations, metadata).await.map_err(|error| status::state(&error))?;
        Ok(Response::new(TransactionalStateResponse {}))
    }
}

#[tonic::async_trait]
impl TransactionalStoreMultiMaxSize for Stores {
    /// Returns the limit, or -1 if there is none.
    async fn multi_max_size(
        &self,
        request: Request<MultiMaxSizeRequest>,
    ) -> Result<Response<MultiMaxSizeResponse>, Status> {
        let limit = self.0.get(&request)?.multi_max_size().await;
        let max_size = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(Response::new(MultiMaxSizeResponse { max_size }))
    }
}

/// Returns the requested parallelism, or the default if it is unset.
fn parallelism(asked: Option<i64>) -> usize {
    let asked = asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or_default();
    if asked == 0 { DEFAULT_PARALLELISM } else { asked }
}
