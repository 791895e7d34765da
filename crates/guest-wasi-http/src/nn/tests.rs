//! Calls of the interfaces, by well-behaved and by hostile components.

use std::path::Path;

use inference::Library;

use super::contract::errors::HostError as _;
use super::contract::graph::{Host as _, HostGraph as _};
use super::contract::inference::HostGraphExecutionContext as _;
use super::contract::tensor::HostTensor as _;
use super::*;

/// State behind a view.
struct Instance {
    nn: Nn,
    table: ResourceTable,
    computed: Duration,
}

impl Instance {
    /// Creates an instance that may use the project's own model under the name `default`.
    fn new() -> Self {
        let file = Path::new("../../models/default/model.onnx");
        let graph = Library::default().load(file).unwrap();
        let graphs = Graphs::new("app".to_owned(), "-S nn-graph", vec![("default".to_owned(), graph)]);
        Self { nn: Nn::new(Arc::new(graphs)), table: ResourceTable::new(), computed: Duration::ZERO }
    }

    fn view(&mut self) -> NnView<'_> {
        NnView { nn: &mut self.nn, table: &mut self.table, computed: &mut self.computed }
    }

    fn context(&mut self) -> Resource<Context> {
        let graph = self.view().load_by_name("default".to_owned()).unwrap().unwrap();
        self.view().init_execution_context(graph).unwrap().unwrap()
    }

    fn picture(&mut self, width: u32) -> Resource<Tensor> {
        let data = vec![0; 4 * 3 * 32 * width as usize];
        self.view().new(vec![1, 3, 32, width], tensor::TensorType::Fp32, data).unwrap()
    }

    /// Returns code and text of an error, and drops it.
    fn take_error(&mut self, error: Resource<NnError>) -> (ErrorCode, String) {
        let again = || Resource::new_borrow(error.rep());
        let result = (self.view().code(again()).unwrap(), errors::HostError::data(&mut self.view(), again()).unwrap());
        errors::HostError::drop(&mut self.view(), error).unwrap();
        result
    }
}

#[tokio::test]
async fn named_graph_computes_and_its_time_counts() {
    let mut instance = Instance::new();
    let context = instance.context();
    let input = ("0".to_owned(), instance.picture(32));
    let outputs = instance.view().compute(context, vec![input]).await.unwrap().unwrap();
    let scores = || Resource::new_borrow(outputs[0].1.rep());
    assert_eq!(instance.view().dimensions(scores()).unwrap(), [1, 10]);
    assert_eq!(tensor::HostTensor::data(&mut instance.view(), scores()).unwrap().len(), 40);
    assert!(instance.computed > Duration::ZERO && instance.nn.tensor_bytes == 40, "{:?}", instance.computed);
}

#[tokio::test]
async fn unknown_graph_and_unfit_input_are_errors() {
    let mut instance = Instance::new();
    let error = instance.view().load_by_name("other".to_owned()).unwrap().unwrap_err();
    let (code, text) = instance.take_error(error);
    assert!(code == ErrorCode::NotFound && text.contains("-S nn-graph"), "{code:?} {text}");
    let load = |instance: &mut Instance, encoding, target| {
        let error = instance.view().load(vec![b"a network".to_vec()], encoding, target).unwrap().unwrap_err();
        instance.take_error(error).0
    };
    assert_eq!(load(&mut instance, GraphEncoding::Onnx, ExecutionTarget::Cpu), ErrorCode::NotFound);
    assert_eq!(load(&mut instance, GraphEncoding::Ggml, ExecutionTarget::Cpu), ErrorCode::InvalidEncoding);
    assert_eq!(load(&mut instance, GraphEncoding::Onnx, ExecutionTarget::Gpu), ErrorCode::InvalidArgument);
    let context = instance.context();
    for (name, width) in [("0", 31), ("1", 32), ("nobody", 32)] {
        let input = (name.to_owned(), instance.picture(width));
        let context = Resource::new_borrow(context.rep());
        let error = instance.view().compute(context, vec![input]).await.unwrap().unwrap_err();
        assert_eq!(instance.take_error(error).0, ErrorCode::InvalidArgument, "{name} {width}");
    }
    let error = instance.view().compute(context, vec![]).await.unwrap().unwrap_err();
    assert_eq!(instance.take_error(error).0, ErrorCode::InvalidArgument);
    assert_eq!(instance.nn.tensor_bytes, 0, "all inputs were released");
}

#[test]
fn instance_with_too_many_resources_is_ended() {
    let mut instance = Instance::new();
    let kept = (0..).map_while(|_| instance.view().load_by_name("other".to_owned()).ok()).count();
    assert_eq!(kept, MAX_RESOURCES);
    let mut instance = Instance::new();
    let large = |view: &mut NnView<'_>| {
        view.new(vec![1], tensor::TensorType::U8, vec![0; inference::limits::MAX_TENSOR_BYTES]).ok()
    };
    let kept = (0..).map_while(|_| large(&mut instance.view())).count();
    assert_eq!(kept, inference::limits::MAX_TENSORS_BYTES / inference::limits::MAX_TENSOR_BYTES);
}
