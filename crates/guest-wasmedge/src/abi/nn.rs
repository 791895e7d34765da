//! `wasi_ephemeral_nn`: host-side inference, as WasmEdge's plug-in offers it.
//!
//! The ABI is that of `wasi-nn`'s `wasi_ephemeral_nn.witx`, with the error numbers of WasmEdge's
//! `plugins/wasi_nn/wasinntypes.h`. [`inference`] decides which models a guest may run, and its limits.

use std::pin::pin;
use std::time::{Duration, Instant};

use inference::{NnError, Tensor, TensorType};
use wasmtime::{Caller, Linker};

use super::split;
use crate::errno::Errno;
use crate::memory::{Memory, at};
use crate::state::{BUSY_THRESHOLD, GuestState};

const MODULE: &str = "wasi_ephemeral_nn";

/// Maximum parts of a graph: OpenVINO's have two, all others one.
const MAX_PARTS: u32 = 16;

/// Supported graph encodings: ONNX and autodetect.
const ENCODINGS: [u32; 2] = [1, 5];

/// Supported execution targets: CPU and auto.
const TARGETS: [u32; 2] = [0, 3];

type Guest<'a> = Caller<'a, GuestState>;

/// An error of a `wasi-nn` call.
enum Failure {
    /// A pointer leads outside the guest's memory. WasmEdge reports this as an invalid argument.
    Pointer,
    Refused(NnError),
}

impl Failure {
    /// WasmEdge's number for the error.
    const fn number(&self) -> i32 {
        match self {
            Self::Pointer | Self::Refused(NnError::InvalidArgument(_)) => 1,
            Self::Refused(NnError::InvalidEncoding(_)) => 2,
            Self::Refused(NnError::RuntimeError(_)) => 5,
            Self::Refused(NnError::TooLarge(_)) => 7,
            Self::Refused(NnError::NotFound(_)) => 8,
        }
    }
}

impl From<Errno> for Failure {
    fn from(_: Errno) -> Self {
        Self::Pointer
    }
}

impl From<NnError> for Failure {
    fn from(refusal: NnError) -> Self {
        Self::Refused(refusal)
    }
}

/// Converts a result to the number that the guest sees, zero for success. The ABI has no room for the error's text.
fn code(result: Result<(), Failure>) -> i32 {
    result.map_or_else(
        |failure| {
            if let Failure::Refused(refusal) = &failure {
                tracing::debug!("wasi-nn: {refusal}");
            }
            failure.number()
        },
        |()| 0,
    )
}

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "load",
        |mut guest: Guest<'_>, parts: u32, n: u32, encoding: u32, on: u32, out: u32| {
            code(load(&mut guest, parts, n, encoding, on, out))
        },
    )?;
    linker.func_wrap(MODULE, "load_by_name", |mut guest: Guest<'_>, name: u32, len: u32, out: u32| {
        code(load_by_name(&mut guest, name, len, out))
    })?;
    linker.func_wrap(MODULE, "unload", |mut guest: Guest<'_>, graph: u32| {
        code(guest.data_mut().nn.unload(graph).map_err(Failure::from))
    })?;
    linker.func_wrap(MODULE, "finalize_execution_context", |mut guest: Guest<'_>, context: u32| {
        code(guest.data_mut().nn.finalize_execution_context(context).map_err(Failure::from))
    })?;
    linker.func_wrap(MODULE, "init_execution_context", |mut guest: Guest<'_>, graph: u32, out: u32| {
        code(init_execution_context(&mut guest, graph, out))
    })?;
    linker.func_wrap(MODULE, "set_input", |mut guest: Guest<'_>, context: u32, place: u32, tensor: u32| {
        code(set_input(&mut guest, context, place, tensor))
    })?;
    linker.func_wrap_async(MODULE, "compute", |mut guest: Guest<'_>, (context,): (u32,)| {
        Box::new(async move { code(compute(&mut guest, context).await) })
    })?;
    linker.func_wrap(
        MODULE,
        "get_output",
        |mut guest: Guest<'_>, context: u32, place: u32, buffer: u32, len: u32, out: u32| {
            code(get_output(&mut guest, context, place, (buffer, len), out))
        },
    )?;
    Ok(())
}

fn load(guest: &mut Guest<'_>, parts: u32, count: u32, encoding: u32, target: u32, out: u32) -> Result<(), Failure> {
    let (mut memory, state) = split(guest)?;
    memory.bytes(out, 4)?;
    if !ENCODINGS.contains(&encoding) {
        return Err(NnError::InvalidEncoding("the host computes ONNX graphs".to_owned()).into());
    }
    if !TARGETS.contains(&target) {
        return Err(NnError::InvalidArgument("the host computes on processors only".to_owned()).into());
    }
    if count > MAX_PARTS {
        return Err(NnError::InvalidArgument("a graph is in few parts".to_owned()).into());
    }
    let parts = (0..count).map(|index| {
        let (ptr, len) = memory.iovec(parts, index)?;
        memory.bytes(ptr, len)
    });
    let parts = parts.collect::<Result<Vec<_>, Errno>>()?;
    let graph = state.nn.load(&parts)?;
    Ok(memory.write_u32(out, graph)?)
}

