//! Memory checks before allocation: in a guest, an allocation that fails ends the whole service.

use rten::{Dimension, NodeId};

use super::ModelError;

/// Default memory limit of a model in bytes. A daprlet guest has twice that.
pub const DEFAULT_MODEL_MEMORY: u64 = 512 << 20;

/// Memory to load a network, as a multiple of its file size.
///
/// Loading takes the file, a copy of its weights, and, where they are stored as bytes, four times as much again as
/// numbers.
const LOAD_FACTOR: u64 = 6;

/// Multiple of the file size with another copy of the weights, in multiplication order.
const PREPACKED_LOAD_FACTOR: u64 = 10;

/// Fixed memory for the structure of a network.
const STRUCTURE_BYTES: u64 = 4 << 20;

/// Number of largest values that are alive at once during inference.
///
/// These are an operator's inputs and output, and its temporary values.
const LIVE_VALUES: u64 = 4;

/// Unused ids in a row that mark the end of a network's values: the optimiser leaves gaps.
const LARGEST_GAP: u32 = 2000;

/// Returns the most bytes needed to load a network file of `file` bytes.
pub(super) fn to_load(file: u64) -> u64 {
    file.saturating_mul(LOAD_FACTOR).saturating_add(STRUCTURE_BYTES)
}

/// Like [`to_load`], with weights arranged once instead of for each image.
pub(super) fn to_load_prepacked(file: u64) -> u64 {
    file.saturating_mul(PREPACKED_LOAD_FACTOR).saturating_add(STRUCTURE_BYTES)
}

/// Estimates the bytes needed to run a network, from the known sizes of its values.
pub(super) fn to_run(network: &rten::Model) -> u64 {
    let (mut largest, mut gap, mut id) = (0, 0, 0);
    while gap < LARGEST_GAP {
        match network.node_info(NodeId::from_u32(id)) {
            Some(node) => {
                gap = 0;
                largest = largest.max(node.shape().map_or(0, |shape| bytes(&shape)));
            }
            None => gap += 1,
        }
        id += 1;
    }
    largest.saturating_mul(LIVE_VALUES)
}

/// Checks that `bytes` of memory are free and within the limit.
///
/// # Errors
/// If they are not.
pub(super) fn claim(bytes: u64, limit: u64) -> Result<(), ModelError> {
    let enough =
        bytes <= limit && usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    if enough { Ok(()) } else { Err(ModelError::Memory { needed: bytes, limit }) }
}

/// Counts four bytes for each element; an unknown dimension counts as one.
fn bytes(shape: &[Dimension]) -> u64 {
    shape.iter().fold(4, |bytes: u64, dimension| match dimension {
        Dimension::Fixed(size) => bytes.saturating_mul(*size as u64),
        Dimension::Symbolic(_) => bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_over_limit_or_unavailable_is_refused() {
        assert!(claim(1000, 1000).is_ok());
        assert!(claim(1001, 1000).unwrap_err().to_string().contains("memory"));
        assert!(claim(u64::MAX, u64::MAX).is_err());
    }

    #[test]
    fn load_estimate_of_any_size_does_not_overflow() {
        assert_eq!(to_load(0), STRUCTURE_BYTES);
        assert_eq!(to_load(u64::MAX), u64::MAX);
    }
}
