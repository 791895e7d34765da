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

super::shared::answer_draft!(String);

impl atomics::Host for DaprWit {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Answer<i64> {
        let sum = self.table.get(&bucket)?.increment(&key, super::shared::add!(i64, delta)).await;
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
