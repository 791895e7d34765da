//! Starts a real `daprd` for each sidecar and a real WasmEdge for each service, as the Dapr CLI does.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use test_servers::free_port;

use crate::deployment::managed_process::ManagedProcess;
use crate::deployment::{Programs, files, pluggable};
use crate::request::To;
use crate::topology::{App, Sidecar, Topology};

/// Prefix of the names of sidecar processes, before the app id.
const PREFIX: &str = "daprd of ";

/// Returns true for the name of a sidecar process.
pub(super) fn is_sidecar(name: &str) -> bool {
    name.starts_with(PREFIX)
}

pub(crate) fn start(
    programs: &Programs,
    folder: &Path,
    topology: &Topology,
    known: &BTreeMap<To, u16>,
) -> anyhow::Result<Vec<ManagedProcess>> {
    let mut members = Vec::new();
    for sidecar in &topology.sidecars {
        let mut command = Command::new(&programs.daprd);
        // The CLI starts daprd in the application's directory.
        command.current_dir(files::working_folder(folder, sidecar.id)?).envs(topology.environment.iter().copied());
        // Without it, daprd announces the address of a network card.
        command.env("DAPR_HOST_IP", "127.0.0.1").env(pluggable::SOCKETS_DIR_VARIABLE, pluggable::sockets(folder));
        let ports = Ports::new(sidecar.id, known);
        command.args(arguments(folder, topology, sidecar, &ports));
        members.push(ManagedProcess::start(format!("{PREFIX}{}", sidecar.id), command));
        if sidecar.app == App::Service {
            let mut command = programs.runtime.command(folder, sidecar.id, topology, known)?;
            command.current_dir(files::working_folder(folder, sidecar.id)?);
            command.envs(topology.environment.iter().copied()).envs(environment(sidecar.id, &ports));
            members.push(ManagedProcess::start(sidecar.id, command));
        }
    }
    Ok(members)
}

/// Ports of one sidecar; like the CLI, it chooses free ones where none is given.
struct Ports {
    app: Option<u16>,
    http: u16,
    grpc: u16,
    internal: u16,
    metrics: u16,
}

impl Ports {
    fn new(id: &'static str, known: &BTreeMap<To, u16>) -> Self {
        Self {
            app: known.get(&To::App(id)).copied(),
            http: known.get(&To::Dapr(id)).copied().unwrap_or_else(free_port),
            grpc: known.get(&To::Grpc(id)).copied().unwrap_or_else(free_port),
            internal: free_port(),
            metrics: free_port(),
        }
    }
}

/// Returns the flags of `dapr run -f`, in its order: `cli/pkg/standalone/run.go`, `getArgs`.
///
/// The address differs, to keep the rest of the network out. The address of the placement service is left out: the CLI
/// names the one that `dapr init` started, and a sidecar with an address waits for it.
fn arguments(folder: &Path, topology: &Topology, sidecar: &Sidecar, ports: &Ports) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut flags = Vec::new();
    if sidecar.configuration.is_some() {
        flags.push(("config", path(&format!("{}.yaml", sidecar.id))));
    }
    flags.extend([
        ("app-protocol", "http".to_owned()),
        ("dapr-listen-addresses", "127.0.0.1".to_owned()),
        ("log-level", "info".to_owned()),
        ("app-max-concurrency", "-1".to_owned()),
        ("resources-path", path(&files::resources(topology, sidecar.id))),
        ("max-body-size", "4Mi".to_owned()),
        ("read-buffer-size", "4Ki".to_owned()),
        ("app-id", sidecar.id.to_owned()),
        ("app-port", ports.app.unwrap_or_default().to_string()),
        ("dapr-http-port", ports.http.to_string()),
        ("dapr-grpc-port", ports.grpc.to_string()),
        ("profile-port", "-1".to_owned()),
        ("metrics-port", ports.metrics.to_string()),
        ("dapr-internal-grpc-port", ports.internal.to_string()),
    ]);
    let flags = flags.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]);
    flags.chain(topology.flags.iter().map(|it| (*it).to_owned())).collect()
}

/// Returns the variables that `dapr run -f` adds to an application's environment: `getEnv` there.
fn environment(id: &str, ports: &Ports) -> Vec<(&'static str, String)> {
    let mut environment = vec![
        ("APP_ID", id.to_owned()),
        ("APP_CHANNEL_ADDRESS", String::new()),
        ("DAPR_HTTP_PORT", ports.http.to_string()),
        ("DAPR_GRPC_PORT", ports.grpc.to_string()),
        ("DAPR_METRICS_PORT", ports.metrics.to_string()),
        ("APP_PROTOCOL", "http".to_owned()),
    ];
    environment.extend(ports.app.map(|port| ("APP_PORT", port.to_string())));
    environment
}
