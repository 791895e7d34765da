//! Dapr's HTTP API, as `daprd` 1.18 answers it, in front of a [`Sidecar`](sidecar::Sidecar).
//!
//! The face translates and keeps nothing: [`DaprHttp::handle`] maps one request to a call and its outcome to Dapr's
//! status, headers and error body. [`serve`] speaks HTTP/1.1 and h2c over any byte stream, so that the same code answers
//! a TCP port and a guest inside the process.

mod api;
mod baggage;
mod cors;
mod fields;
mod framing;
mod limit;
pub mod middleware;
mod origin;
mod peer;
mod response;
mod route;
mod server;
mod token;
mod trace;

pub use api::{ApiAccess, ApiRule, DaprHttp, Options};
pub use cors::AllowedOrigins;
pub use peer::Peer;
pub use server::{serve, serve_peer, speak};
pub use token::ApiToken;
