//! What makes guests faster: before they are compiled their code is rewritten into what the compiler is better at, and what means
//! the same to the bit. A look of the classifier's own network takes a sixth less time.

mod loops;
mod splats;

use std::borrow::Cow;
use std::convert::Infallible;
use std::vec;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, utils};
use wasm_encoder::{CodeSection, Component, Function, Module, ValType};
use wasmparser::{FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use crate::{Kind, kind};

/// Part of the key of what is compiled. Whoever changes what is done here changes this.
pub(crate) const DONE: &[u8] = b"small loops twice, four splats of one load";

/// What branches other than by `br`, `br_if` and `br_table`. Who brings that stays as it is.
const OTHER_BRANCHES: WasmFeatures = WasmFeatures::EXCEPTIONS
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::STACK_SWITCHING);

/// The module or component, easier to compile. It stays as it is where nothing can be done, where it is not valid, and where it
/// speaks of places in its own code, which would be wrong then.
pub(crate) fn made_easier(wasm: &[u8]) -> Cow<'_, [u8]> {
    // Other processors load and splat in one step.
    made_easier_for(wasm, cfg!(target_arch = "x86_64"))
}

fn made_easier_for(wasm: &[u8], is_x86_64: bool) -> Cow<'_, [u8]> {
    let Some(locals) = locals(wasm) else { return wasm.into() };
    let mut rewriting = Rewriting { is_x86_64, locals: locals.into_iter(), changes: false };
    match rewriting.rewritten(wasm) {
        // A function that was nearly as long as one may be is too long now.
        Ok(rewritten) if rewriting.changes && Validator::new().validate_all(&rewritten).is_ok() => rewritten.into(),
        // What is too new for the rewriting can still be compiled.
        Ok(_) | Err(_) => wasm.into(),
    }
}

/// How many locals each function has, parameters among them.
fn locals(wasm: &[u8]) -> Option<Vec<u32>> {
    let mut validator = Validator::new_with_features(WasmFeatures::default().difference(OTHER_BRANCHES));
    let mut locals = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.ok()?;
        if let Payload::CustomSection(section) = &payload
            && (section.name() == ".debug_line" || section.name().starts_with("metadata.code."))
        {
            return None;
        }
        if let ValidPayload::Func(function, body) = validator.payload(&payload).ok()? {
            let mut function = function.into_validator(FuncValidatorAllocations::default());
            function.validate(&body).ok()?;
            locals.push(function.len_locals());
        }
    }
    Some(locals)
}

struct Rewriting {
    is_x86_64: bool,
    /// Those of the functions to come.
    locals: vec::IntoIter<u32>,
    changes: bool,
}

impl Rewriting {
    fn rewritten(&mut self, wasm: &[u8]) -> Result<Vec<u8>, Error<Infallible>> {
        if kind(wasm) == Some(Kind::Component) {
            let mut component = Component::new();
            self.parse_component(&mut component, Parser::new(0), wasm)?;
            return Ok(component.finish());
        }
        let mut module = Module::new();
        self.parse_core_module(&mut module, Parser::new(0), wasm)?;
        Ok(module.finish())
    }
}

impl ReencodeComponent for Rewriting {}

impl Reencode for Rewriting {
    type Error = Infallible;

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Infallible>> {
        let Some(free_local) = self.locals.next() else { return utils::parse_function_body(self, code, body) };
        let mut locals = Vec::new();
        for declared in body.get_locals_reader()? {
            let (count, kind) = declared?;
            locals.push((count, self.val_type(kind)?));
        }
        let mut instructions = Vec::new();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            instructions.push(self.parse_instruction(&mut operators)?);
        }
        if self.is_x86_64
            && let Some((rewritten, vectors)) = splats::taken_apart(&instructions, free_local)
        {
            (instructions, self.changes) = (rewritten, true);
            locals.push((vectors, ValType::V128));
        }
        if let Some(rewritten) = loops::unrolled(&instructions) {
            (instructions, self.changes) = (rewritten, true);
        }
        let mut function = Function::new(locals);
        for instruction in &instructions {
            function.instruction(instruction);
        }
        code.function(&function);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
