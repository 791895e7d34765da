//! Tensors as guests have them: bytes in little-endian order, row by row.

use std::time::Duration;

use crate::error::Refusal;
use crate::limits;

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorType {
    /// Half precision.
    F16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Half the bits of single precision.
    Bf16,
    /// Bytes.
    U8,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
}

impl TensorType {
    /// The size of one element, in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

/// A tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// How many elements there are in each direction.
    pub dimensions: Vec<u32>,
    /// What they are.
    pub kind: TensorType,
    /// The elements.
    pub data: Vec<u8>,
}

impl Tensor {
    /// How many elements such dimensions have; at least one in each direction.
    ///
    /// # Errors
    /// When there are too many.
    pub fn elements(dimensions: &[u32]) -> Result<usize, Refusal> {
        if dimensions.len() > limits::RANK {
            return Err(Refusal::argument(format!("a tensor has at most {} dimensions", limits::RANK)));
        }
        let all = dimensions.iter().try_fold(1_usize, |all, size| all.checked_mul(*size as usize));
        let all = all.filter(|all| *all <= limits::TENSOR);
        let all = all.ok_or_else(|| Refusal::TooLarge(format!("a tensor has at most {} bytes", limits::TENSOR)))?;
        if all == 0 { Err(Refusal::argument("a tensor without elements")) } else { Ok(all) }
    }

    /// Checks that there are as many bytes as the dimensions say, and not too many.
    ///
    /// # Errors
    /// When there are not.
    pub fn check(&self) -> Result<(), Refusal> {
        let expected = Self::elements(&self.dimensions)?.saturating_mul(self.kind.size());
        if self.data.len() > limits::TENSOR {
            return Err(Refusal::TooLarge(format!("a tensor has at most {} bytes", limits::TENSOR)));
        }
        if self.data.len() == expected {
            return Ok(());
        }
        let (found, dimensions, kind) = (self.data.len(), &self.dimensions, self.kind);
        Err(Refusal::argument(format!("{dimensions:?} of {kind:?} are {expected} bytes, and there are {found}")))
    }
}

/// What came out of a graph.
#[derive(Debug)]
pub struct Computed {
    /// Its outputs with their names, in its order.
    pub outputs: Vec<(String, Tensor)>,
    /// How long it computed, without the wait for its turn.
    pub took: Duration,
}
