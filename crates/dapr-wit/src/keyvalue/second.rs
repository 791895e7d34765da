//! `wasi:keyvalue@0.2.0-draft2`.

use wasmtime::component::Resource;

use super::UNLISTED;
use super::bucket::{Bucket, Failure, Seen, Swapped};
use crate::DaprWit;
use generated::wasi::keyvalue::atomics::CasError;
use generated::wasi::keyvalue::store::{Error, KeyResponse};
use generated::wasi::keyvalue::{atomics, batch, store};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/keyvalue has the documentation")]
mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package daprlet:keyvalue;
            world imports {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
            }
        ",
        path: "../../wit/keyvalue",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:keyvalue/store.bucket": crate::keyvalue::bucket::Bucket,
            "wasi:keyvalue/atomics.cas": crate::keyvalue::second::Cas,
        },
    });
}

pub(super) use generated::Imports;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

fn told<T>(answer: Result<T, Failure>) -> Result<T, Error> {
    answer.map_err(Error::from)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoSuchStore => Self::NoSuchStore,
            Failure::Other(why) => Self::Other(why),
        }
    }
}

impl store::Host for DaprWit {
    async fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
        match Bucket::open(&self.sidecar, identifier) {
            Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }
}

impl store::HostBucket for DaprWit {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        Ok(told(self.table.get(&bucket)?.get(&key).await))
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        Ok(told(self.table.get(&bucket)?.set(vec![(key, value)]).await))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<()> {
        Ok(told(self.table.get(&bucket)?.delete(vec![key]).await))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<bool> {
        Ok(told(self.table.get(&bucket)?.get(&key).await.map(|value| value.is_some())))
    }

    async fn list_keys(&mut self, bucket: Resource<Bucket>, _: Option<String>) -> Answer<KeyResponse> {
        self.table.get(&bucket)?;
        Ok(Err(Error::Other(UNLISTED.to_owned())))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl batch::Host for DaprWit {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
        Ok(told(self.table.get(&bucket)?.get_many(keys).await))
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        Ok(told(self.table.get(&bucket)?.set(pairs).await))
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
        Ok(told(self.table.get(&bucket)?.delete(keys).await))
    }
}

impl atomics::Host for DaprWit {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Answer<i64> {
        let add = |text: &str| {
            let now: i64 = text.parse().map_err(|_| "this is no number".to_owned())?;
            Ok(now.checked_add(delta).ok_or("the sum is too large")?.to_string())
        };
        let sum = self.table.get(&bucket)?.increment(&key, add).await;
        Ok(told(sum).and_then(|sum| sum.parse().map_err(|_| Error::Other("no number".to_owned()))))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> wasmtime::Result<Result<(), CasError>> {
        let Cas { bucket, key, seen } = self.table.delete(cas)?;
        match bucket.swap(&key, &seen, value).await {
            Ok(Swapped::Done) => Ok(Ok(())),
            Ok(Swapped::Lost(seen)) => {
                let again = self.table.push(Cas { bucket, key, seen })?;
                Ok(Err(CasError::CasFailed(again)))
            }
            Err(failure) => Ok(Err(CasError::StoreError(failure.into()))),
        }
    }
}

/// A key as it was when a compare-and-swap began.
#[expect(unreachable_pub, reason = "wasmtime's generated code exports it again")]
pub struct Cas {
    bucket: Bucket,
    key: String,
    seen: Seen,
}

impl atomics::HostCas for DaprWit {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Resource<Cas>> {
        let bucket = self.table.get(&bucket)?.another();
        match bucket.see(&key).await {
            Ok(seen) => Ok(Ok(self.table.push(Cas { bucket, key, seen })?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Answer<Option<Vec<u8>>> {
        Ok(Ok(self.table.get(&cas)?.seen.value.clone()))
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
