//! A real `daprd` for each sidecar, and a real WasmEdge for each service, started as the Dapr CLI starts them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use test_servers::free_port;

use crate::bed::{App, Bed};
use crate::request::To;
use crate::world::member::Member;
use crate::world::{Programs, files};

pub(crate) fn start(
    programs: &Programs,
    folder: &Path,
    bed: &Bed,
    known: &BTreeMap<To, u16>,
) -> anyhow::Result<Vec<Member>> {
    let mut members = Vec::new();
    for sidecar in &bed.sidecars {
        let mut command = Command::new(&programs.daprd);
        command.current_dir(folder).envs(bed.environment.iter().copied());
        // Without it, daprd tells the others an address of a network card.
        command.env("DAPR_HOST_IP", "127.0.0.1");
        command.args(["--app-id", sidecar.id, "--log-level", "info", "--dapr-listen-addresses", "127.0.0.1"]);
        command.arg("--resources-path").arg(folder.join(files::resources(bed, sidecar.id)));
        for flag in ["--dapr-grpc-port", "--dapr-internal-grpc-port", "--metrics-port", "--profile-port"] {
            command.arg(flag).arg(free_port().to_string());
        }
        if let Some(port) = known.get(&To::Dapr(sidecar.id)) {
            command.arg("--dapr-http-port").arg(port.to_string());
        }
        if let Some(port) = known.get(&To::App(sidecar.id)) {
            command.arg("--app-port").arg(port.to_string());
        }
        if sidecar.configuration.is_some() {
            command.arg("--config").arg(folder.join(format!("{}.yaml", sidecar.id)));
        }
        members.push(Member::start(format!("daprd of {}", sidecar.id), command));
        if sidecar.app == App::Service {
            let mut wasmedge = vec![programs.wasmedge.display().to_string()];
            wasmedge.extend(programs.flags.iter().cloned());
            let module = programs.ahead.as_ref().map(|folder| folder.join(sidecar.id).with_extension("so"));
            let module = module.unwrap_or_else(|| e2e::wasm(sidecar.id));
            let command = files::service(&wasmedge, &module, sidecar.id, bed, known);
            let (program, arguments) = command.split_first().context("a command")?;
            let mut command = Command::new(program);
            command.args(arguments).current_dir(folder);
            members.push(Member::start(sidecar.id, command));
        }
    }
    Ok(members)
}
