//! Layout of Dapr's state on a Redis server, and the properties that name the server.
//!
//! Shared by the native store and the Wasm component: both must be compatible, since both may share a server with Dapr.
//!
//! A value is a hash with the fields `data`, `version` (the etag, a counter that starts at 1) and, if it was written
//! so, `first-write`. The two scripts make a write or delete atomic with the check of its etag. Their rules are those
//! of `setDefaultQuery` and `delDefaultQuery` in `components-contrib/state/redis/redis.go`; a rejected write is an
//! error as there, and setting the expiry is part of the script.

mod arguments;
mod server;

pub use arguments::{NO_ETAG, ttl_argument, version};
pub use server::{Server, default_ttl, timeout};

/// Script that writes one key and returns the new version.
///
/// Arguments: etag, value, 1 for a first write or 0, seconds to live (0 for no expiry, empty to leave it unchanged).
pub const SET: &str = include_str!("set.lua");

/// Script that deletes one key and returns the number of deleted keys. Argument: etag.
pub const DELETE: &str = include_str!("delete.lua");
