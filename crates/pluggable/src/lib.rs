//! Dapr's pluggable components: gRPC on a Unix socket, in both directions.
//!
//! [`serve`] makes any component of the building blocks one that the real `daprd` loads; [`discover`] finds those that others
//! serve, and [`register`] makes them component types here. Follows `dapr/pkg/components/pluggable` of Dapr 1.18.

mod contract;
mod host;
mod serve;
mod socket;
mod wire;

pub use host::{Found, Service, discover, register};
pub use serve::{Block, Maker, ServeError, serve};
pub use socket::{Socket, SocketError};
