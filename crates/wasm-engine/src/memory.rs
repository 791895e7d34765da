//! The memory that guests make the host hold, counted for an application and for an instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wasmtime::ResourceLimiter;

/// What an entry of a table takes, in bytes.
const TABLE_ENTRY: usize = 16;

/// The most entries of a table: an instruction that fills it is not interrupted.
const MAX_TABLE: usize = 1 << 20;

/// The memory of all instances of one application.
#[derive(Debug)]
pub struct MemoryAccount {
    /// In bytes.
    limit: usize,
    used: AtomicUsize,
}

impl MemoryAccount {
    /// An account with a limit in bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Reserves memory, unless that is more than is left.
    pub fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let mut reservation = Reservation { account: self.clone(), bytes: 0 };
        reservation.try_grow(bytes).then_some(reservation)
    }

    /// The bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

/// A part of an account; dropping it gives it back.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<MemoryAccount>,
    bytes: usize,
}

impl Reservation {
    /// Reserves more, unless that is more than is left.
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

/// What one instance may have: all its linear memories and tables together.
#[derive(Debug)]
pub struct InstanceMemory {
    reservation: Reservation,
    /// In bytes.
    limit: usize,
    /// The last growth, which fails if the system has no memory for it.
    last: usize,
}

impl InstanceMemory {
    /// At most `limit` bytes, all of them of `account`.
    #[must_use]
    pub fn new(account: Arc<MemoryAccount>, limit: usize) -> Self {
        Self { reservation: Reservation { account, bytes: 0 }, limit, last: 0 }
    }

    fn grows(&mut self, bytes: usize) -> bool {
        let fits = self.reservation.bytes.saturating_add(bytes) <= self.limit && self.reservation.try_grow(bytes);
        self.last = if fits { bytes } else { 0 };
        fits
    }

    fn failed(&mut self, error: &wasmtime::Error) {
        tracing::debug!(%error, "memory of a guest not grown");
        let last = std::mem::take(&mut self.last);
        self.reservation.shrink(last);
    }
}

impl ResourceLimiter for InstanceMemory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let is_allowed = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(is_allowed && self.grows(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed(&error);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let is_allowed = maximum.is_none_or(|maximum| desired <= maximum) && desired <= MAX_TABLE;
        Ok(is_allowed && self.grows(desired.saturating_sub(current).saturating_mul(TABLE_ENTRY)))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed(&error);
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
