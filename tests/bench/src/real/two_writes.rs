//! The usual server on WasmEdge, with unmodified published crates.
//!
//! It writes a response's header and body separately. On a keep-alive connection, the second write waits for an
//! acknowledgement that the client delays.

use std::path::Path;
use std::time::Duration;

use e2e::{Deployment, Options, wasm};

use crate::bench::{free_port, load};
use crate::load::Outcome;
use crate::wasmedge;

/// Measures one connection and sixteen: daprlet, and WasmEdge.
pub(crate) fn measure(program: &Path, flags: &[String], seconds: Duration) -> anyhow::Result<Vec<(Outcome, Outcome)>> {
    let module = wasm("plain-server");
    let ours = free_port()?;
    let command = serde_json::json!(["wasmedge", module, ours.to_string()]);
    let more_apps = format!("- {{appID: plain, appDirPath: more, appPort: {ours}, command: {command}}}\n");
    let deployment = Deployment::start(&Options { more_apps, ..Options::default() });
    deployment.daprlet.until(|| std::net::TcpStream::connect(("127.0.0.1", ours)).ok().map(drop));
    let theirs = free_port()?;
    let _server = wasmedge::start(program, flags, &wasmedge::compile(program, &module)?, theirs)?;
    let on = |port, connections| load(port, &["--connections", connections], seconds);
    ["1", "16"].into_iter().map(|connections| Ok((on(ours, connections)?, on(theirs, connections)?))).collect()
}
