//! The components that a world has on sockets.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bed::Bed;
use crate::world::member::Member;

/// Where Dapr is told to look for sockets.
pub(crate) const FOLDER: &str = "DAPR_COMPONENTS_SOCKETS_FOLDER";

/// The folder of the sockets, in the world's folder.
pub(crate) fn sockets(folder: &Path) -> PathBuf {
    folder.join("sockets")
}

/// Serves each component of the bed.
pub(crate) fn start(folder: &Path, bed: &Bed) -> Vec<Member> {
    let served = bed.pluggable.iter().map(|(name, module, flags)| {
        let mut command = Command::new(e2e::program());
        command.args(["component", "serve", "--module"]).arg(e2e::wasm(&format!("components/{module}")));
        command.arg("--socket").arg(sockets(folder).join(name).with_extension("sock"));
        command.args(flags.iter().map(|flag| flag.replace("{folder}", &folder.display().to_string())));
        Member::start(format!("component {name}"), command)
    });
    served.collect()
}

/// Whether all of them are served. `daprd` looks once, when it starts.
pub(crate) fn are_served(members: &[Member]) -> bool {
    members.iter().all(|member| member.said().contains("in Dapr it is type: "))
}
