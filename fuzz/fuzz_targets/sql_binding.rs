//! Statements and parameters of the SQL binding on SQLite: no file but the binding's own is opened, and no call ends the process.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dapr_building_blocks::OutputBinding;
use dapr_building_blocks::binding::InvokeRequest;
use dapr_building_blocks::component::{ComponentSpec, Context};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A statement that takes longer is interrupted.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(100);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary directory"));
static BINDING: LazyLock<Arc<dyn OutputBinding>> = LazyLock::new(|| {
    let file = DIRECTORY.path().join("own.db").display().to_string();
    let properties = [("url", format!("sqlite:{file}"))].into_iter().collect();
    let spec = ComponentSpec {
        name: "db".to_owned(),
        type_: "bindings.mysql".to_owned(),
        properties,
        ..ComponentSpec::default()
    };
    let component = RUNTIME.block_on(component_native::registry().create(spec, Context::default()));
    component.expect("a component").output_binding.expect("a binding")
});

fuzz_target!(|input: (bool, &str, &str)| {
    let (reads, sql, params) = input;
    let metadata = [("sql", sql), ("params", params)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let operation = if reads { "query" } else { "exec" };
    let request =
        InvokeRequest { operation: operation.to_owned(), metadata: metadata.into(), ..InvokeRequest::default() };
    // Created first: it needs the runtime, too.
    let binding = BINDING.clone();
    let _ = RUNTIME.block_on(async { tokio::time::timeout(STATEMENT_TIMEOUT, binding.invoke(request)).await });
    let files = std::fs::read_dir(DIRECTORY.path()).expect("the directory").filter_map(Result::ok);
    let others = files.map(|it| it.file_name()).find(|name| !name.to_string_lossy().starts_with("own.db"));
    assert!(others.is_none(), "{sql:?} wrote {others:?}");
});
