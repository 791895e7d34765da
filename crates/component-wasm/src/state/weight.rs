//! Estimates the memory that an argument takes in a component.

use crate::contract::state::{DeleteRequest, GetRequest, Operation, SetRequest};

/// Overhead of one text or list, roughly: a pointer, a length, and the allocator's share.
const OVERHEAD: usize = 32;

/// A value that is copied into a component's memory.
pub(super) trait Weight {
    /// Returns its size in bytes, roughly.
    fn weight(&self) -> usize;
}

impl Weight for () {
    fn weight(&self) -> usize {
        0
    }
}

impl Weight for u32 {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }
}

impl Weight for String {
    fn weight(&self) -> usize {
        OVERHEAD + self.len()
    }
}

impl<A: Weight, B: Weight> Weight for (A, B) {
    fn weight(&self) -> usize {
        self.0.weight() + self.1.weight()
    }
}

impl<T: Weight> Weight for Vec<T> {
    fn weight(&self) -> usize {
        OVERHEAD + self.iter().map(T::weight).sum::<usize>()
    }
}

impl<T: Weight> Weight for Option<T> {
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, T::weight)
    }
}

impl Weight for GetRequest {
    fn weight(&self) -> usize {
        OVERHEAD + self.key.weight() + self.metadata.weight()
    }
}

impl Weight for SetRequest {
    fn weight(&self) -> usize {
        let Self { key, value, etag, metadata, options: _, content_type } = self;
        2 * OVERHEAD + key.weight() + value.len() + etag.weight() + metadata.weight() + content_type.weight()
    }
}

impl Weight for DeleteRequest {
    fn weight(&self) -> usize {
        OVERHEAD + self.key.weight() + self.etag.weight() + self.metadata.weight()
    }
}

impl Weight for Operation {
    fn weight(&self) -> usize {
        match self {
            Self::Set(request) => request.weight(),
            Self::Delete(request) => request.weight(),
        }
    }
}
