//! `wasi_ephemeral_nn` as guests without any library use it, well-behaved or hostile.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guest_wasmedge::{GuestError, Limits};
use inference::{Graphs, Library, limits};

use crate::support::{Setting, start};

const INVALID_ARGUMENT: i32 = 1;
const INVALID_ENCODING: i32 = 2;
const RUNTIME_ERROR: i32 = 5;
const TOO_LARGE: i32 = 7;
const NOT_FOUND: i32 = 8;

/// Loads the project's own model under the name `default`.
fn graphs() -> Arc<Graphs> {
    let file = Path::new("../../models/default/model.onnx");
    let graph = Library::default().load(file).expect("the model");
    Arc::new(Graphs::new("app".to_owned(), "--nn-preload", vec![("default".to_owned(), graph)]))
}

/// Builds a guest that imports every function and exits with the result of `code`.
///
/// Its memory has `default` at 16 and a tensor of 1 x 3 x 32 x 32 floats at 64 (its dimensions at 96, its data at
/// 4096).
fn program(code: &str) -> String {
    format!(
        r#"(module
            (import "wasi_ephemeral_nn" "load" (func $load (param i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "load_by_name" (func $load_by_name (param i32 i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "unload" (func $unload (param i32) (result i32)))
            (import "wasi_ephemeral_nn" "init_execution_context" (func $init (param i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "finalize_execution_context" (func $finalize (param i32) (result i32)))
            (import "wasi_ephemeral_nn" "set_input" (func $set_input (param i32 i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
            (import "wasi_ephemeral_nn" "get_output" (func $get_output (param i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 2)
            (data (i32.const 16) "default")
            (data (i32.const 64) "\60\00\00\00\04\00\00\00\01\00\00\00\00\10\00\00\00\30\00\00")
            (data (i32.const 96) "\01\00\00\00\03\00\00\00\20\00\00\00\20\00\00\00")
            (func $ready
                (drop (call $load_by_name (i32.const 16) (i32.const 7) (i32.const 0)))
                (drop (call $init (i32.load (i32.const 0)) (i32.const 4))))
            (func $context (result i32) (i32.load (i32.const 4)))
            (func (export "_start") (local $i i32)
                (call $exit {code})))"#
    )
}

async fn exit_code(code: &str) -> i32 {
    let setting = Setting { graphs: graphs(), ..Setting::default() };
    start(program(code).as_bytes(), setting).end.await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn named_model_runs_from_load_to_output() {
    let code = "(block (result i32)
        (call $ready)
        (i32.add (call $set_input (call $context) (i32.const 0) (i32.const 64))
        (i32.add (call $compute (call $context))
        (i32.add (call $get_output (call $context) (i32.const 0) (i32.const 128) (i32.const 40) (i32.const 8))
                 (i32.load (i32.const 8))))))";
    assert_eq!(exit_code(code).await, 40, "ten floats, and no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn wild_pointers_are_invalid_arguments_in_every_function() {
    let cases = [
        "(call $load (i32.const -8) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0))",
        "(call $load (i32.const 64) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const -2))",
        "(call $load (i32.const 131064) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 0))",
        "(call $load (i32.const 0) (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0))",
        "(call $load_by_name (i32.const -1) (i32.const 7) (i32.const 0))",
        "(call $load_by_name (i32.const 16) (i32.const -1) (i32.const 0))",
        "(call $load_by_name (i32.const 16) (i32.const 7) (i32.const 131070))",
        "(block (result i32) (call $ready) (call $init (i32.load (i32.const 0)) (i32.const -4)))",
        "(block (result i32) (call $ready) (call $set_input (call $context) (i32.const 0) (i32.const -4)))",
        "(block (result i32) (call $ready) (call $set_input (call $context) (i32.const 0) (i32.const 131060)))",
        // The dimensions, then the data, lie beyond the end.
        "(block (result i32) (call $ready) (i32.store (i32.const 64) (i32.const -4))
            (call $set_input (call $context) (i32.const 0) (i32.const 64)))",
        "(block (result i32) (call $ready) (i32.store (i32.const 76) (i32.const 131000))
            (call $set_input (call $context) (i32.const 0) (i32.const 64)))",
        "(block (result i32) (call $ready)
            (call $get_output (call $context) (i32.const 0) (i32.const -9) (i32.const 40) (i32.const 8)))",
        "(block (result i32) (call $ready)
            (call $get_output (call $context) (i32.const 0) (i32.const 128) (i32.const 40) (i32.const -1)))",
    ];
    for code in cases {
        assert_eq!(exit_code(code).await, INVALID_ARGUMENT, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_mismatched_inputs_have_the_abis_errors() {
    let ready = |code: &str| format!("(block (result i32) (call $ready) {code})");
    let computed = |code: &str| {
        ready(&format!(
            "(drop (call $set_input (call $context) (i32.const 0) (i32.const 64))) (drop (call $compute (call $context))) {code}"
        ))
    };
    let cases = [
        ("(call $load_by_name (i32.const 16) (i32.const 6) (i32.const 0))".to_owned(), NOT_FOUND),
        // Bytes of a graph that the operator has not named.
        ("(call $load (i32.const 64) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0))".to_owned(), NOT_FOUND),
        (
            "(call $load (i32.const 64) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))".to_owned(),
            INVALID_ENCODING,
        ),
        ("(call $init (i32.const 0) (i32.const 0))".to_owned(), INVALID_ARGUMENT),
        ("(call $unload (i32.const 0))".to_owned(), INVALID_ARGUMENT),
        ("(call $finalize (i32.const 0))".to_owned(), INVALID_ARGUMENT),
        ("(call $compute (i32.const -1))".to_owned(), INVALID_ARGUMENT),
        (ready("(call $compute (call $context))"), INVALID_ARGUMENT),
        (ready("(call $set_input (call $context) (i32.const 1) (i32.const 64))"), INVALID_ARGUMENT),
        // Another width, another type, more dimensions and more bytes than there may be.
        (
            ready(
                "(i32.store (i32.const 108) (i32.const 31)) (call $set_input (call $context) (i32.const 0) (i32.const 64))",
            ),
            INVALID_ARGUMENT,
        ),
        (
            ready(
                "(i32.store (i32.const 72) (i32.const 4)) (call $set_input (call $context) (i32.const 0) (i32.const 64))",
            ),
            INVALID_ARGUMENT,
        ),
        (
            ready(
                "(i32.store (i32.const 68) (i32.const -1)) (call $set_input (call $context) (i32.const 0) (i32.const 64))",
            ),
            TOO_LARGE,
        ),
        (
            ready(
                "(i32.store (i32.const 80) (i32.const -1)) (call $set_input (call $context) (i32.const 0) (i32.const 64))",
            ),
            TOO_LARGE,
        ),
        (
            ready("(call $get_output (call $context) (i32.const 0) (i32.const 128) (i32.const 40) (i32.const 8))"),
            RUNTIME_ERROR,
        ),
        (
            computed("(call $get_output (call $context) (i32.const 1) (i32.const 128) (i32.const 40) (i32.const 8))"),
            INVALID_ARGUMENT,
        ),
        (
            computed("(call $get_output (call $context) (i32.const 0) (i32.const 128) (i32.const 39) (i32.const 8))"),
            TOO_LARGE,
        ),
    ];
    for (code, expected) in cases {
        assert_eq!(exit_code(&code).await, expected, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_end_at_the_limit() {
    let code = "(block (result i32)
        (call $ready)
        (loop $more
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $more (i32.eqz (call $init (i32.load (i32.const 0)) (i32.const 4)))))
        (local.get $i))";
    // The context made by `$ready` counts, too.
    assert_eq!(exit_code(code).await, i32::try_from(limits::MAX_HANDLES).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn finalized_context_frees_its_slot_and_tensors() {
    // Sixteen times as many as there may be at once, each with a tensor.
    let code = "(block (result i32)
        (drop (call $load_by_name (i32.const 16) (i32.const 7) (i32.const 0)))
        (loop $more
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (if (call $init (i32.load (i32.const 0)) (i32.const 4)) (then (call $exit (i32.const 100))))
            (if (call $set_input (call $context) (i32.const 0) (i32.const 64)) (then (call $exit (i32.const 101))))
            (if (call $finalize (call $context)) (then (call $exit (i32.const 102))))
            (br_if $more (i32.lt_u (local.get $i) (i32.const 1024))))
        (i32.ne (call $compute (call $context)) (i32.const 1)))";
    assert_eq!(exit_code(code).await, 0, "and it is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn host_side_inference_counts_as_guest_time() {
    let code = "(block (result i32)
        (call $ready)
        (drop (call $set_input (call $context) (i32.const 0) (i32.const 64)))
        (loop $for_ever (drop (call $compute (call $context))) (br $for_ever))
        (i32.const 0))";
    let limits = Limits { busy: Duration::from_millis(300), ..Limits::default() };
    let setting = Setting { graphs: graphs(), limits, ..Setting::default() };
    let ended = start(program(code).as_bytes(), setting).end.await.unwrap();
    assert!(matches!(ended, Err(GuestError::Trap(_))), "{ended:?}");
}
