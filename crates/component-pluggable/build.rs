//! Generates Rust code from the protocol, and its descriptor set for reflection.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

const ROOT: &str = "proto";
const FILES: &[&str] = &["proto/dapr/proto/components/v1/components.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let description = protox::compile(FILES, [ROOT])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("components.bin"), description.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".").btree_map(".").compile_fds(description)?;
    Ok(())
}
