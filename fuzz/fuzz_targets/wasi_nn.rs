//! Functions of `wasi_ephemeral_nn` with any arguments in any order. The model has the empty name, which a guest finds easily.

#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use fuzz::{HostFunction, call_host};
use inference::{Graphs, Library};
use libfuzzer_sys::fuzz_target;

const FUNCTIONS: &[HostFunction] = &[
    ("load", "iiiii"),
    ("load_by_name", "iii"),
    ("unload", "i"),
    ("init_execution_context", "ii"),
    ("finalize_execution_context", "i"),
    ("set_input", "iii"),
    ("compute", "i"),
    ("get_output", "iiiii"),
];

static GRAPHS: LazyLock<Arc<Graphs>> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/default/model.onnx");
    let graph = Library::default().load(&file).expect("the model");
    Arc::new(Graphs::new("app".to_owned(), "--nn-preload", vec![(String::new(), graph)]))
});

fuzz_target!(|bytes: &[u8]| call_host("wasi_ephemeral_nn", FUNCTIONS, &GRAPHS, bytes));
