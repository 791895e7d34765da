//! Splits loads that broadcast one number to all lanes.
//!
//! `v128.load32_splat` loads a number into all four lanes. On x86-64 Cranelift splits it where the lanes are used more
//! than once: it loads into a general register, and needs two more steps into the lanes. It also loads everything that
//! a loop needs at its head, more than there are registers. Where four such loads are adjacent, as in matrix products,
//! one load and four shuffles replace them; elsewhere `f32.load` and `f32x4.splat`. On 64-bit ARM each of these shuffles
//! is one instruction, too, and a load with a splat is the instruction that the original was.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use wasm_encoder::{Instruction, MemArg};

/// Bytes between adjacent numbers.
const STEP: i64 = 4;

/// A function with split loads.
pub(crate) struct Split<'a> {
    pub(crate) body: Vec<Instruction<'a>>,
    /// Number of new locals, of 16 bytes each.
    pub(crate) vectors: u32,
    /// Number of split loads.
    pub(crate) loads: usize,
}

/// Splits all broadcasting loads, with new locals from `free_local` on. `None` where there are none.
pub(crate) fn split<'a>(body: &[Instruction<'a>], free_local: u32) -> Option<Split<'a>> {
    let loads = body.iter().filter(|instruction| matches!(instruction, Instruction::V128Load32Splat(_))).count();
    if loads == 0 {
        return None;
    }
    let mut splats = splats(body);
    splats.sort_by_key(|splat| (splat.pointer, splat.address()));
    let (mut replaced, mut rest, mut vectors) = (BTreeMap::new(), &*splats, Vectors::from(free_local));
    while let Some(first) = rest.first() {
        rest = if let Some((four, behind)) = rest.split_first_chunk::<4>()
            && are_adjacent(four)
        {
            merge_four(body, four, vectors.next(first.pointer.stretch), &mut replaced)?;
            behind
        } else {
            rest.get(1..)?
        };
    }
    Some(Split { body: written(body, &mut replaced), vectors: vectors.max_used, loads })
}

/// A value of a pointer: between two branches, calls or stores, and two writes of its local.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pointer {
    stretch: usize,
    local: u32,
    written: usize,
}

struct Splat {
    pointer: Pointer,
    /// Constant that the guest adds to the pointer; then the load's own offset.
    constant: i64,
    offset: i64,
    /// The instructions, from the one that pushes the pointer to the load.
    range: Range<usize>,
    load: MemArg,
}

impl Splat {
    /// Returns the offset from the pointer.
    fn address(&self) -> i64 {
        self.constant.saturating_add(self.offset)
    }
}

/// Finds the broadcasting loads whose address is a local plus a constant.
fn splats(body: &[Instruction<'_>]) -> Vec<Splat> {
    let (mut stretch, mut written, mut splats) = (0, HashMap::new(), Vec::new());
    for (at, instruction) in body.iter().enumerate() {
        match instruction {
            Instruction::LocalSet(local) | Instruction::LocalTee(local) => {
                written.insert(*local, at);
            }
            Instruction::V128Load32Splat(load) if load.memory_index == 0 => {
                let before = body.get(..at).unwrap_or_default();
                let (constant, pointer) = match before {
                    [.., _, Instruction::I32Const(constant), Instruction::I32Add] => (i64::from(*constant), at - 3),
                    _ => (0, at.saturating_sub(1)),
                };
                let Some(Instruction::LocalGet(local) | Instruction::LocalTee(local)) = before.get(pointer) else {
                    continue;
                };
                let Ok(offset) = i64::try_from(load.offset) else { continue };
                splats.push(Splat {
                    pointer: Pointer {
                        stretch,
                        local: *local,
                        written: written.get(local).copied().unwrap_or_default(),
                    },
                    constant,
                    offset,
                    range: pointer..at + 1,
                    load: *load,
                });
            }
            other if is_harmless(other) => {}
            _ => stretch += 1,
        }
    }
    splats
}

/// Returns whether loads before and after the instruction give the same: it neither writes memory nor branches.
///
/// Incomplete, but these are the instructions of matrix products.
fn is_harmless(instruction: &Instruction<'_>) -> bool {
    matches!(
        instruction,
        Instruction::LocalGet(_)
            | Instruction::I32Const(_)
            | Instruction::I32Add
            | Instruction::F32Load(_)
            | Instruction::V128Load(_)
            | Instruction::F32x4Splat
            | Instruction::F32x4Add
            | Instruction::F32x4Mul
    )
}

fn are_adjacent(four: &[Splat; 4]) -> bool {
    four.windows(2).all(|pair| match pair {
        // The guest's addition wraps around and the load's does not, so one of the two has to be equal.
        [a, b] if a.constant == b.constant || a.offset == b.offset => {
            a.pointer == b.pointer && a.address().checked_add(STEP) == Some(b.address())
        }
        _ => false,
    })
}

/// Locals for loaded vectors; reused in each stretch of code.
struct Vectors {
    free_local: u32,
    stretch: usize,
    used: u32,
    max_used: u32,
}

impl From<u32> for Vectors {
    fn from(free_local: u32) -> Self {
        Self { free_local, stretch: 0, used: 0, max_used: 0 }
    }
}

impl Vectors {
    fn next(&mut self, stretch: usize) -> u32 {
        if self.stretch != stretch {
            (self.stretch, self.used) = (stretch, 0);
        }
        let local = self.free_local.saturating_add(self.used);
        self.used += 1;
        self.max_used = self.max_used.max(self.used);
        local
    }
}

/// Replacements of instructions, by index of the first: their number, and the new instructions.
type Replaced<'a> = BTreeMap<usize, (usize, Vec<Instruction<'a>>)>;

/// Replaces four loads: the first in the code loads for all.
///
/// It traps where any of them would have. (The exception is memory of the full 4 GiB, with a pointer into its last
/// twelve bytes: there the numbers were at both ends, and now it traps.)
fn merge_four<'a>(body: &[Instruction<'a>], four: &[Splat; 4], vector: u32, replaced: &mut Replaced<'a>) -> Option<()> {
    let first = four.iter().map(|splat| splat.range.start).min()?;
    let [lowest, ..] = four;
    for (splat, lane) in four.iter().zip(0..) {
        let mut instead = Vec::new();
        if splat.range.start == first {
            instead.push(body.get(first)?.clone());
            instead.extend_from_slice(body.get(lowest.range.start + 1..lowest.range.end - 1)?);
            instead.extend([Instruction::V128Load(lowest.load), Instruction::LocalTee(vector)]);
        } else {
            instead.push(Instruction::LocalGet(vector));
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|byte| lane * 4 + byte);
        instead.extend([
            Instruction::LocalGet(vector),
            Instruction::I8x16Shuffle([a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d]),
        ]);
        replaced.insert(splat.range.start, (splat.range.len(), instead));
    }
    Some(())
}

fn written<'a>(body: &[Instruction<'a>], replaced: &mut Replaced<'a>) -> Vec<Instruction<'a>> {
    let (mut written, mut at) = (Vec::with_capacity(body.len()), 0);
    while let Some(instruction) = body.get(at) {
        if let Some((length, instead)) = replaced.remove(&at) {
            written.extend(instead);
            at += length;
            continue;
        }
        match instruction {
            Instruction::V128Load32Splat(load) => {
                written.extend([Instruction::F32Load(*load), Instruction::F32x4Splat])
            }
            other => written.push(other.clone()),
        }
        at += 1;
    }
    written
}