fn load_by_name(guest: &mut Guest<'_>, name: u32, len: u32, out: u32) -> Result<(), Failure> {
    let (mut memory, state) = split(guest)?;
    memory.bytes(out, 4)?;
    let name = str::from_utf8(memory.bytes(name, len)?);
    let name = name.map_err(|error| NnError::InvalidArgument(format!("a name is text: {error}")))?;
    let graph = state.nn.load_by_name(name)?;
    Ok(memory.write_u32(out, graph)?)
}

fn init_execution_context(guest: &mut Guest<'_>, graph: u32, out: u32) -> Result<(), Failure> {
    let (mut memory, state) = split(guest)?;
    memory.bytes(out, 4)?;
    let context = state.nn.init_execution_context(graph)?;
    Ok(memory.write_u32(out, context)?)
}

fn set_input(guest: &mut Guest<'_>, context: u32, place: u32, ptr: u32) -> Result<(), Failure> {
    let (memory, state) = split(guest)?;
    let tensor = tensor(&memory, ptr)?;
    Ok(state.nn.set_input(context, place, &tensor)?)
}

/// Runs the model. Its time counts as the guest's own; waiting for a turn does not.
async fn compute(guest: &mut Guest<'_>, context: u32) -> Result<(), Failure> {
    let job = guest.data_mut().nn.job(context)?;
    let begin = Instant::now();
    let mut looks = tokio::time::interval(BUSY_THRESHOLD);
    let mut run = pin!(job.run());
    let computed = loop {
        tokio::select! {
            computed = &mut run => break computed,
            _ = looks.tick() => guest.data_mut().check_busy(),
        }
    };
    let state = guest.data_mut();
    let duration = computed.as_ref().map_or(Duration::ZERO, |computed| computed.duration);
    state.activity.exclude_time(begin.elapsed().saturating_sub(duration));
    state.meter.add_host_time(duration);
    Ok(state.nn.finish(context, computed?)?)
}

fn get_output(
    guest: &mut Guest<'_>,
    context: u32,
    place: u32,
    (buffer, len): (u32, u32),
    out: u32,
) -> Result<(), Failure> {
    let (mut memory, state) = split(guest)?;
    memory.bytes(buffer, len)?;
    memory.bytes(out, 4)?;
    let data = &state.nn.output(context, place)?.data;
    let size = u32::try_from(data.len()).ok().filter(|size| *size <= len);
    let size = size.ok_or_else(|| NnError::TooLarge(format!("the output has {} bytes", data.len())))?;
    memory.write(buffer, data)?;
    Ok(memory.write_u32(out, size)?)
}

/// Reads the tensor at `ptr`: pointer and count of dimensions, type, pointer and size of data.
fn tensor(memory: &Memory<'_>, ptr: u32) -> Result<Tensor, Failure> {
    let (dimensions, rank) = memory.iovec(ptr, 0)?;
    let number = memory.u8(at(ptr, 2, 4)?)?;
    let (data, len) = memory.iovec(at(ptr, 3, 4)?, 0)?;
    // Check before anything is copied.
    if rank as usize > inference::limits::MAX_RANK || len as usize > inference::limits::MAX_TENSOR_BYTES {
        return Err(NnError::TooLarge("a tensor of that size".to_owned()).into());
    }
    let dimensions = (0..rank).map(|index| memory.u32(at(dimensions, index, 4)?));
    let dimensions = dimensions.collect::<Result<Vec<_>, Errno>>()?;
    let data = memory.bytes(data, len)?.to_vec();
    let elements = Tensor::elements(&dimensions)?;
    let kind = kind(number, data.len(), elements)
        .ok_or_else(|| NnError::InvalidArgument(format!("{} bytes are no tensor of type {number}", data.len())))?;
    Ok(Tensor { dimensions, kind, data })
}

/// Resolves a type number by the size of the data.
///
/// WasmEdge and the older specification have 2 for bytes and 3 for integers, where the later one has doubles and bytes;
/// the size shows which of them a guest follows.
fn kind(number: u8, bytes: usize, elements: usize) -> Option<TensorType> {
    let meant: &[TensorType] = match number {
        0 => &[TensorType::F16],
        1 => &[TensorType::F32],
        2 => &[TensorType::U8, TensorType::F64],
        3 => &[TensorType::I32, TensorType::U8],
        4 => &[TensorType::I32],
        5 => &[TensorType::I64],
        _ => &[],
    };
    meant.iter().copied().find(|kind| elements.checked_mul(kind.size()) == Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensor_type_is_resolved_by_data_size() {
        assert_eq!(kind(1, 12, 3), Some(TensorType::F32));
        assert_eq!((kind(2, 3, 3), kind(3, 3, 3)), (Some(TensorType::U8), Some(TensorType::U8)));
        assert_eq!((kind(2, 24, 3), kind(3, 12, 3)), (Some(TensorType::F64), Some(TensorType::I32)));
        assert_eq!((kind(1, 11, 3), kind(9, 3, 3)), (None, None));
    }
}
