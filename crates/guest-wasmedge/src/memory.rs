//! The guest's linear memory for host functions: every pointer and length is checked.

use crate::errno::Errno;

/// Maximum buffers of one vectored call; `IOV_MAX` on Linux and in WasmEdge.
pub(crate) const MAX_IOVECS: u32 = 1024;

/// A view of the whole linear memory for the time of one host call.
pub(crate) struct Memory<'a>(pub(crate) &'a mut [u8]);

impl Memory<'_> {
    /// Returns the `len` bytes at `ptr`, or `EFAULT`.
    pub(crate) fn bytes(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        let start = ptr as usize;
        let end = start.checked_add(len as usize).ok_or(Errno::FAULT)?;
        self.0.get(start..end).ok_or(Errno::FAULT)
    }

    /// Returns the `len` bytes at `ptr`, writable, or `EFAULT`.
    pub(crate) fn bytes_mut(&mut self, ptr: u32, len: u32) -> Result<&mut [u8], Errno> {
        let start = ptr as usize;
        let end = start.checked_add(len as usize).ok_or(Errno::FAULT)?;
        self.0.get_mut(start..end).ok_or(Errno::FAULT)
    }

    fn array<const N: usize>(&self, ptr: u32) -> Result<[u8; N], Errno> {
        let start = ptr as usize;
        self.0.get(start..).and_then(|rest| rest.first_chunk::<N>()).copied().ok_or(Errno::FAULT)
    }

    pub(crate) fn u8(&self, ptr: u32) -> Result<u8, Errno> {
        self.array::<1>(ptr).map(|[byte]| byte)
    }

    pub(crate) fn u16(&self, ptr: u32) -> Result<u16, Errno> {
        self.array(ptr).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&self, ptr: u32) -> Result<u32, Errno> {
        self.array(ptr).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&self, ptr: u32) -> Result<u64, Errno> {
        self.array(ptr).map(u64::from_le_bytes)
    }

    /// Copies `bytes` to `ptr`.
    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        self.bytes_mut(ptr, len)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// Reads entry `index` of an `iovec` array: pointer and length of one buffer.
    pub(crate) fn iovec(&self, array: u32, index: u32) -> Result<(u32, u32), Errno> {
        let entry = at(array, index, 8)?;
        Ok((self.u32(entry)?, self.u32(at(entry, 1, 4)?)?))
    }

    /// Collects all buffers of a `ciovec` array, for one vectored write.
    pub(crate) fn gather(&self, array: u32, count: u32) -> Result<Vec<std::io::IoSlice<'_>>, Errno> {
        if count > MAX_IOVECS {
            return Err(Errno::INVAL);
        }
        (0..count)
            .map(|index| {
                let (ptr, len) = self.iovec(array, index)?;
                self.bytes(ptr, len).map(std::io::IoSlice::new)
            })
            .collect()
    }
}

/// Computes the address of element `index` of `size` bytes; `EFAULT` where it overflows.
pub(crate) fn at(base: u32, index: u32, size: u32) -> Result<u32, Errno> {
    index.checked_mul(size).and_then(|offset| base.checked_add(offset)).ok_or(Errno::FAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_out_of_bounds_or_overflowing_is_a_fault() {
        let mut bytes = [0_u8; 16];
        let memory = Memory(&mut bytes);
        assert_eq!(memory.u32(13), Err(Errno::FAULT));
        assert_eq!(memory.u32(u32::MAX), Err(Errno::FAULT));
        assert_eq!(memory.bytes(8, u32::MAX), Err(Errno::FAULT));
        assert_eq!(memory.bytes(0, 16).map(<[u8]>::len), Ok(16));
        assert_eq!(at(u32::MAX - 4, 1, 8), Err(Errno::FAULT));
    }

    #[test]
    fn too_many_buffers_fail_before_any_is_read() {
        let mut bytes = [0_u8; 16];
        assert!(matches!(Memory(&mut bytes).gather(0, MAX_IOVECS + 1), Err(Errno::INVAL)));
    }
}
