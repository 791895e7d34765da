//! Tensors in the guests' format: little-endian elements in row-major order.

use std::time::Duration;

use crate::error::NnError;
use crate::limits;

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorType {
    /// Half precision.
    F16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// bfloat16: the upper half of a single-precision number.
    Bf16,
    /// Unsigned bytes.
    U8,
    /// Signed 32-bit integers.
    I32,
    /// Signed 64-bit integers.
    I64,
}

impl TensorType {
    /// Returns the size of one element, in bytes.
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

/// Tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Number of elements in each dimension.
    pub dimensions: Vec<u32>,
    /// Type of the elements.
    pub kind: TensorType,
    /// Bytes of the elements.
    pub data: Vec<u8>,
}

impl Tensor {
    /// Returns the number of elements for the given dimensions, none of which may be zero.
    ///
    /// # Errors
    /// When a dimension is zero, or there are too many elements or dimensions.
    pub fn elements(dimensions: &[u32]) -> Result<usize, NnError> {
        if dimensions.len() > limits::MAX_RANK {
            return Err(NnError::invalid_argument(format!("a tensor has at most {} dimensions", limits::MAX_RANK)));
        }
        let all = dimensions.iter().try_fold(1_usize, |all, size| all.checked_mul(*size as usize));
        let all = all.filter(|all| *all <= limits::MAX_TENSOR_BYTES);
        let all =
            all.ok_or_else(|| NnError::TooLarge(format!("a tensor has at most {} bytes", limits::MAX_TENSOR_BYTES)))?;
        if all == 0 { Err(NnError::invalid_argument("a tensor without elements")) } else { Ok(all) }
    }

    /// Checks that the data has the size that the dimensions require, within the limit.
    ///
    /// # Errors
    /// When the size differs or exceeds the limit.
    pub fn check(&self) -> Result<(), NnError> {
        let expected = Self::elements(&self.dimensions)?.saturating_mul(self.kind.size());
        if self.data.len() > limits::MAX_TENSOR_BYTES {
            return Err(NnError::TooLarge(format!("a tensor has at most {} bytes", limits::MAX_TENSOR_BYTES)));
        }
        if self.data.len() == expected {
            return Ok(());
        }
        let (found, dimensions, kind) = (self.data.len(), &self.dimensions, self.kind);
        Err(NnError::invalid_argument(format!(
            "{dimensions:?} of {kind:?} are {expected} bytes, and there are {found}"
        )))
    }
}

/// Result of a computation.
#[derive(Debug)]
pub struct ComputeResult {
    /// Outputs with their names, in the graph's order.
    pub outputs: Vec<(String, Tensor)>,
    /// Computing time, without the time in the queue.
    pub duration: Duration,
}
