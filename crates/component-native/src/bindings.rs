//! Bindings.

#[cfg(feature = "bindings-cron")]
pub(crate) mod cron;
#[cfg(feature = "bindings-mysql")]
pub(crate) mod mysql;
