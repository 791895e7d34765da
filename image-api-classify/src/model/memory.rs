//! Memory is asked for before it is taken: in a guest, an allocation that fails ends the whole service.

use rten::{Dimension, NodeId};

use super::ModelError;

/// How much a model may take, if nobody says otherwise. A guest of daprlet has twice that.
pub const DEFAULT_MODEL_MEMORY: u64 = 512 << 20;

/// Reading a network takes its file, a copy of its weights, and, where they are stored as bytes, four times as much again
/// as numbers.
const TIMES_FILE: u64 = 6;

/// The same with a further copy of the weights, in the order in which they are multiplied.
const TIMES_FILE_ARRANGED: u64 = 10;

/// The structure of a network, whatever its size.
const STRUCTURE: u64 = 4 << 20;

/// How many of its largest values are alive at once while a network computes: an operator's inputs and output, and what
/// the operator itself needs.
const ALIVE: u64 = 4;

/// After so many numbers that name nothing, a network has no more values: the optimiser leaves gaps.
const LARGEST_GAP: u32 = 2000;

/// What it takes at most to load a network's file of that size.
pub(super) fn to_load(file: u64) -> u64 {
    file.saturating_mul(TIMES_FILE).saturating_add(STRUCTURE)
}

/// The same for one whose weights are arranged once, and not for each picture again.
pub(super) fn to_load_arranged(file: u64) -> u64 {
    file.saturating_mul(TIMES_FILE_ARRANGED).saturating_add(STRUCTURE)
}

/// What it takes to run a network, as far as it tells the sizes of its values.
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
    largest.saturating_mul(ALIVE)
}

/// Succeeds if that much memory is free, and within the limit.
///
/// # Errors
/// When it is not.
pub(super) fn claim(bytes: u64, limit: u64) -> Result<(), ModelError> {
    let enough =
        bytes <= limit && usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    if enough { Ok(()) } else { Err(ModelError::Memory { needed: bytes, limit }) }
}

/// Four bytes for each number; a dimension that is not known yet counts as one.
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
    fn what_is_over_the_limit_or_not_there_is_refused() {
        assert!(claim(1000, 1000).is_ok());
        assert!(claim(1001, 1000).unwrap_err().to_string().contains("memory"));
        assert!(claim(u64::MAX, u64::MAX).is_err());
    }

    #[test]
    fn a_file_of_any_size_has_an_answer() {
        assert_eq!(to_load(0), STRUCTURE);
        assert_eq!(to_load(u64::MAX), u64::MAX);
    }
}
