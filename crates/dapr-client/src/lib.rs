//! A typed Dapr client for services compiled to WebAssembly, and for native tools and tests.
