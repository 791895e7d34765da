use arbitrary::Unstructured;
use sha2::{Digest as _, Sha256};
use wasm_smith::{Config, Module as RandomModule};
use wasmparser::{Operator, Payload};
use wasmtime::{Engine, Instance, Store, Val};

use super::*;

/// Stores a number, and reads it back from one lane of a broadcasting load.
const SPLAT: &str = r#"(module (memory 1)
    (func (export "f") (param i32) (result i32)
        (i32.store offset=12 (i32.const 4) (local.get 0))
        (i32x4.extract_lane 3 (v128.load32_splat offset=12 align=1 (i32.const 4)))))"#;

/// Two rows of four numbers, each times four of another four, as in matrix products.
const ROWS: &str = r#"(module (memory (export "memory") 1)
    (data (i32.const 96) "\00\00\80\3f\00\00\00\40\00\00\40\40\00\00\80\40")
    (data (i32.const 112) "\00\00\a0\40\00\00\c0\40\00\00\e0\40\00\00\00\41")
    (func (export "f") (param $at i32) (result i32) (local $sum v128)
        (local.set $sum (f32x4.mul
            (v128.load32_splat (i32.add (local.get $at) (i32.const 12)))
            (v128.load32_splat (i32.add (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 8)))))
        (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul
            (v128.load32_splat (i32.add (local.get $at) (i32.const 4)))
            (v128.load32_splat (local.get $at)))))
        (local.set $sum (f32x4.add (local.get $sum) (v128.load32_splat (i32.add (local.get $at) (i32.const 12)))))
        (i32.store (local.get $at) (i32.const 0))
        (local.set $sum (f32x4.add (local.get $sum) (v128.load32_splat (local.get $at))))
        (i32x4.extract_lane 2 (local.get $sum))))"#;

/// Functions with loops of many shapes. `$n` counts down, `$sum` is the result.
const LOOPS: [&str; 8] = [
    // Computes a sum.
    "(loop $l (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))",
    // Exits in the middle, to two blocks.
    "(block $a (block $b (loop $l
        (br_if $a (i32.eqz (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $b (i32.gt_u (local.get $sum) (i32.const 40)))
        (local.set $sum (i32.add (local.get $sum) (i32.const 7)))
        (br $l))) (local.set $sum (i32.mul (local.get $sum) (i32.const 3))))",
    // Continues from within blocks.
    "(loop $l (block $c (br_if $c (i32.and (local.get $n) (i32.const 1)))
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (if (local.tee $n (i32.sub (local.get $n) (i32.const 2))) (then (br $l)) (else (br $c))))
        (local.set $sum (i32.xor (local.get $sum) (i32.const 5)))
        (br_if $l (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 3))) (i32.const 0))))",
    // A branch table with all continuations and exits.
    "(block $a (loop $o (block $b (loop $l
        (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 5)) (i32.const 1)))
        (br_if $a (i32.gt_u (local.get $sum) (i32.const 100000)))
        (block $c (br_table $c $l $b $o $a $l (local.get $sum)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))) (local.set $sum (i32.add (local.get $sum) (i32.const 2)))))",
    // Returns a number, at its end and by an exit.
    "(local.set $sum (block $a (result i32) (loop $l (result i32)
        (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (br_if $l (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 5)))
        (drop (br_if $a (i32.const 77) (i32.eq (local.get $n) (i32.const 3))))
        (i32.add (local.get $sum) (i32.const 1000)))))",
    // Nested loops, of which only the inner is doubled.
    "(loop $o (local.set $m (i32.const 3))
        (loop $l (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (br_if $l (local.tee $m (i32.sub (local.get $m) (i32.const 1)))))
        (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))",
    // Returns from within.
    "(loop $l (if (i32.gt_u (local.get $sum) (i32.const 30)) (then (return (i32.const -1))))
        (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))",
    // Never continues, so not really a loop.
    "(loop $l (local.set $sum (local.get $n)))",
];

fn optimized(wasm: &[u8]) -> Vec<u8> {
    optimize(wasm).unwrap().wasm.into_owned()
}

fn instructions(wasm: &[u8]) -> Vec<Operator<'_>> {
    let bodies = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    bodies.flat_map(|body| body.get_operators_reader().unwrap().into_iter().map(Result::unwrap)).collect()
}

fn count(wasm: &[u8], is_wanted: impl Fn(&Operator<'_>) -> bool) -> usize {
    instructions(wasm).into_iter().filter(is_wanted).count()
}

fn splats(wasm: &[u8]) -> usize {
    count(wasm, |operator| matches!(operator, Operator::V128Load32Splat { .. }))
}

/// Calls the function with a number; `None` where it traps.
fn call(wasm: &[u8], number: i32) -> Option<i32> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = wasmtime::Module::new(&engine, wasm).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let function = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    function.call(&mut store, number).ok()
}

