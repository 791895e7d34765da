//! Access to a guest's memory; all ranges come from the guest and are checked.

use wasmtime::{Caller, Extern, Memory, Result, bail, format_err};

use crate::guest::HostState;

/// Limit on a text or value that a guest passes in one call. Bodies are passed in pieces.
const MAX_ARGUMENT_BYTES: u32 = 16 << 20;

pub(crate) fn memory(caller: &mut Caller<'_, HostState>) -> Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => bail!("the guest exports no memory"),
    }
}

pub(crate) fn read(caller: &mut Caller<'_, HostState>, offset: u32, length: u32) -> Result<Vec<u8>> {
    if length > MAX_ARGUMENT_BYTES {
        bail!("{length} bytes in one call are more than {MAX_ARGUMENT_BYTES}");
    }
    let memory = memory(caller)?;
    let start = offset as usize;
    let range = memory.data(&caller).get(start..start + length as usize);
    range.map(<[u8]>::to_vec).ok_or_else(|| format_err!("{length} bytes at {offset} are outside of the memory"))
}

pub(crate) fn write(caller: &mut Caller<'_, HostState>, offset: u32, bytes: &[u8]) -> Result<()> {
    let memory = memory(caller)?;
    Ok(memory.write(caller, offset as usize, bytes)?)
}

/// Writes `value` if it fits into `limit`. Returns its length, so that the guest can retry with a larger buffer.
pub(crate) fn write_if_fits(caller: &mut Caller<'_, HostState>, offset: u32, limit: u32, value: &[u8]) -> Result<u32> {
    let length = u32::try_from(value.len())?;
    if length <= limit && length > 0 {
        write(caller, offset, value)?;
    }
    Ok(length)
}

/// Writes NUL-terminated texts if they fit into `limit`.
///
/// Returns their number in the upper half and their length in the lower half.
pub(crate) fn write_list(
    caller: &mut Caller<'_, HostState>,
    offset: u32,
    limit: u32,
    texts: &[Vec<u8>],
) -> Result<u64> {
    let bytes: Vec<u8> = texts.iter().flat_map(|text| text.iter().copied().chain([0])).collect();
    let length = write_if_fits(caller, offset, limit, &bytes)?;
    Ok((texts.len() as u64) << 32 | u64::from(length))
}
