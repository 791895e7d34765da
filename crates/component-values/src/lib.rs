//! Values that a Dapr component reads, whether its host runs it natively or as a Wasm module.
//!
//! [`Properties`] are the `spec.metadata` of its YAML, with typed getters and errors that name the property.
//! [`TimeToLive`] is what a write says about its expiry. Everything parses as in Dapr, and nothing here does I/O.

pub mod go_duration;
mod properties;
mod secret;
mod time_to_live;

pub use properties::{Properties, PropertyError};
pub use secret::Secret;
pub use time_to_live::{TTL_EXPIRE_TIME, TTL_IN_SECONDS, TimeToLive, TtlError};
