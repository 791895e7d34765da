//! Generates Rust from the part of Dapr's gRPC API that the state store suite uses.

use std::error::Error;

const ROOT: &str = "proto";
const FILES: &[&str] = &["proto/dapr/proto/runtime/v1/state.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let description = protox::compile(FILES, [ROOT])?;
    tonic_prost_build::configure().build_server(false).bytes(".").btree_map(".").compile_fds(description)?;
    Ok(())
}
