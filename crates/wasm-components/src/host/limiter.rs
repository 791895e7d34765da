//! Memory and tables of one instance, however many modules it is made of.

use wasmtime::ResourceLimiter;

/// Memories, tables and modules of one component; toolchains make a handful.
const MAX_PARTS: usize = 100;
/// Elements of all tables: functions that are called by reference. Large programs have some ten thousand.
const MAX_ELEMENTS: usize = 1 << 20;

/// Counts what an instance has taken.
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
    fn memory_growing(&mut self, now: usize, wanted: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(grow(&mut self.memory, self.max_memory, now, wanted))
    }

    fn table_growing(&mut self, now: usize, wanted: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(grow(&mut self.elements, MAX_ELEMENTS, now, wanted))
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

/// Adds what one part grows by, if the whole stays within `most`. A part that then fails to grow stays counted, which is to
/// the component's disadvantage only.
fn grow(total: &mut usize, most: usize, now: usize, wanted: usize) -> bool {
    let sum = total.saturating_add(wanted.saturating_sub(now));
    let fits = sum <= most;
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
