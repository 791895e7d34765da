//! Components that a deployment serves on sockets.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::deployment::managed_process::ManagedProcess;
use crate::topology::Topology;

/// Variable with the directory in which Dapr looks for sockets.
pub(crate) const SOCKETS_DIR_VARIABLE: &str = "DAPR_COMPONENTS_SOCKETS_FOLDER";

/// Returns the socket directory, inside the deployment's directory.
pub(crate) fn sockets(folder: &Path) -> PathBuf {
    folder.join("sockets")
}

/// Serves each component of the topology.
pub(crate) fn start(folder: &Path, topology: &Topology) -> Vec<ManagedProcess> {
    let served = topology.pluggable.iter().map(|(name, module, flags)| {
        let mut command = Command::new(e2e::program());
        command.args(["component", "serve", "--module"]).arg(e2e::wasm(&format!("components/{module}")));
        command.arg("--socket").arg(sockets(folder).join(name).with_extension("sock"));
        command.args(flags.iter().map(|flag| flag.replace("{folder}", &folder.display().to_string())));
        ManagedProcess::start(format!("component {name}"), command)
    });
    served.collect()
}

/// Returns true if all components are served. `daprd` looks for them only once, when it starts.
pub(crate) fn are_served(members: &[ManagedProcess]) -> bool {
    members.iter().all(|member| member.output().contains("in Dapr it is type: "))
}
