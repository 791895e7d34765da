//! Limits the descriptors that the guests of one application have open.
//!
//! A process has only so many, and other applications need some.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A budget of files and sockets, shared by all instances of one application.
#[derive(Debug)]
pub struct DescriptorBudget {
    max: usize,
    open: AtomicUsize,
}

impl DescriptorBudget {
    /// Creates a budget of `max` descriptors.
    #[must_use]
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, open: AtomicUsize::new(0) })
    }

    /// Takes one descriptor, if one is free.
    pub(crate) fn take(self: &Arc<Self>) -> Option<DescriptorPermit> {
        let one_more = |open| (open < self.max).then_some(open + 1);
        self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(DescriptorPermit(self.clone()))
    }
}

/// One descriptor of a budget, returned on drop.
#[derive(Debug)]
pub(crate) struct DescriptorPermit(Arc<DescriptorBudget>);

impl Drop for DescriptorPermit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_given_back_can_be_taken_again() {
        let budget = DescriptorBudget::new(2);
        let (first, second) = (budget.take(), budget.take());
        assert!(first.is_some() && second.is_some() && budget.take().is_none());
        drop(first);
        assert!(budget.take().is_some());
    }
}
