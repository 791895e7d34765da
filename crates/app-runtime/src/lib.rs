//! Runs applications (Wasm guests and native processes) beside the Dapr building blocks and carries invocations between them.
