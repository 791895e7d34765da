//! Small loops, with their body twice or more.
//!
//! At the head of each loop a guest asks whether its time is up: four instructions and two registers, which in a loop of a few
//! instructions is much. With two bodies in a loop it asks half as often.

use wasm_encoder::{BlockType, Instruction};

/// The most instructions of a loop that is written twice. In longer ones the asking is little, and their values are too many for
/// the registers as it is.
const SMALL: usize = 80;

/// The most instructions of a loop that is written four times.
const TINY: usize = 20;

/// Writes the body of small loops that contain no other and call nobody more than once. `None` where there are none.
pub(super) fn unrolled<'a>(body: &[Instruction<'a>]) -> Option<Vec<Instruction<'a>>> {
    let (mut written, mut found, mut rest) = (Vec::with_capacity(body.len()), false, body);
    while let Some((instruction, behind)) = rest.split_first() {
        match instruction {
            // One that takes parameters is rare.
            Instruction::Loop(kind @ (BlockType::Empty | BlockType::Result(_)))
                if let Some((inside, behind)) = small(behind) =>
            {
                write(*kind, inside, &mut written);
                (found, rest) = (true, behind);
            }
            _ => {
                written.push(instruction.clone());
                rest = behind;
            }
        }
    }
    found.then_some(written)
}

/// What is inside a small loop, and what comes behind its end.
fn small<'b, 'a>(behind_head: &'b [Instruction<'a>]) -> Option<(&'b [Instruction<'a>], &'b [Instruction<'a>])> {
    let mut depth = 0_usize;
    for (at, instruction) in behind_head.iter().enumerate().take(SMALL + 1) {
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

/// Writes a loop with several bodies. All but the last lie in a block of their own each, at whose end the next begins: to go on
/// with the loop they leave their block, to leave the loop they leave a block around everything.
///
/// ```wat
/// block                  ;; who leaves the loop
///   loop
///     block              ;; who goes on behind the first body
///       first body
///       br 2
///     end
///     last body
///   end
/// end
/// ```
fn write<'a>(kind: BlockType, body: &[Instruction<'a>], written: &mut Vec<Instruction<'a>>) {
    let bodies = if body.len() <= TINY { 4 } else { 2 };
    written.extend([Instruction::Block(kind), Instruction::Loop(kind)]);
    written.extend((1..bodies).map(|_| Instruction::Block(BlockType::Empty)));
    // How many blocks lie around a body that the loop did not have.
    for around in (1..=bodies).rev() {
        let mut depth = 0;
        for instruction in body {
            match instruction {
                Instruction::Block(_) | Instruction::If(_) => depth += 1,
                Instruction::End => depth -= 1,
                _ => {}
            }
            written.push(moved(instruction, |label| if label > depth { label + around } else { label }));
        }
        if around > 1 {
            written.push(Instruction::Br(around));
        }
        written.push(Instruction::End);
    }
    written.push(Instruction::End);
}

/// The instruction with its labels changed.
fn moved<'a>(instruction: &Instruction<'a>, label: impl Fn(u32) -> u32) -> Instruction<'a> {
    match instruction {
        Instruction::Br(to) => Instruction::Br(label(*to)),
        Instruction::BrIf(to) => Instruction::BrIf(label(*to)),
        Instruction::BrTable(to, or) => {
            Instruction::BrTable(to.iter().map(|to| label(*to)).collect::<Vec<_>>().into(), label(*or))
        }
        other => other.clone(),
    }
}
