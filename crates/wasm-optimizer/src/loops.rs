//! Unrolls small loops.
//!
//! At the head of each loop a guest checks its epoch deadline: four instructions and two registers, which is much in a
//! loop of a few instructions. With two bodies per loop it checks half as often.

use wasm_encoder::{BlockType, Instruction};

/// Maximum instructions of a loop that is doubled.
///
/// In longer loops the check costs little, and their values already exceed the registers.
const MAX_DOUBLED: usize = 80;

/// Maximum instructions of a loop that is quadrupled.
const MAX_QUADRUPLED: usize = 20;

/// A function with unrolled loops.
pub(crate) struct Unrolled<'a> {
    pub(crate) body: Vec<Instruction<'a>>,
    /// Number of unrolled loops.
    pub(crate) loops: usize,
}

/// Unrolls small loops without inner loops and calls. `None` where there are none.
pub(crate) fn unroll<'a>(body: &[Instruction<'a>]) -> Option<Unrolled<'a>> {
    let (mut written, mut loops, mut rest) = (Vec::with_capacity(body.len()), 0, body);
    while let Some((instruction, behind)) = rest.split_first() {
        match instruction {
            // Loops with parameters are rare.
            Instruction::Loop(kind @ (BlockType::Empty | BlockType::Result(_)))
                if let Some((inside, behind)) = split_small_loop(behind) =>
            {
                write(*kind, inside, &mut written);
                (loops, rest) = (loops + 1, behind);
            }
            _ => {
                written.push(instruction.clone());
                rest = behind;
            }
        }
    }
    (loops > 0).then_some(Unrolled { body: written, loops })
}

/// Splits off a small loop: its body, and the instructions after its end.
fn split_small_loop<'b, 'a>(
    behind_head: &'b [Instruction<'a>],
) -> Option<(&'b [Instruction<'a>], &'b [Instruction<'a>])> {
    let mut depth = 0_usize;
    for (at, instruction) in behind_head.iter().enumerate().take(MAX_DOUBLED + 1) {
        match instruction {
            Instruction::Block(_) | Instruction::If(_) => depth += 1,
            Instruction::End if depth == 0 => return Some((behind_head.get(..at)?, behind_head.get(at + 1..)?)),
            Instruction::End => depth -= 1,
            Instruction::Loop(_)
            | Instruction::Call(_)
            | Instruction::CallIndirect { .. }
            | Instruction::ReturnCall(_)
            | Instruction::ReturnCallIndirect { .. } => return None,
            _ => {}
        }
    }
    None
}

/// Writes a loop with several bodies.
///
/// All but the last are in a block each, at whose end the next begins: to continue the loop they leave their block, to
/// leave the loop they leave a block around everything.
///
/// ```wat
/// block                  ;; exit of the loop
///   loop
///     block              ;; continues after the first body
///       first body
///       br 2
///     end
///     last body
///   end
/// end
/// ```
fn write<'a>(kind: BlockType, body: &[Instruction<'a>], written: &mut Vec<Instruction<'a>>) {
    let bodies = if body.len() <= MAX_QUADRUPLED { 4 } else { 2 };
    written.extend([Instruction::Block(kind), Instruction::Loop(kind)]);
    written.extend((1..bodies).map(|_| Instruction::Block(BlockType::Empty)));
    // Blocks around a body that the original loop did not have.
    for outer in (1..=bodies).rev() {
        let mut depth = 0;
        for instruction in body {
            match instruction {
                Instruction::Block(_) | Instruction::If(_) => depth += 1,
                Instruction::End => depth -= 1,
                _ => {}
            }
            written.push(relabel(instruction, |label| if label > depth { label + outer } else { label }));
        }
        if outer > 1 {
            written.push(Instruction::Br(outer));
        }
        written.push(Instruction::End);
    }
    written.push(Instruction::End);
}

/// Returns the instruction with its labels changed.
fn relabel<'a>(instruction: &Instruction<'a>, label: impl Fn(u32) -> u32) -> Instruction<'a> {
    match instruction {
        Instruction::Br(to) => Instruction::Br(label(*to)),
        Instruction::BrIf(to) => Instruction::BrIf(label(*to)),
        Instruction::BrTable(to, or) => {
            Instruction::BrTable(to.iter().map(|to| label(*to)).collect::<Vec<_>>().into(), label(*or))
        }
        other => other.clone(),
    }
}
