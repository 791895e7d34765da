//! Loads of one number into all lanes.
//!
//! `v128.load32_splat` loads a number into all four lanes. Cranelift takes that apart on x86-64 where the lanes are used more
//! than once: it loads into a general register, from where it is two steps into the lanes. And it loads all that a loop needs at
//! its head, more than there are registers. Where four such loads lie side by side, as in products of matrices, one load and four
//! shuffles do; elsewhere `f32.load` and `f32x4.splat`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use wasm_encoder::{Instruction, MemArg};

/// Bytes from one number to the next.
const STEP: i64 = 4;

/// Takes apart all that load and splat at once, with new locals from `free_local` on. Gives how many, too; `None` where there is
/// nothing to take apart.
pub(super) fn taken_apart<'a>(body: &[Instruction<'a>], free_local: u32) -> Option<(Vec<Instruction<'a>>, u32)> {
    if !body.iter().any(|instruction| matches!(instruction, Instruction::V128Load32Splat(_))) {
        return None;
    }
    let mut splats = splats(body);
    splats.sort_by_key(|splat| (splat.pointer, splat.address()));
    let (mut replaced, mut rest, mut vectors) = (BTreeMap::new(), &*splats, Vectors::from(free_local));
    while let Some(first) = rest.first() {
        rest = if let Some((four, behind)) = rest.split_first_chunk::<4>()
            && lie_side_by_side(four)
        {
            four_of_one(body, four, vectors.next(first.pointer.stretch), &mut replaced)?;
            behind
        } else {
            rest.get(1..)?
        };
    }
    Some((written(body, &mut replaced), vectors.most))
}

/// Where a pointer is the same: between two branches, calls or stores, and two writes of its local.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pointer {
    stretch: usize,
    local: u32,
    written: usize,
}

struct Splat {
    pointer: Pointer,
    /// What the guest adds to the pointer, and what the load adds.
    constant: i64,
    offset: i64,
    /// The instructions, from the one that gives the pointer to the load.
    range: Range<usize>,
    load: MemArg,
}

impl Splat {
    /// Behind the pointer.
    fn address(&self) -> i64 {
        self.constant.saturating_add(self.offset)
    }
}

/// Those whose address is a local and a constant.
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

/// Whether the same loads before and behind load the same: it neither writes memory nor goes elsewhere. Among others, but these
/// are what products of matrices are made of.
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

fn lie_side_by_side(four: &[Splat; 4]) -> bool {
    four.windows(2).all(|pair| match pair {
        // The guest's addition wraps around and the load's does not, so one of them is to be the same.
        [a, b] if a.constant == b.constant || a.offset == b.offset => {
            a.pointer == b.pointer && a.address().checked_add(STEP) == Some(b.address())
        }
        _ => false,
    })
}

/// The locals that keep what was loaded: the same again in another stretch.
struct Vectors {
    free_local: u32,
    stretch: usize,
    used: u32,
    most: u32,
}

impl From<u32> for Vectors {
    fn from(free_local: u32) -> Self {
        Self { free_local, stretch: 0, used: 0, most: 0 }
    }
}

impl Vectors {
    fn next(&mut self, stretch: usize) -> u32 {
        if self.stretch != stretch {
            (self.stretch, self.used) = (stretch, 0);
        }
        let local = self.free_local.saturating_add(self.used);
        self.used += 1;
        self.most = self.most.max(self.used);
        local
    }
}

/// What stands in the place of instructions, by the first of them: how many they are, and what.
type Replaced<'a> = BTreeMap<usize, (usize, Vec<Instruction<'a>>)>;

/// The one that comes first loads for all four. It would trap where any of them had. (Not so in memory of the full 4 GiB, for a
/// pointer into its last twelve bytes: there the numbers lay at both ends, and now it traps.)
fn four_of_one<'a>(
    body: &[Instruction<'a>],
    four: &[Splat; 4],
    vector: u32,
    replaced: &mut Replaced<'a>,
) -> Option<()> {
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
