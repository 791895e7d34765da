//! State.

use dapr_building_blocks::Metadata;
use dapr_building_blocks::state::{
    Concurrency, Consistency, DeleteRequest, GetRequest, Operation, SetRequest, StateItem, StateOptions,
};
use dapr_runtime::ApiError;

use crate::DaprWit;
use crate::contract::state as wit;
use crate::contract::types::{self, Error, Milliseconds};
use crate::error::{metadata, within};

impl wit::Host for DaprWit {
    async fn get(
        &mut self,
        store: String,
        key: String,
        freshness: Option<wit::Consistency>,
        extra: types::Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<Option<wit::Entry>, Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let api_error = |error| ApiError::state_get(&store, sidecar.app_id(), &key, &error);
            let found = sidecar.state_store(&store).map_err(api_error)?;
            let request = read(key.clone(), freshness, metadata(extra));
            Ok(found.get(request).await.map_err(api_error)?.map(entry))
        })
        .await
    }

    async fn get_all(
        &mut self,
        store: String,
        keys: Vec<String>,
        extra: types::Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<Vec<Result<Option<wit::Entry>, String>>, Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let api_error = |error| ApiError::state_bulk_get(&store, sidecar.app_id(), &error);
            let found = sidecar.state_store(&store).map_err(api_error)?;
            let extra = metadata(extra);
            let requests = keys.into_iter().map(|key| read(key, None, extra.clone())).collect();
            let results = found.bulk_get(requests, 0).await.map_err(api_error)?;
            let convert = |result: Result<Option<StateItem>, _>| match result {
                Ok(item) => Ok(item.map(entry)),
                Err(error) => Err(dapr_building_blocks::StateError::to_string(&error)),
            };
            Ok(results.into_iter().map(convert).collect())
        })
        .await
    }

    async fn save(
        &mut self,
        store: String,
        records: Vec<wit::Upsert>,
        deadline: Option<Milliseconds>,
    ) -> Result<(), Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let api_error = |error| ApiError::state_save(&store, sidecar.app_id(), &error);
            let found = sidecar.state_store(&store).map_err(api_error)?;
            found.save(records.into_iter().map(write).collect()).await.map_err(api_error)
        })
        .await
    }

    async fn delete(
        &mut self,
        store: String,
        key: String,
        options: wit::Options,
        deadline: Option<Milliseconds>,
    ) -> Result<(), Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let api_error = |error| ApiError::state_delete(&store, sidecar.app_id(), &key, &error);
            let found = sidecar.state_store(&store).map_err(api_error)?;
            found.delete(deletion(key.clone(), options)).await.map_err(api_error)
        })
        .await
    }

    async fn transaction(
        &mut self,
        store: String,
        operations: Vec<wit::Operation>,
        extra: types::Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<(), Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let api_error = |error| ApiError::state_transaction(&store, sidecar.app_id(), &error);
            let found = sidecar.state_store(&store).map_err(api_error)?;
            let operation = |operation| match operation {
                wit::Operation::Upsert(record) => Operation::Upsert(write(record)),
                wit::Operation::Delete(wit::Deletion { key, options }) => Operation::Delete(deletion(key, options)),
            };
            let operations = operations.into_iter().map(operation).collect();
            found.transact(operations, metadata(extra)).await.map_err(api_error)
        })
        .await
    }
}

fn read(key: String, freshness: Option<wit::Consistency>, metadata: Metadata) -> GetRequest {
    GetRequest { key, metadata, consistency: consistency(freshness) }
}

fn write(record: wit::Upsert) -> SetRequest {
    let wit::Upsert { key, value, options } = record;
    let (etag, options, metadata) = parts(options);
    SetRequest { key, value: value.into(), etag, metadata, options, content_type: None }
}

fn deletion(key: String, options: wit::Options) -> DeleteRequest {
    let (etag, options, metadata) = parts(options);
    DeleteRequest { key, etag, metadata, options }
}

fn parts(options: wit::Options) -> (Option<String>, StateOptions, Metadata) {
    let concurrency = match options.concurrency {
        Some(wit::Concurrency::FirstWrite) => Concurrency::FirstWrite,
        Some(wit::Concurrency::LastWrite) => Concurrency::LastWrite,
        None => Concurrency::Unset,
    };
    let asked = StateOptions { concurrency, consistency: consistency(options.consistency) };
    (options.etag, asked, metadata(options.metadata))
}

fn consistency(asked: Option<wit::Consistency>) -> Consistency {
    match asked {
        Some(wit::Consistency::Strong) => Consistency::Strong,
        Some(wit::Consistency::Eventual) | None => Consistency::Eventual,
    }
}

fn entry(item: StateItem) -> wit::Entry {
    wit::Entry { value: item.value.into(), etag: item.etag, metadata: item.metadata.into_iter().collect() }
}
