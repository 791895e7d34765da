//! Tests with the project's own model.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Graph, GraphError, Graphs, Library, NnError, Session, Tensor, TensorType, limits};

fn file() -> PathBuf {
    PathBuf::from("../../models/default/model.onnx")
}

fn graph() -> Arc<Graph> {
    Library::default().load(&file()).unwrap()
}

fn picture() -> Tensor {
    Tensor { dimensions: vec![1, 3, 32, 32], kind: TensorType::F32, data: 0.5_f32.to_le_bytes().repeat(3 * 32 * 32) }
}

fn session() -> Session {
    Session::new(Arc::new(Graphs::new("app".into(), "--flag", vec![("default".into(), graph())])))
}

#[tokio::test]
async fn graph_is_loaded_once_and_computes_concurrently() {
    let library = Library::default();
    let (graph, again) = (library.load(&file()).unwrap(), library.load(&file()).unwrap());
    assert!(Arc::ptr_eq(&graph, &again));
    let input = graph.input(0, &picture()).unwrap();
    let (one, other) = tokio::join!(graph.compute(vec![Some(input.clone())]), again.compute(vec![Some(input)]));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.outputs, other.outputs);
    let (_, scores) = &one.outputs[0];
    assert_eq!(
        (scores.dimensions.as_slice(), scores.kind, scores.data.len()),
        ([1, 10].as_slice(), TensorType::F32, 40)
    );
}

#[test]
fn inputs_are_found_by_name_and_number() {
    let graph = graph();
    assert_eq!((graph.inputs(), graph.input_index("0"), graph.input_index("1")), (1, Some(0), None));
    assert_eq!(graph.input_index("nobody"), None);
}

#[test]
fn unfit_tensor_error_names_what_fits() {
    let graph = graph();
    let refused = |tensor: Tensor| match graph.input(0, &tensor) {
        Err(NnError::InvalidArgument(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it fits"),
    };
    let wrong_size = Tensor { dimensions: vec![1, 3, 31, 32], data: vec![0; 4 * 3 * 31 * 32], ..picture() };
    assert!(refused(wrong_size).contains("3, 32, 32"));
    assert!(refused(Tensor { dimensions: vec![3, 32, 32], ..picture() }).contains("32, 32]"));
    assert!(refused(Tensor { kind: TensorType::U8, data: vec![0; 3 * 32 * 32], ..picture() }).contains("U8"));
    assert!(refused(Tensor { kind: TensorType::F64, data: vec![0; 8 * 3 * 32 * 32], ..picture() }).contains("F64"));
    assert!(refused(Tensor { data: vec![0; 7], ..picture() }).contains("7"));
    assert!(refused(Tensor { dimensions: vec![0, 3, 32, 32], data: vec![], ..picture() }).contains("without elements"));
    assert!(refused(Tensor { dimensions: vec![1; 9], ..picture() }).contains("dimensions"));
    assert!(matches!(graph.input(1, &picture()), Err(NnError::InvalidArgument(_))));
    let huge = Tensor { dimensions: vec![u32::MAX; 4], ..picture() };
    assert!(matches!(graph.input(0, &huge), Err(NnError::TooLarge(_))));
}

#[tokio::test]
async fn missing_input_is_an_invalid_argument() {
    assert!(matches!(graph().compute(vec![]).await, Err(NnError::InvalidArgument(_))));
}

#[test]
fn missing_or_invalid_file_is_an_error() {
    let library = Library::default();
    assert!(matches!(library.load(&PathBuf::from("/nowhere/model.onnx")), Err(GraphError::Read(_))));
    let labels = PathBuf::from("../../models/default/labels.txt");
    assert!(matches!(library.load(&labels), Err(GraphError::Load(_))));
}

#[test]
fn only_named_graphs_load_by_name_or_content() {
    let mut session = session();
    assert!(session.load_by_name("default").is_ok());
    assert!(matches!(session.load_by_name("other"), Err(NnError::NotFound(text)) if text.contains("--flag")));
    assert!(matches!(session.load_by_name(&"x".repeat(limits::MAX_NAME_BYTES + 1)), Err(NnError::NotFound(_))));
    let mut bytes = std::fs::read(file()).unwrap();
    assert!(session.load(&[&bytes]).is_ok());
    bytes[100] ^= 1;
    assert!(matches!(session.load(&[&bytes]), Err(NnError::NotFound(_))));
    assert!(matches!(session.load(&[]), Err(NnError::InvalidArgument(_))));
}

#[tokio::test]
async fn session_computes_repeatedly() {
    let mut session = session();
    let graph = session.load_by_name("default").unwrap();
    let context = session.init_execution_context(graph).unwrap();
    assert!(matches!(session.output(context, 0), Err(NnError::RuntimeError(_))));
    session.set_input(context, 0, &picture()).unwrap();
    for _ in 0..3 {
        let computed = session.job(context).unwrap().run().await.unwrap();
        session.finish(context, computed).unwrap();
    }
    assert_eq!(session.output(context, 0).unwrap().data.len(), 40);
    assert!(matches!(session.output(context, 1), Err(NnError::InvalidArgument(_))));
}

#[test]
fn unknown_handles_are_rejected_and_freed_ones_reused() {
    let mut session = session();
    assert!(session.init_execution_context(0).is_err() && session.job(0).is_err() && session.unload(7).is_err());
    assert!(session.set_input(u32::MAX, 0, &picture()).is_err());
    for _ in 0..3 * limits::MAX_HANDLES {
        let graph = session.load_by_name("default").unwrap();
        session.unload(graph).unwrap();
    }
    let graph = session.load_by_name("default").unwrap();
    let contexts = (0..).map_while(|_| session.init_execution_context(graph).ok()).count();
    assert_eq!(contexts, limits::MAX_HANDLES);
    assert!(matches!(session.init_execution_context(graph), Err(NnError::TooLarge(_))));
}
