//! Dapr's HTTP API, as in `daprd` 1.18, in front of a [`Sidecar`](dapr_runtime::Sidecar).
//!
//! The API translates and keeps no state: [`DaprHttp::handle`] maps one request to a call and its outcome to Dapr's
//! status, headers and error body. [`serve`] speaks HTTP/1.1 and h2c over any byte stream, so that the same code serves
//! a TCP port and a guest inside the process.

mod api;
mod baggage;
mod cors;
mod fields;
mod framing;
mod limit;
mod origin;
mod query;
mod response;
mod router;
mod server;
mod token;
mod trace;

pub use api::{DaprHttp, Options};
pub use cors::AllowedOrigins;
pub use dapr_building_blocks::middleware::Peer;
pub use server::{serve, serve_http, serve_peer};
pub use token::ApiToken;
