//! `wasi:keyvalue@0.2.0-draft`.

use wasmtime::component::Resource;

use super::LISTING_UNSUPPORTED;
use super::bucket::{Bucket, Failure};
use crate::DaprWit;
use generated::wasi::keyvalue::store::{Error, KeyResponse};
use generated::wasi::keyvalue::{atomics, batch, store};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; wit/keyvalue-draft has the documentation")]
mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package daprlet:keyvalue;
            world imports {
                import wasi:keyvalue/store@0.2.0-draft;
                import wasi:keyvalue/atomics@0.2.0-draft;
                import wasi:keyvalue/batch@0.2.0-draft;
            }
        ",
        path: "wit/keyvalue-draft",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:keyvalue/store.bucket": crate::keyvalue::bucket::Bucket,
        },
    });
}

pub(super) use generated::Imports;

super::shared::implement_draft!(u64);

impl atomics::Host for DaprWit {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: u64) -> KeyvalueResult<u64> {
        let sum = self.table.get(&bucket)?.increment(&key, super::shared::add!(u64, delta)).await;
        Ok(convert(sum).and_then(|sum| sum.parse().map_err(|_| Error::Other("no number".to_owned()))))
    }
}
