//! Rewrites guest code before compilation into patterns that Cranelift compiles better.
//!
//! Results are the same to the bit; [`splats`] has the one exception. Inference with the classifier's own model takes a
//! sixth less time.

mod loops;
mod splats;

use std::borrow::Cow;
use std::convert::Infallible;
use std::vec;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, utils};
use wasm_encoder::{CodeSection, Component, Function, Module, ValType};
use wasmparser::{FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use crate::{Kind, kind};

/// Part of the cache key of compiled code. Change it with every change of the rewriting.
pub(crate) const PIPELINE_VERSION: &[u8] = b"small loops twice, four splats of one load";

/// Features with branches other than `br`, `br_if` and `br_table`, which disable rewriting.
const OTHER_BRANCHES: WasmFeatures = WasmFeatures::EXCEPTIONS
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::STACK_SWITCHING);

/// Optimizes a module or component.
///
/// It is returned unchanged where nothing can be done, where it is invalid, and where it contains offsets into its own
/// code, which would become wrong.
pub(crate) fn optimize(wasm: &[u8]) -> Cow<'_, [u8]> {
    // Other architectures load and splat in one step.
    optimize_for(wasm, cfg!(target_arch = "x86_64"))
}

fn optimize_for(wasm: &[u8], is_x86_64: bool) -> Cow<'_, [u8]> {
    let Some(locals) = locals(wasm) else { return wasm.into() };
    let mut rewriter = Rewriter { is_x86_64, locals: locals.into_iter(), changes: false };
    match rewriter.rewrite(wasm) {
        // A function just under the size limit may exceed it now.
        Ok(rewritten) if rewriter.changes && Validator::new().validate_all(&rewritten).is_ok() => rewritten.into(),
        // Code too new for the rewriter can still be compiled.
        Ok(_) | Err(_) => wasm.into(),
    }
}

/// Counts the locals of each function, parameters included.
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

struct Rewriter {
    is_x86_64: bool,
    /// Local counts of the functions to come.
    locals: vec::IntoIter<u32>,
    changes: bool,
}

impl Rewriter {
    fn rewrite(&mut self, wasm: &[u8]) -> Result<Vec<u8>, Error<Infallible>> {
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

impl ReencodeComponent for Rewriter {}

impl Reencode for Rewriter {
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
            && let Some((rewritten, vectors)) = splats::split(&instructions, free_local)
        {
            (instructions, self.changes) = (rewritten, true);
            locals.push((vectors, ValType::V128));
        }
        if let Some(rewritten) = loops::unroll(&instructions) {
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
