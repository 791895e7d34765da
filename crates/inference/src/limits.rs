//! How much one guest may make the host hold. Each instance of a service counts by itself.

/// Graphs and contexts at once, in the ABI of preview 1, where most programs never give one back.
pub const HANDLES: usize = 64;

/// One tensor, in bytes: a picture of 1024 x 1024 as 32-bit numbers takes 12 MiB.
pub const TENSOR: usize = 16 << 20;

/// All tensors that a guest has in the host's memory, in bytes.
pub const TENSORS: usize = 64 << 20;

/// Dimensions of a tensor.
pub const RANK: usize = 8;

/// A graph's name, in bytes.
pub const NAME: usize = 256;
