//! The project's own model as a graph that guests ask.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Graph, GraphError, Graphs, Library, Refusal, Session, Tensor, TensorType, limits};

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
async fn a_graph_is_loaded_once_and_computes_for_many_at_the_same_time() {
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
fn inputs_are_found_by_name_and_by_number() {
    let graph = graph();
    assert_eq!((graph.inputs(), graph.input_place("0"), graph.input_place("1")), (1, Some(0), None));
    assert_eq!(graph.input_place("nobody"), None);
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let graph = graph();
    let refused = |tensor: Tensor| match graph.input(0, &tensor) {
        Err(Refusal::InvalidArgument(text)) => text,
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
    assert!(matches!(graph.input(1, &picture()), Err(Refusal::InvalidArgument(_))));
    let huge = Tensor { dimensions: vec![u32::MAX; 4], ..picture() };
    assert!(matches!(graph.input(0, &huge), Err(Refusal::TooLarge(_))));
}

#[tokio::test]
async fn a_missing_input_is_the_guests_mistake() {
    assert!(matches!(graph().compute(vec![]).await, Err(Refusal::InvalidArgument(_))));
}

#[test]
fn a_file_that_is_missing_or_no_graph_is_told() {
    let library = Library::default();
    assert!(matches!(library.load(&PathBuf::from("/nowhere/model.onnx")), Err(GraphError::Read(_))));
    let labels = PathBuf::from("../../models/default/labels.txt");
    assert!(matches!(library.load(&labels), Err(GraphError::Load(_))));
}

#[test]
fn only_the_named_graphs_are_there_by_name_or_by_their_own_bytes() {
    let mut session = session();
    assert!(session.load_by_name("default").is_ok());
    assert!(matches!(session.load_by_name("other"), Err(Refusal::NotFound(text)) if text.contains("--flag")));
    assert!(matches!(session.load_by_name(&"x".repeat(limits::NAME + 1)), Err(Refusal::NotFound(_))));
    let mut bytes = std::fs::read(file()).unwrap();
    assert!(session.load(&[&bytes]).is_ok());
    bytes[100] ^= 1;
    assert!(matches!(session.load(&[&bytes]), Err(Refusal::NotFound(_))));
    assert!(matches!(session.load(&[]), Err(Refusal::InvalidArgument(_))));
}

#[tokio::test]
async fn a_session_goes_from_name_to_output_again_and_again() {
    let mut session = session();
    let graph = session.load_by_name("default").unwrap();
    let context = session.init_execution_context(graph).unwrap();
    assert!(matches!(session.output(context, 0), Err(Refusal::RuntimeError(_))));
    session.set_input(context, 0, &picture()).unwrap();
    for _ in 0..3 {
        let computed = session.job(context).unwrap().run().await.unwrap();
        session.finish(context, computed).unwrap();
    }
    assert_eq!(session.output(context, 0).unwrap().data.len(), 40);
    assert!(matches!(session.output(context, 1), Err(Refusal::InvalidArgument(_))));
}

#[test]
fn numbers_of_nothing_are_refused_and_those_given_back_are_used_again() {
    let mut session = session();
    assert!(session.init_execution_context(0).is_err() && session.job(0).is_err() && session.unload(7).is_err());
    assert!(session.set_input(u32::MAX, 0, &picture()).is_err());
    for _ in 0..3 * limits::HANDLES {
        let graph = session.load_by_name("default").unwrap();
        session.unload(graph).unwrap();
    }
    let graph = session.load_by_name("default").unwrap();
    let contexts = (0..).map_while(|_| session.init_execution_context(graph).ok()).count();
    assert_eq!(contexts, limits::HANDLES);
    assert!(matches!(session.init_execution_context(graph), Err(Refusal::TooLarge(_))));
}
