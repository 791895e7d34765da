//! `wasi:keyvalue@0.2.0-draft2`.

use wasmtime::component::Resource;

use super::LISTING_UNSUPPORTED;
use super::bucket::{Bucket, Failure, Snapshot, SwapOutcome};
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
        path: "wit/keyvalue",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:keyvalue/store.bucket": crate::keyvalue::bucket::Bucket,
            "wasi:keyvalue/atomics.cas": crate::keyvalue::draft2::Cas,
        },
    });
}

pub(super) use generated::Imports;

super::shared::implement_draft!(String);

impl atomics::Host for DaprWit {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> KeyvalueResult<i64> {
        let sum = self.table.get(&bucket)?.increment(&key, super::shared::add!(i64, delta)).await;
        Ok(convert(sum).and_then(|sum| sum.parse().map_err(|_| Error::Other("no number".to_owned()))))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> wasmtime::Result<Result<(), CasError>> {
        let Cas { bucket, key, seen } = self.table.delete(cas)?;
        match bucket.swap(&key, &seen, value).await {
            Ok(SwapOutcome::Done) => Ok(Ok(())),
            Ok(SwapOutcome::Lost(seen)) => {
                let again = self.table.push(Cas { bucket, key, seen })?;
                Ok(Err(CasError::CasFailed(again)))
            }
            Err(failure) => Ok(Err(CasError::StoreError(failure.into()))),
        }
    }
}

/// A key with its record at the start of a compare-and-swap.
#[expect(unreachable_pub, reason = "wasmtime's generated code exports it again")]
pub struct Cas {
    bucket: Bucket,
    key: String,
    seen: Snapshot,
}

impl atomics::HostCas for DaprWit {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> KeyvalueResult<Resource<Cas>> {
        let bucket = self.table.get(&bucket)?.clone_handle();
        match bucket.read(&key).await {
            Ok(seen) => Ok(Ok(self.table.push(Cas { bucket, key, seen })?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    async fn current(&mut self, cas: Resource<Cas>) -> KeyvalueResult<Option<Vec<u8>>> {
        Ok(Ok(self.table.get(&cas)?.seen.value.clone()))
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
