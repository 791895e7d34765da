//! Dapr's gRPC API, generated from `proto/` by `build.rs`.

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated; the .proto has the documentation"
)]
mod generated {
    pub(crate) mod common {
        pub(crate) mod v1 {
            tonic::include_proto!("dapr.proto.common.v1");
        }
    }
    pub(crate) mod runtime {
        pub(crate) mod v1 {
            tonic::include_proto!("dapr.proto.runtime.v1");
        }
    }
}

pub(crate) use generated::common::v1::state_options::{StateConcurrency, StateConsistency};
pub(crate) use generated::common::v1::{Etag, StateItem, StateOptions};
pub(crate) use generated::runtime::v1::dapr_client::DaprClient;
pub(crate) use generated::runtime::v1::{
    DeleteStateRequest, ExecuteStateTransactionRequest, GetBulkStateRequest, GetStateRequest, SaveStateRequest,
    TransactionalStateOperation,
};
