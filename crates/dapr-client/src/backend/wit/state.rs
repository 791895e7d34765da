//! State.

use super::super::operation::{DELETE, GET, GET_ALL, SAVE, TRANSACTION};
use super::super::{BulkRecord, CallOptions, StoredRecord};
use super::convert_error;
use super::wit::dapr::runtime::state as wit;
use crate::Error;
use crate::state::{Concurrency, Consistency, Delete, Etag, Operation, Save, WriteOptions};

/// Metadata key with the expiry time of a record.
const EXPIRY_KEY: &str = "ttlExpireTime";

pub(super) fn get(
    call_options: &CallOptions,
    store: &str,
    key: &str,
    asked: Option<Consistency>,
) -> Result<Option<StoredRecord>, Error> {
    let entry = wit::get(store, key, asked.map(consistency), &[], call_options.milliseconds());
    entry.map(|entry| entry.map(found)).map_err(|error| convert_error(call_options, GET, error))
}

pub(super) fn get_all(call_options: &CallOptions, store: &str, keys: &[&str]) -> Result<Vec<BulkRecord>, Error> {
    let owned: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let entries = wit::get_all(store, &owned, &[], call_options.milliseconds());
    let entries = entries.map_err(|error| convert_error(call_options, GET_ALL, error))?;
    let item = |(key, entry): (String, Result<Option<wit::Entry>, String>)| BulkRecord {
        key,
        record: entry.map(|entry| entry.map(found)),
    };
    Ok(owned.into_iter().zip(entries).map(item).collect())
}

pub(super) fn save(call_options: &CallOptions, store: &str, records: &[Save<'_>]) -> Result<(), Error> {
    let records: Vec<_> = records.iter().map(record).collect();
    wit::save(store, &records, call_options.milliseconds()).map_err(|error| convert_error(call_options, SAVE, error))
}

pub(super) fn delete(call_options: &CallOptions, store: &str, key: &str, options: &WriteOptions) -> Result<(), Error> {
    let options = wit::Options {
        etag: options.etag.as_ref().map(|etag| etag.as_str().to_owned()),
        concurrency: options.concurrency.map(concurrency),
        consistency: options.consistency.map(consistency),
        metadata: Vec::new(),
    };
    wit::delete(store, key, &options, call_options.milliseconds())
        .map_err(|error| convert_error(call_options, DELETE, error))
}

pub(super) fn transaction(call_options: &CallOptions, store: &str, operations: &[Operation<'_>]) -> Result<(), Error> {
    let operation = |operation: &Operation<'_>| match operation {
        Operation::Upsert(save) => wit::Operation::Upsert(record(save)),
        Operation::Delete(delete) => wit::Operation::Delete(deletion(delete)),
    };
    let operations: Vec<_> = operations.iter().map(operation).collect();
    let done = wit::transaction(store, &operations, &[], call_options.milliseconds());
    done.map_err(|error| convert_error(call_options, TRANSACTION, error))
}

fn found(entry: wit::Entry) -> StoredRecord {
    let expires = entry.metadata.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(EXPIRY_KEY));
    StoredRecord {
        value: entry.value.into(),
        etag: entry.etag.filter(|etag| !etag.is_empty()).map(Etag::new),
        expires: expires.map(|(_, value)| value),
    }
}

fn record(save: &Save<'_>) -> wit::Upsert {
    let behaviour = save.options.as_ref();
    let options = wit::Options {
        etag: save.etag.clone(),
        concurrency: behaviour.and_then(|it| it.concurrency).map(concurrency),
        consistency: behaviour.and_then(|it| it.consistency).map(consistency),
        metadata: save.metadata.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    wit::Upsert { key: save.key.to_owned(), value: save.value.get().as_bytes().to_vec(), options }
}

fn deletion(delete: &Delete<'_>) -> wit::Deletion {
    let behaviour = delete.options.as_ref();
    let options = wit::Options {
        etag: delete.etag.clone(),
        concurrency: behaviour.and_then(|it| it.concurrency).map(concurrency),
        consistency: behaviour.and_then(|it| it.consistency).map(consistency),
        metadata: Vec::new(),
    };
    wit::Deletion { key: delete.key.to_owned(), options }
}

fn concurrency(asked: Concurrency) -> wit::Concurrency {
    match asked {
        Concurrency::FirstWrite => wit::Concurrency::FirstWrite,
        Concurrency::LastWrite => wit::Concurrency::LastWrite,
    }
}

fn consistency(asked: Consistency) -> wit::Consistency {
    match asked {
        Consistency::Strong => wit::Consistency::Strong,
        Consistency::Eventual => wit::Consistency::Eventual,
    }
}
