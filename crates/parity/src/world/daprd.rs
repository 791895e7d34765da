//! A real `daprd` for each sidecar, started as the Dapr CLI starts it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use e2e::Process;

use crate::bed::Bed;
use crate::case::To;
use crate::world::ports;

pub(crate) fn start(
    program: &Path,
    folder: &Path,
    bed: &Bed,
    known: &BTreeMap<To, u16>,
) -> anyhow::Result<Vec<Process>> {
    let mut free = ports::free(bed.sidecars.len() * 4)?.into_iter();
    let mut processes = Vec::new();
    for sidecar in &bed.sidecars {
        let mut command = Command::new(program);
        command.current_dir(folder).envs(bed.environment.iter().copied());
        // Without it, daprd tells the others an address of a network card.
        command.env("DAPR_HOST_IP", "127.0.0.1");
        command.args(["--app-id", sidecar.id, "--log-level", "info", "--dapr-listen-addresses", "127.0.0.1"]);
        command.arg("--resources-path").arg(folder.join("resources").join(sidecar.id));
        for flag in ["--dapr-grpc-port", "--dapr-internal-grpc-port", "--metrics-port", "--profile-port"] {
            command.arg(flag).arg(ports::next(&mut free)?.to_string());
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
        processes.push(Process::spawn(&mut command));
    }
    Ok(processes)
}
