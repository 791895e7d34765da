//! Rewrites all functions of a module, or of the modules in a component.

use std::convert::Infallible;
use std::vec;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, utils};
use wasm_encoder::{CodeSection, Component, CustomSection, Function, Module, ValType};
use wasmparser::{
    BinaryReaderError, FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator, WasmFeatures,
};

use crate::{Counts, Unchanged, loops, splats};

/// Features with branches other than `br`, `br_if` and `br_table`.
const OTHER_BRANCHES: WasmFeatures = WasmFeatures::EXCEPTIONS
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::STACK_SWITCHING);

/// Custom section of rewritten code, with the version of this crate: unrolling twice would only make code longer.
const MARK: &str = "wasm-optimizer";

/// Prefixes of the names of custom sections with offsets into the code.
const CODE_OFFSETS: [&str; 5] = [".debug_", "external_debug_info", "metadata.code.", "reloc.", "sourceMappingURL"];

/// Rewrites a valid module or component.
pub(crate) fn rewrite(wasm: &[u8]) -> Result<(Vec<u8>, Counts), Unchanged> {
    let mut rewriter = Rewriter { locals: count_locals(wasm)?.into_iter(), counts: Counts::default() };
    let rewritten = rewriter.rewrite(wasm).map_err(|error| Unchanged::UnsupportedFeature { why: error.to_string() })?;
    if rewriter.counts == Counts::default() {
        return Err(Unchanged::NothingToRewrite);
    }
    validator().validate_all(&rewritten).map_err(|error| Unchanged::LimitExceeded { why: error.to_string() })?;
    Ok((rewritten, rewriter.counts))
}

/// Counts the locals of each function, parameters included.
fn count_locals(wasm: &[u8]) -> Result<Vec<u32>, Unchanged> {
    let unsupported = |error: BinaryReaderError| Unchanged::UnsupportedFeature { why: error.to_string() };
    let mut validator = validator();
    let mut locals = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(unsupported)?;
        if let Payload::CustomSection(section) = &payload {
            if section.name() == MARK {
                return Err(Unchanged::AlreadyOptimized);
            }
            if CODE_OFFSETS.iter().any(|prefix| section.name().starts_with(prefix)) {
                return Err(Unchanged::CodeOffsets { section: section.name().to_owned() });
            }
        }
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(unsupported)? {
            let mut function = function.into_validator(FuncValidatorAllocations::default());
            function.validate(&body).map_err(unsupported)?;
            locals.push(function.len_locals());
        }
    }
    Ok(locals)
}

/// Creates a validator of what can be rewritten.
fn validator() -> Validator {
    Validator::new_with_features(WasmFeatures::default().difference(OTHER_BRANCHES))
}

struct Rewriter {
    /// Local counts of the functions to come.
    locals: vec::IntoIter<u32>,
    counts: Counts,
}

impl Rewriter {
    fn rewrite(&mut self, wasm: &[u8]) -> Result<Vec<u8>, Error<Infallible>> {
        let mark = CustomSection { name: MARK.into(), data: env!("CARGO_PKG_VERSION").as_bytes().into() };
        if Parser::is_component(wasm) {
            let mut component = Component::new();
            self.parse_component(&mut component, Parser::new(0), wasm)?;
            component.section(&mark);
            return Ok(component.finish());
        }
        let mut module = Module::new();
        self.parse_core_module(&mut module, Parser::new(0), wasm)?;
        module.section(&mark);
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
        if let Some(split) = splats::split(&instructions, free_local) {
            instructions = split.body;
            locals.push((split.vectors, ValType::V128));
            self.counts.loads += split.loads;
        }
        if let Some(unrolled) = loops::unroll(&instructions) {
            instructions = unrolled.body;
            self.counts.loops += unrolled.loops;
        }
        let mut function = Function::new(locals);
        for instruction in &instructions {
            function.instruction(instruction);
        }
        code.function(&function);
        Ok(())
    }
}
