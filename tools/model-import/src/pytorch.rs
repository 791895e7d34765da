//! Reads tensors of a file saved by PyTorch before version 1.6 (`torch.save` of a `state_dict`).
//!
//! The file has five pickles (a magic number, a version, facts about the machine, the object, the keys of its
//! storages), followed by each storage: its element count and its elements.

use std::collections::{BTreeMap, HashMap};

use crate::directory::ImportError;
use crate::pickle::{self, PickleError, Value};

/// Magic number of the format.
const MARK: i128 = 0x1950_a86a_20f9_469c_fc6c;

/// The only version of the format.
const VERSION: i128 = 1001;

/// Floating-point tensors by name.
#[derive(Debug, Default)]
pub(crate) struct StateDict(BTreeMap<String, Tensor>);

/// A tensor in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Location of a tensor's elements.
struct Place {
    storage: String,
    offset: usize,
    shape: Vec<usize>,
    /// Distance in the storage between neighbours along each dimension.
    strides: Vec<usize>,
}

impl Place {
    /// Returns the tensor's elements in row-major order.
    fn gather(&self, storage: &[f32]) -> Option<Vec<f32>> {
        let count = self.shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))?;
        // Strides may repeat elements, but no network's filters do.
        if count > storage.len() {
            return None;
        }
        let mut values = Vec::with_capacity(count);
        for number in 0..count {
            let (mut rest, mut at) = (number, self.offset);
            for (size, stride) in self.shape.iter().zip(&self.strides).rev() {
                at = at.checked_add((rest % size).checked_mul(*stride)?)?;
                rest /= size;
            }
            values.push(*storage.get(at)?);
        }
        Some(values)
    }
}

/// Storage types, with element sizes in bytes.
const STORAGES: [(&str, usize); 2] = [("FloatStorage", 4), ("LongStorage", 8)];

fn damaged_error(reason: impl Into<String>) -> ImportError {
    ImportError::Weights(reason.into())
}

impl From<PickleError> for ImportError {
    fn from(error: PickleError) -> Self {
        damaged_error(error.to_string())
    }
}

impl StateDict {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is damaged, or not a dictionary of tensors in this format.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        if bytes.starts_with(b"PK") {
            return Err(damaged_error("the file was saved as a zip; only PyTorch's format before 1.6 is read"));
        }
        let (mark, at) = pickle::read(bytes, 0)?;
        let (version, at) = pickle::read(bytes, at)?;
        if (mark, version) != (Value::Int(MARK), Value::Int(VERSION)) {
            return Err(damaged_error("the file was not saved by PyTorch"));
        }
        let (machine, at) = pickle::read(bytes, at)?;
        let little = (Value::Text("little_endian".into()), Value::Bool(true));
        if !matches!(machine, Value::Dict(facts) if facts.contains(&little)) {
            return Err(damaged_error("its numbers are not little-endian"));
        }
        let (object, at) = pickle::read(bytes, at)?;
        let (keys, at) = pickle::read(bytes, at)?;
        let Value::Dict(entries) = object else { return Err(damaged_error("it is no dictionary of tensors")) };
        let mut kinds = HashMap::new();
        let mut places = Vec::new();
        for (name, value) in &entries {
            let name = name.text().ok_or_else(|| damaged_error("a tensor has no name"))?;
            let place = place(value, &mut kinds).ok_or_else(|| damaged_error(format!("{name} is no tensor")))?;
            places.push((name.to_owned(), place));
        }
        let Value::List(keys) = keys else { return Err(damaged_error("the keys of its storages are missing")) };
        let storages = storages(bytes, at, &keys, &kinds)?;
        let mut tensors = BTreeMap::new();
        for (name, place) in places {
            // Integer tensors count training steps; inference does not use them.
            let Some(storage) = storages.get(&place.storage) else { continue };
            let values = place.gather(storage);
            let values = values.ok_or_else(|| damaged_error(format!("{name} is larger than its storage")))?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(damaged_error(format!("{name} has values that are no numbers")));
            }
            tensors.insert(name, Tensor { shape: place.shape, values });
        }
        Ok(Self(tensors))
    }

    /// Returns a tensor by name, and checks its shape.
    ///
    /// # Errors
    /// If it is missing, or has another shape.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<&Tensor, ImportError> {
        let tensor = self.0.get(name).ok_or_else(|| damaged_error(format!("{name} is missing")))?;
        if tensor.shape != shape {
            return Err(damaged_error(format!("{name} has the shape {:?} and not {shape:?}", tensor.shape)));
        }
        Ok(tensor)
    }
}

/// Reads a tensor's location, and records its storage type.
fn place(value: &Value, kinds: &mut HashMap<String, usize>) -> Option<Place> {
    let Value::Call(function, arguments) = value else { return None };
    if !function.is_global("torch._utils", "_rebuild_tensor_v2") {
        return None;
    }
    let [Value::Persistent(storage), offset, shape, strides, ..] = arguments.tuple()? else { return None };
    let [_, Value::Global(_, kind), key, ..] = storage.tuple()? else { return None };
    let (_, size) = STORAGES.iter().find(|(name, _)| *name == &**kind)?;
    kinds.insert(key.text()?.to_owned(), *size);
    let shape = shape.tuple()?.iter().map(Value::int).collect::<Option<Vec<usize>>>()?;
    let strides = strides.tuple()?.iter().map(Value::int).collect::<Option<Vec<usize>>>()?;
    let (storage, offset) = (key.text()?.to_owned(), offset.int()?);
    (shape.len() == strides.len()).then_some(Place { storage, offset, shape, strides })
}

/// Reads the floating-point storages, by key.
fn storages(
    bytes: &[u8],
    mut at: usize,
    keys: &[Value],
    kinds: &HashMap<String, usize>,
) -> Result<HashMap<String, Vec<f32>>, ImportError> {
    let mut storages = HashMap::new();
    for key in keys {
        let key = key.text().ok_or_else(|| damaged_error("a storage has no key"))?;
        let size = *kinds.get(key).ok_or_else(|| damaged_error("a storage belongs to no tensor"))?;
        let ends_early = || damaged_error("the file ends early");
        let (count, rest) = bytes.get(at..).and_then(<[u8]>::split_first_chunk).ok_or_else(ends_early)?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(size));
        let length = length.ok_or_else(ends_early)?;
        let (numbers, _) = rest.get(..length).ok_or_else(ends_early)?.as_chunks();
        if size == 4 {
            storages.insert(key.to_owned(), numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect());
        }
        at += 8 + length;
    }
    Ok(storages)
}