#[test]
fn split_splat_keeps_all_bits() {
    let wasm = wat::parse_str(SPLAT).unwrap();
    let optimized = optimized(&wasm);
    assert_eq!((splats(&wasm), splats(&optimized)), (1, 0));
    // Among them signalling NaNs, which arithmetic would change.
    for number in [0, 1, i32::MIN, 0x7F80_0001, -0x5A_5A5B, -1] {
        assert_eq!(call(&optimized, number), Some(number));
    }
}

#[test]
fn four_adjacent_splats_become_one_load() {
    let wasm = wat::parse_str(ROWS).unwrap();
    let optimized = optimized(&wasm);
    assert_eq!((splats(&wasm), splats(&optimized)), (6, 0));
    let loads = count(&optimized, |operator| matches!(operator, Operator::V128Load { .. }));
    let alone = count(&optimized, |operator| matches!(operator, Operator::F32Load { .. }));
    // The first uses the pointer's old value, the last follows a store.
    assert_eq!((loads, alone), (1, 2));
    for at in [0, 80, 96, 65_500, 65_508, 65_512, 65_536, -16] {
        assert_eq!(call(&optimized, at), call(&wasm, at), "{at}");
    }
}

#[test]
fn unrolled_loops_give_the_same_results() {
    for body in LOOPS {
        let function = format!(
            "(func (export \"f\") (param $n i32) (result i32) (local $sum i32) (local $m i32) {body} (local.get $sum))"
        );
        let wasm = wat::parse_str(format!("(module {function})")).unwrap();
        let optimized = optimized(&wasm);
        let sets = |wasm: &[u8]| count(wasm, |operator| matches!(operator, Operator::LocalSet { .. }));
        assert!(sets(&optimized) > sets(&wasm), "{body}");
        for number in 1..30 {
            assert_eq!(call(&optimized, number), call(&wasm, number), "{number} to {body}");
        }
    }
}

#[test]
fn loop_size_and_calls_decide_the_number_of_bodies() {
    let bodies = |inside: &str| {
        let wasm =
            wat::parse_str(format!("(module (func $f (param i32) (loop $l {inside} (br_if $l (local.get 0)))))"));
        count(&optimized(&wasm.unwrap()), |operator| matches!(operator, Operator::BrIf { .. }))
    };
    let long = |instructions: usize| bodies(&"nop ".repeat(instructions - 2));
    assert_eq!((long(20), long(21), long(80), long(81)), (4, 2, 2, 1));
    assert_eq!(bodies("(call $f (i32.const 0))"), 1);
    assert_eq!(bodies("(loop $inner (br_if $inner (local.get 0)))"), 1 + 4);
}

/// Generates a random module that terminates.
fn random(seed: u32) -> Vec<u8> {
    let block = |block: u32| Sha256::digest([seed.to_le_bytes(), block.to_le_bytes()].concat());
    let noise = (0..512).flat_map(block).collect::<Vec<_>>();
    // Few types and tables, so that most of the noise becomes code.
    let config = Config {
        allow_start_export: false,
        canonicalize_nans: true,
        exceptions_enabled: false,
        gc_enabled: false,
        max_data_segments: 2,
        max_element_segments: 1,
        max_exports: 12,
        max_globals: 4,
        max_imports: 0,
        max_instructions: 400,
        max_memories: 1,
        max_memory32_bytes: 1 << 20,
        max_tables: 1,
        max_types: 4,
        min_exports: 3,
        min_funcs: 3,
        min_types: 2,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        ..Config::default()
    };
    let mut module = RandomModule::new(config, &mut Unstructured::new(&noise)).unwrap();
    module.ensure_termination(500).unwrap();
    module.to_bytes()
}

/// Collects the results of all functions, then the globals and memories.
fn outcome(engine: &Engine, wasm: &[u8]) -> Vec<String> {
    let mut store = Store::new(engine, ());
    let module = wasmtime::Module::new(engine, wasm).unwrap();
    let Ok(instance) = Instance::new(&mut store, &module, &[]) else { return Vec::new() };
    let exports = instance.exports(&mut store).map(|export| export.into_extern()).collect::<Vec<_>>();
    let mut outcome = Vec::new();
    for function in exports.iter().filter_map(|export| export.clone().into_func()) {
        let kind = function.ty(&store);
        let arguments = kind.params().map(|kind| Val::default_for_ty(&kind).unwrap()).collect::<Vec<_>>();
        let mut results = vec![Val::I32(0); kind.results().len()];
        let trapped = function.call(&mut store, &arguments, &mut results).is_err();
        outcome.push(format!("{trapped} {results:?}"));
    }
    for export in exports {
        if let Some(global) = export.clone().into_global() {
            outcome.push(format!("{:?}", global.get(&mut store)));
        } else if let Some(memory) = export.into_memory() {
            outcome.push(format!("{:?}", Sha256::digest(memory.data(&store))));
        }
    }
    outcome
}

