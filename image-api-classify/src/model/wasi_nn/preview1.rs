//! `wasi_ephemeral_nn`, the ABI of preview 1, with the error codes of WasmEdge's plug-in.

#![expect(
    unsafe_code,
    reason = "an ABI of pointers; each of those that are handed out here lives longer than the call"
)]

use super::Kind;

#[link(wasm_import_module = "wasi_ephemeral_nn")]
unsafe extern "C" {
    fn load(parts: *const Part, count: usize, encoding: u32, target: u32, graph: *mut u32) -> u32;
    fn load_by_name(name: *const u8, len: usize, graph: *mut u32) -> u32;
    fn init_execution_context(graph: u32, context: *mut u32) -> u32;
    fn set_input(context: u32, place: u32, tensor: *const Tensor) -> u32;
    fn compute(context: u32) -> u32;
    fn get_output(context: u32, place: u32, buffer: *mut u8, len: u32, written: *mut u32) -> u32;
}

/// Graph encoding ONNX.
const ONNX: u32 = 1;

/// Execution target CPU.
const CPU: u32 = 0;

/// A part of a graph's file in the host's layout; ONNX has one.
#[repr(C)]
struct Part {
    bytes: *const u8,
    len: usize,
}

/// A tensor in the host's layout.
#[repr(C)]
struct Tensor {
    dimensions: *const u32,
    rank: usize,
    kind: u32,
    data: *const u8,
    len: usize,
}

/// An execution context, which is reused: the ABI cannot release it.
pub(super) struct Graph {
    context: u32,
}

impl Graph {
    /// Opens a context of the network by name, else by content.
    ///
    /// # Errors
    /// If the host has no such network.
    pub(super) fn open(name: &str, file: &[u8]) -> Result<Self, String> {
        let (mut graph, mut context) = (0, 0);
        // SAFETY: `name` and `graph` live until it returns.
        let by_name = unsafe { load_by_name(name.as_ptr(), name.len(), &raw mut graph) };
        if by_name != 0 {
            let part = Part { bytes: file.as_ptr(), len: file.len() };
            // SAFETY: `part`, the file and `graph` live until it returns.
            let load_by_content = unsafe { load(&raw const part, 1, ONNX, CPU, &raw mut graph) };
            check_code(load_by_content)
                .map_err(|why| format!("the host does not compute the graph {name:?} ({why})"))?;
        }
        // SAFETY: `context` lives until it returns.
        let made = unsafe { init_execution_context(graph, &raw mut context) };
        check_code(made).map_err(|why| format!("the host does not open its graph {name:?} ({why})"))?;
        Ok(Self { context })
    }

    /// Runs the network. The output's type follows from its size.
    ///
    /// # Errors
    /// If the host rejects the input, or there are more classes than expected.
    pub(super) fn compute(
        &self,
        dimensions: &[u32],
        kind: Kind,
        data: Vec<u8>,
        classes: usize,
    ) -> Result<(Kind, Vec<u8>), String> {
        let kind = match kind {
            Kind::Float => 1,
            Kind::Byte => 2,
        };
        let (rank, len) = (dimensions.len(), data.len());
        let tensor = Tensor { dimensions: dimensions.as_ptr(), rank, kind, data: data.as_ptr(), len };
        // SAFETY: the tensor, its dimensions and its data live until it returns.
        let set = unsafe { set_input(self.context, 0, &raw const tensor) };
        check_code(set).map_err(|why| format!("the host's graph does not take the picture ({why})"))?;
        // SAFETY: no pointers.
        let computed = unsafe { compute(self.context) };
        check_code(computed).map_err(|why| format!("the host's graph fails ({why})"))?;
        let mut output = vec![0; classes.saturating_mul(4)];
        let most = u32::try_from(output.len()).map_err(|_| "there are too many classes".to_owned())?;
        let mut written = 0;
        // SAFETY: the buffer has as many bytes as it says, and `written` lives until it returns.
        let got = unsafe { get_output(self.context, 0, output.as_mut_ptr(), most, &raw mut written) };
        check_code(got).map_err(|why| format!("the host's graph has no output for {classes} classes ({why})"))?;
        output.truncate(written as usize);
        let kind = if output.len() == classes { Kind::Byte } else { Kind::Float };
        Ok((kind, output))
    }
}

/// Converts an error code to a message.
fn check_code(number: u32) -> Result<(), String> {
    let meaning = match number {
        0 => return Ok(()),
        1 => "invalid argument",
        2 => "invalid encoding",
        3 => "missing memory",
        4 => "busy",
        5 => "runtime error",
        6 => "unsupported operation",
        7 => "too large",
        8 => "not found",
        _ => return Err(format!("error {number} of wasi-nn")),
    };
    Err(format!("wasi-nn: {meaning}"))
}
