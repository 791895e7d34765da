//! Dapr's pluggable components, in both directions: gRPC over a Unix socket.
//!
//! [`serve`] serves any building-block component so that `daprd` can load it. [`discover`] finds components that other
//! processes serve, and [`register`] adds them as component types. Follows `dapr/pkg/components/pluggable` of Dapr
//! 1.18.

mod contract;
mod host;
mod serve;
mod socket;
mod wire;

pub use host::{DiscoveredSocket, Service, discover, register};
pub use serve::{Block, ComponentFactory, ServeError, serve};
pub use socket::{Socket, SocketError};
