//! State stores.

#[cfg(feature = "state-in-memory")]
pub(crate) mod in_memory;
#[cfg(feature = "state-redis")]
pub(crate) mod redis;
#[cfg(feature = "state-sqlite")]
pub(crate) mod sqlite;