#[test]
fn random_modules_give_the_same_results() {
    let engine = Engine::default();
    let mut changed = 0;
    for seed in 0..40 {
        let wasm = random(seed);
        let optimized = optimized(&wasm);
        changed += usize::from(optimized != wasm);
        assert_eq!(outcome(&engine, &optimized), outcome(&engine, &wasm), "seed {seed}");
    }
    assert!(changed > 25, "only {changed} of them have small loops");
}

#[test]
fn modules_in_components_are_optimized_too() {
    let component = wat::parse_str(format!("(component (core {})", &SPLAT[1..])).unwrap();
    let optimized = optimized(&component);
    assert_eq!((splats(&component), splats(&optimized)), (1, 0));
    wasmtime::component::Component::new(&Engine::default(), &optimized).unwrap();
}

#[test]
fn counts_are_those_of_the_changes() {
    let wasm = wat::parse_str(ROWS.replacen("(local $sum v128)", "(local $sum v128) (loop)", 1)).unwrap();
    let outcome = optimize(&wasm).unwrap().outcome;
    assert_eq!(outcome, Outcome::Rewritten(Counts { loops: 1, loads: 6 }));
    assert_eq!(outcome.to_string(), "loops unrolled: 1, loads split: 6");
}

#[test]
fn result_is_not_optimized_again() {
    for text in [ROWS.to_owned(), format!("(component (core {})", &SPLAT[1..])] {
        let once = optimized(&wat::parse_str(text).unwrap());
        assert_eq!(optimize(&once).unwrap().outcome, Outcome::Unchanged(Unchanged::AlreadyOptimized));
    }
}

#[test]
fn custom_sections_and_names_are_kept() {
    let text = SPLAT.replacen("(module", r#"(module $named (@custom "other" "bytes")"#, 1);
    let wasm = wat::parse_str(text.replacen("(func ", "(func $function ", 1)).unwrap();
    let sections = |wasm: &[u8]| {
        let sections = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) => Some((section.name().to_owned(), section.data().to_owned())),
            _ => None,
        });
        sections.collect::<Vec<_>>()
    };
    let (before, after) = (sections(&wasm), sections(&optimized(&wasm)));
    assert_eq!(before.len(), 2);
    assert_eq!(after.split_last().unwrap().1, before, "the last is the mark");
}

#[test]
fn unsupported_modules_stay_unchanged_with_reason() {
    let with = |section: &str| SPLAT.replacen("(module", &format!("(module {section}"), 1);
    let offsets = |section: &str| Unchanged::CodeOffsets { section: section.to_owned() };
    let cases = [
        ("(module (memory 1))".to_owned(), Unchanged::NothingToRewrite),
        ("(component)".to_owned(), Unchanged::NothingToRewrite),
        (with(r#"(@custom ".debug_line" "lines")"#), offsets(".debug_line")),
        (with(r#"(@custom "sourceMappingURL" "map")"#), offsets("sourceMappingURL")),
        (with(r#"(@custom "metadata.code.branch_hint" "hints")"#), offsets("metadata.code.branch_hint")),
    ];
    for (text, reason) in cases {
        let wasm = wat::parse_str(text).unwrap();
        assert_eq!(optimize(&wasm).unwrap(), Optimized { wasm: (&wasm).into(), outcome: Outcome::Unchanged(reason) });
    }
    let exceptions = wat::parse_str(with("(tag $t) (func (loop $l (try_table (catch $t $l))))")).unwrap();
    let unchanged = optimize(&exceptions).unwrap();
    assert!(matches!(unchanged.outcome, Outcome::Unchanged(Unchanged::UnsupportedFeature { .. })), "{unchanged:?}");
    assert_eq!(unchanged.wasm, exceptions);
}

#[test]
fn invalid_input_is_an_error() {
    for wasm in [b"".as_slice(), b"nonsense", b"\0asm", b"\0asm\x01\0\0\0\x0a\xff"] {
        let error = optimize(wasm).unwrap_err().to_string();
        assert!(error.starts_with("not valid WebAssembly: "), "{error}");
    }
}
