//! Memory used by guests, limited for an application and for an instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wasmtime::ResourceLimiter;

/// Size of a table entry, in bytes.
const TABLE_ENTRY: usize = 16;

/// Maximum entries of a table: filling it is one instruction, which cannot be interrupted.
const MAX_TABLE: usize = 1 << 20;

/// Memory of all instances of one application.
#[derive(Debug)]
pub struct MemoryAccount {
    /// Limit in bytes.
    limit: usize,
    used: AtomicUsize,
}

impl MemoryAccount {
    /// Creates an account with a limit in bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Reserves memory, if enough is left.
    pub fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let mut reservation = Reservation { account: self.clone(), bytes: 0 };
        reservation.try_grow(bytes).then_some(reservation)
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

/// A share of an account, returned on drop.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<MemoryAccount>,
    bytes: usize,
}

impl Reservation {
    /// Grows the reservation, if enough is left.
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        let limit = self.account.limit;
        let grown = |used: usize| used.checked_add(bytes).filter(|used| *used <= limit);
        let fits = self.account.used.fetch_update(Relaxed, Relaxed, grown).is_ok();
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    fn shrink(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.account.used.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.used.fetch_sub(self.bytes, Relaxed);
    }
}

/// Memory limit of one instance: all its linear memories and tables together.
#[derive(Debug)]
pub struct InstanceMemory {
    reservation: Reservation,
    /// Limit in bytes.
    limit: usize,
    /// The last growth, in bytes, to undo if the system has no memory for it.
    last_growth: usize,
}

impl InstanceMemory {
    /// Creates a limit of `limit` bytes, charged to `account`.
    #[must_use]
    pub fn new(account: Arc<MemoryAccount>, limit: usize) -> Self {
        Self { reservation: Reservation { account, bytes: 0 }, limit, last_growth: 0 }
    }

    fn try_grow(&mut self, bytes: usize) -> bool {
        let fits = self.reservation.bytes.saturating_add(bytes) <= self.limit && self.reservation.try_grow(bytes);
        self.last_growth = if fits { bytes } else { 0 };
        fits
    }

    fn undo_growth(&mut self, error: &wasmtime::Error) {
        tracing::debug!(%error, "memory of a guest not grown");
        let last_growth = std::mem::take(&mut self.last_growth);
        self.reservation.shrink(last_growth);
    }
}

impl ResourceLimiter for InstanceMemory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let is_allowed = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(is_allowed && self.try_grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.undo_growth(&error);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let is_allowed = maximum.is_none_or(|maximum| desired <= maximum) && desired <= MAX_TABLE;
        Ok(is_allowed && self.try_grow(desired.saturating_sub(current).saturating_mul(TABLE_ENTRY)))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.undo_growth(&error);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_share_one_account_and_give_back() {
        let account = MemoryAccount::new(100);
        let mut first = InstanceMemory::new(account.clone(), 80);
        assert!(first.memory_growing(0, 50, None).unwrap());
        assert!(!first.memory_growing(0, 31, None).unwrap(), "a second memory counts, too");
        let mut second = InstanceMemory::new(account.clone(), 80);
        assert!(!second.memory_growing(0, 51, None).unwrap());
        assert!(second.memory_growing(0, 50, None).unwrap());
        assert!(account.try_reserve(1).is_none());
        drop(first);
        assert_eq!(account.used(), 50);
        second.memory_grow_failed(wasmtime::Error::msg("none left")).unwrap();
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn table_is_limited_in_entries_and_counted_in_bytes() {
        let account = MemoryAccount::new(usize::MAX);
        let mut instance = InstanceMemory::new(account.clone(), usize::MAX);
        assert!(!instance.table_growing(0, MAX_TABLE + 1, None).unwrap());
        assert!(instance.table_growing(0, MAX_TABLE, None).unwrap());
        assert_eq!(account.used(), MAX_TABLE * TABLE_ENTRY);
    }
}
