//! Limits on the host memory of one guest. Each instance of a service counts separately.

/// Limit on graphs, and on contexts, in the preview 1 ABI, whose programs mostly never release any.
pub const MAX_HANDLES: usize = 64;

/// Limit on one tensor, in bytes: a 1024 x 1024 picture as 32-bit numbers takes 12 MiB.
pub const MAX_TENSOR_BYTES: usize = 16 << 20;

/// Limit on all tensors of a guest, in bytes.
pub const MAX_TENSORS_BYTES: usize = 64 << 20;

/// Limit on the dimensions of a tensor.
pub const MAX_RANK: usize = 8;

/// Limit on a graph's name, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
