//! State.

use std::time::Duration;

use dapr_client::state::{Concurrency, Consistency, Entry, Etag, Operation, Save, WriteOptions};
use serde_json::value::RawValue;

use crate::DaprOverHttp;
use crate::bindings::exports::dapr::runtime::state as wit;
use crate::client::ask;
use crate::error::{Error, json};

type Record = Entry<Box<RawValue>>;

impl wit::Guest for DaprOverHttp {
    fn get(
        store: String,
        key: String,
        consistency: Option<wit::Consistency>,
        _: Vec<(String, String)>,
        deadline: Option<u32>,
    ) -> Result<Option<wit::Entry>, Error> {
        let found = ask(deadline, async |dapr| match consistency {
            Some(wit::Consistency::Strong) => dapr.state(&store).get_consistent(&key, Consistency::Strong).await,
            Some(wit::Consistency::Eventual) => dapr.state(&store).get_consistent(&key, Consistency::Eventual).await,
            None => dapr.state(&store).get(&key).await,
        })?;
        Ok(found.map(entry))
    }

    fn get_all(
        store: String,
        keys: Vec<String>,
        _: Vec<(String, String)>,
        deadline: Option<u32>,
    ) -> Result<Vec<Result<Option<wit::Entry>, String>>, Error> {
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = ask(deadline, async |dapr| dapr.state(&store).get_all::<Box<RawValue>>(&asked).await)?;
        // Dapr's response may be in any order.
        let answer = |key: &String| {
            let item = found.iter().find(|item| item.key == *key);
            item.map_or(Ok(None), |item| item.entry.clone().map(|found| found.map(entry)))
        };
        Ok(keys.iter().map(answer).collect())
    }

    fn save(store: String, records: Vec<wit::Upsert>, deadline: Option<u32>) -> Result<(), Error> {
        let values = records.into_iter().map(|it| Ok((it.key, json(it.value)?, options(it.options))));
        let values = values.collect::<Result<Vec<_>, Error>>()?;
        ask(deadline, async |dapr| {
            let records = values.iter().map(|(key, value, options)| Save::new(key, value, options));
            dapr.state(&store).save_all(&records.collect::<Result<Vec<_>, _>>()?).await
        })
    }

    fn delete(store: String, key: String, asked: wit::Options, deadline: Option<u32>) -> Result<(), Error> {
        let asked = options(asked);
        ask(deadline, async |dapr| dapr.state(&store).delete(&key, &asked).await)
    }

    fn transaction(
        store: String,
        operations: Vec<wit::Operation>,
        _: Vec<(String, String)>,
        deadline: Option<u32>,
    ) -> Result<(), Error> {
        let mut steps = Vec::with_capacity(operations.len());
        for operation in operations {
            steps.push(match operation {
                wit::Operation::Upsert(it) => (it.key, Some(json(it.value)?), options(it.options)),
                wit::Operation::Delete(it) => (it.key, None, options(it.options)),
            });
        }
        ask(deadline, async |dapr| {
            let steps = steps.iter().map(|(key, value, options)| match value {
                Some(value) => Operation::upsert(key, value, options),
                None => Ok(Operation::delete(key, options)),
            });
            dapr.state(&store).transaction(&steps.collect::<Result<Vec<_>, _>>()?).await
        })
    }
}

fn entry(record: Record) -> wit::Entry {
    let expires = record.expires.map(|time| ("ttlExpireTime".to_owned(), time));
    wit::Entry {
        value: record.value.get().as_bytes().to_vec(),
        etag: record.etag.map(|etag| etag.as_str().to_owned()),
        metadata: expires.into_iter().collect(),
    }
}

fn options(asked: wit::Options) -> WriteOptions {
    let seconds = asked.metadata.iter().find(|(name, _)| name == "ttlInSeconds");
    WriteOptions {
        etag: asked.etag.filter(|etag| !etag.is_empty()).map(Etag::new),
        concurrency: asked.concurrency.map(|it| match it {
            wit::Concurrency::FirstWrite => Concurrency::FirstWrite,
            wit::Concurrency::LastWrite => Concurrency::LastWrite,
        }),
        consistency: asked.consistency.map(|it| match it {
            wit::Consistency::Strong => Consistency::Strong,
            wit::Consistency::Eventual => Consistency::Eventual,
        }),
        ttl: seconds.and_then(|(_, seconds)| seconds.parse().ok()).map(Duration::from_secs),
    }
}
