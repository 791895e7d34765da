//! What makes products of matrices faster on x86-64.
//!
//! `v128.load32_splat` loads a number into all four lanes. Cranelift takes that apart where the lanes are used more than once: it
//! loads into a general register, from where it is two steps into the lanes. As `f32.load` and `f32x4.splat`, which mean the same
//! to the bit, it is one. A look of the classifier's own network takes a fifteenth less time.

use std::borrow::Cow;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent};
use wasm_encoder::{CodeSection, Component, Instruction, Module};
use wasmparser::{FunctionBody, Operator, Parser, Payload, Validator};

use crate::{Kind, kind};

/// Takes apart all that load and splat at once, in a module or component. What has none stays as it is, and so does what is not
/// valid, and what has debug information, whose lines would be wrong then.
pub(crate) fn taken_apart(wasm: &[u8]) -> Cow<'_, [u8]> {
    if Validator::new().validate_all(wasm).is_err() || is_debuggable(wasm) {
        return wasm.into();
    }
    let mut splats = Splats::default();
    match splats.rewritten(wasm) {
        Ok(rewritten) if splats.found => rewritten.into(),
        // What is too new for the rewriting can still be compiled.
        Ok(_) | Err(_) => wasm.into(),
    }
}

fn is_debuggable(wasm: &[u8]) -> bool {
    let is_line_table =
        |payload| matches!(payload, Ok(Payload::CustomSection(section)) if section.name() == ".debug_line");
    Parser::new(0).parse_all(wasm).any(is_line_table)
}

#[derive(Default)]
struct Splats {
    found: bool,
}

impl Splats {
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

impl ReencodeComponent for Splats {}

impl Reencode for Splats {
    type Error = Infallible;

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::V128Load32Splat { memarg } => {
                    self.found = true;
                    function.instruction(&Instruction::F32Load(self.mem_arg(memarg)?));
                    function.instruction(&Instruction::F32x4Splat);
                }
                other => {
                    function.instruction(&self.instruction(other)?);
                }
            }
        }
        code.function(&function);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Engine, Instance, Store};

    use super::*;

    /// Writes a number, and reads it back from one of four lanes, into which it was loaded at once.
    const MODULE: &str = r#"(module (memory 1)
        (func (export "last") (param i32) (result i32)
            (i32.store offset=12 (i32.const 4) (local.get 0))
            (i32x4.extract_lane 3 (v128.load32_splat offset=12 align=1 (i32.const 4)))))"#;

    fn splats(wasm: &[u8]) -> usize {
        let bodies = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.unwrap() {
            Payload::CodeSectionEntry(body) => Some(body),
            _ => None,
        });
        let operators = bodies.flat_map(|body| body.get_operators_reader().unwrap().into_iter().map(Result::unwrap));
        operators.filter(|operator| matches!(operator, Operator::V128Load32Splat { .. })).count()
    }

    #[test]
    fn what_is_taken_apart_means_the_same_to_the_bit() {
        let wasm = wat::parse_str(MODULE).unwrap();
        let apart = taken_apart(&wasm);
        assert_eq!((splats(&wasm), splats(&apart)), (1, 0));
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let module = wasmtime::Module::new(&engine, &apart).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let last = instance.get_typed_func::<u32, u32>(&mut store, "last").unwrap();
        // Among them NaNs that would make noise where computing touched them.
        for number in [0, 1, 0x8000_0000, 0x7F80_0001, 0xFFA5_A5A5, u32::MAX] {
            assert_eq!(last.call(&mut store, number).unwrap(), number);
        }
    }

    #[test]
    fn modules_in_components_are_taken_apart_too() {
        let component = wat::parse_str(format!("(component (core {})", &MODULE[1..])).unwrap();
        let apart = taken_apart(&component);
        assert_eq!((splats(&component), splats(&apart)), (1, 0));
        wasmtime::component::Component::new(&Engine::default(), &apart).unwrap();
    }

    #[test]
    fn what_has_no_splat_or_has_lines_for_a_debugger_or_is_no_module_stays_as_it_is() {
        let debuggable = MODULE.replacen("(module", r#"(module (@custom ".debug_line" "lines")"#, 1);
        for wasm in ["(module (memory 1))", "(component)", &debuggable].map(|text| wat::parse_str(text).unwrap()) {
            assert!(matches!(taken_apart(&wasm), Cow::Borrowed(same) if same == wasm));
        }
        for wasm in [b"".as_slice(), b"nonsense", b"\0asm", b"\0asm\x01\0\0\0\x0a\xff"] {
            assert_eq!(taken_apart(wasm), wasm);
        }
    }
}
