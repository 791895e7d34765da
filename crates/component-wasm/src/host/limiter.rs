//! Limits memory and tables of one instance, across all its modules.

use wasmtime::ResourceLimiter;

/// Maximum memories, tables and modules of one component; toolchains emit a handful.
const MAX_PARTS: usize = 100;
/// Maximum elements of all tables (functions called by reference). Large programs have some ten thousand.
const MAX_ELEMENTS: usize = 1 << 20;

/// Counts the memory and table elements of an instance.
pub(crate) struct Limiter {
    memory: usize,
    max_memory: usize,
    elements: usize,
}

impl Limiter {
    pub(crate) const fn new(max_memory: usize) -> Self {
        Self { memory: 0, max_memory, elements: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, now: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(grow(&mut self.memory, self.max_memory, now, desired))
    }

    fn table_growing(&mut self, now: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(grow(&mut self.elements, MAX_ELEMENTS, now, desired))
    }

    fn instances(&self) -> usize {
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_PARTS
    }
}

/// Adds the growth of one part, if the total stays within `max`.
///
/// A part that then fails to grow stays counted, at the component's own expense.
fn grow(total: &mut usize, max: usize, now: usize, desired: usize) -> bool {
    let sum = total.saturating_add(desired.saturating_sub(now));
    let fits = sum <= max;
    if fits {
        *total = sum;
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_together_stay_within_the_limit() {
        let mut limiter = Limiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 100, None).unwrap());
        assert!(!limiter.memory_growing(0, 1, None).unwrap());
    }
}
