//! Code that `build.rs` generates from `proto/`.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated; the .proto has the documentation"
)]
mod generated {
    tonic::include_proto!("dapr.proto.components.v1");
}

pub(crate) use generated::*;

/// Descriptor set of the protocol, for reflection.
pub(crate) const DESCRIPTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/components.bin"));

/// Header with the `metadata.name` of the component YAML that a call is for. `dapr/pkg/components/pluggable/grpc.go`.
pub(crate) const INSTANCE_HEADER: &str = "x-component-instance";

/// Limit on a message, in bytes. gRPC's default of 4 MiB is less than a Dapr with a larger `--max-body-size` forwards.
pub(crate) const MAX_MESSAGE_SIZE: usize = 64 << 20;
