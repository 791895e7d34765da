//! The protocol, as `build.rs` makes it of `proto/`.

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

/// The protocol's description, which reflection tells.
pub(crate) const DESCRIPTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/components.bin"));

/// Which of the YAML's components a call is for: its `metadata.name`. `dapr/pkg/components/pluggable/grpc.go`.
pub(crate) const INSTANCE: &str = "x-component-instance";

/// The largest message that is taken, in bytes; gRPC's own 4 MiB are less than a Dapr with `--max-body-size` hands on.
pub(crate) const LARGEST_MESSAGE: usize = 64 << 20;
