//! One process that runs WebAssembly services and the Dapr building blocks they use.

fn main() {}
