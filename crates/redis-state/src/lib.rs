//! How Dapr's state store lays state out on a Redis server, for the native store and the one that is a Wasm component: both
//! have to mean the same, since both may share a server with Dapr's.
//!
//! A value is a hash with the fields `data`, `version` (the etag, a counter that starts at 1) and, where it was written so,
//! `first-write`. The two scripts make a write or delete and the check of its etag one step. Their rules are those of
//! `setDefaultQuery` and `delDefaultQuery` in `components-contrib/state/redis/redis.go`; a refusal is an error as there, and
//! the expiry belongs to the step.
#![no_std]

/// The etag of a request that has none.
pub const NO_ETAG: &str = "0";

/// Writes the one key that it is given, and answers the new version. Arguments: etag, value, whether it is a first write (0 or
/// 1), seconds to live (0 for ever, nothing to leave it as it is).
pub const SET: &str = include_str!("set.lua");

/// Deletes the one key that it is given, and answers how many that were. Argument: etag.
pub const DELETE: &str = include_str!("delete.lua");
