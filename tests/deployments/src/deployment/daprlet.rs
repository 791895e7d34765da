//! Starts all sidecars in one daprlet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::deployment::managed_process::ManagedProcess;
use crate::deployment::{files, pluggable};
use crate::faults::Faults;
use crate::request::To;
use crate::topology::{App, Sidecar, Topology};

pub(crate) fn start(
    folder: &Path,
    topology: &Topology,
    ports: &BTreeMap<To, u16>,
) -> anyhow::Result<(ManagedProcess, Option<Faults>)> {
    for sidecar in &topology.sidecars {
        files::working_folder(folder, sidecar.id)?;
    }
    let apps: Vec<Value> = topology.sidecars.iter().map(|sidecar| app(sidecar, topology, ports)).collect();
    // JSON is valid YAML.
    fs::write(folder.join("dapr.yaml"), json!({ "version": 1, "apps": apps }).to_string())?;
    let mut command = Command::new(e2e::program());
    command
        .args(["run", "-f", "dapr.yaml"])
        .args(topology.flags)
        .current_dir(folder)
        .envs(topology.environment.iter().copied());
    command.env(pluggable::SOCKETS_DIR_VARIABLE, pluggable::sockets(folder));
    let faults = Faults::prepare(folder, &mut command)?;
    Ok((ManagedProcess::start("daprlet", command), faults))
}

fn app(sidecar: &Sidecar, topology: &Topology, ports: &BTreeMap<To, u16>) -> Value {
    let command = || {
        let module = e2e::wasm(sidecar.id).display().to_string();
        [vec!["wasmedge".to_owned()], files::settings(sidecar.id, topology, ports), vec![module]].concat()
    };
    let fields = [
        ("appID", Some(json!(sidecar.id))),
        ("appDirPath", Some(json!(sidecar.id))),
        ("appPort", ports.get(&To::App(sidecar.id)).map(|port| json!(port))),
        ("daprHTTPPort", ports.get(&To::Dapr(sidecar.id)).map(|port| json!(port))),
        ("resourcesPath", Some(json!(format!("../{}", files::resources(topology, sidecar.id))))),
        ("configFilePath", sidecar.configuration.map(|_| json!(format!("../{}.yaml", sidecar.id)))),
        ("command", (sidecar.app == App::Service).then(|| json!(command()))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
