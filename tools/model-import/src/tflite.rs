//! A TensorFlow Lite model: the parts of its schema that image classifiers use.

use crate::flatbuffer::{Damaged, Table};

/// The single graph of a model.
pub(crate) struct Model<'a> {
    pub(crate) tensors: Vec<Tensor<'a>>,
    pub(crate) operators: Vec<Operator<'a>>,
    pub(crate) inputs: Vec<usize>,
    pub(crate) outputs: Vec<usize>,
}

/// A value, with its contents if it is constant.
pub(crate) struct Tensor<'a> {
    pub(crate) shape: Vec<i64>,
    pub(crate) kind: u8,
    pub(crate) contents: &'a [u8],
    pub(crate) scales: Vec<f32>,
    pub(crate) zero_points: Vec<i64>,
}

/// One operation.
pub(crate) struct Operator<'a> {
    pub(crate) code: i32,
    pub(crate) inputs: Vec<usize>,
    pub(crate) outputs: Vec<usize>,
    pub(crate) options: Option<Table<'a>>,
}

/// File identifier, after the first offset.
const MARK: &[u8] = b"TFL3";

/// Element types.
pub(crate) const INT32: u8 = 2;
pub(crate) const UINT8: u8 = 3;

impl<'a> Model<'a> {
    /// Parses a file.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Damaged> {
        if bytes.get(4..8) != Some(MARK) {
            return Err(Damaged);
        }
        let model = Table::root(bytes)?;
        let codes = model.tables(1)?.iter().map(code).collect::<Result<Vec<_>, _>>()?;
        let buffers = model.tables(4)?;
        let graph = model.tables(2)?.into_iter().next().ok_or(Damaged)?;
        let tensors = graph.tables(0)?.iter().map(|table| tensor(table, &buffers)).collect::<Result<_, _>>()?;
        let operators = graph.tables(3)?.iter().map(|table| operator(table, &codes)).collect::<Result<_, _>>()?;
        Ok(Self { tensors, operators, inputs: indices(&graph, 1)?, outputs: indices(&graph, 2)? })
    }
}

/// Reads an operator code. Codes were bytes once, and old readers still find them there.
fn code(table: &Table<'_>) -> Result<i32, Damaged> {
    Ok(i32::from(table.byte(0)?).max(table.int(3)?))
}

fn tensor<'a>(table: &Table<'a>, buffers: &[Table<'a>]) -> Result<Tensor<'a>, Damaged> {
    let buffer = usize::try_from(table.int(2)?).ok().and_then(|number| buffers.get(number)).ok_or(Damaged)?;
    let quantisation = table.table(4)?;
    let (scales, zero_points) = match quantisation {
        Some(table) => (table.floats(2)?, table.longs(3)?),
        None => (Vec::new(), Vec::new()),
    };
    let shape = table.ints(0)?.into_iter().map(i64::from).collect();
    Ok(Tensor { shape, kind: table.byte(1)?, contents: buffer.bytes(0)?, scales, zero_points })
}

fn operator<'a>(table: &Table<'a>, codes: &[i32]) -> Result<Operator<'a>, Damaged> {
    let code = usize::try_from(table.int(0)?).ok().and_then(|number| codes.get(number)).ok_or(Damaged)?;
    Ok(Operator { code: *code, inputs: indices(table, 1)?, outputs: indices(table, 2)?, options: table.table(4)? })
}

fn indices(table: &Table<'_>, field: usize) -> Result<Vec<usize>, Damaged> {
    table.ints(field)?.into_iter().map(|number| usize::try_from(number).map_err(|_| Damaged)).collect()
}

impl Tensor<'_> {
    /// Returns scale and zero point, if there is one of each for the whole tensor.
    pub(crate) fn quantisation(&self) -> Option<(f32, u8)> {
        match (self.scales.as_slice(), self.zero_points.as_slice()) {
            ([scale], [zero]) => Some((*scale, u8::try_from(*zero).ok()?)),
            _ => None,
        }
    }
}
