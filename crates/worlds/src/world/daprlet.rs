//! All sidecars in one daprlet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{App, Bed, Sidecar};
use crate::request::To;
use crate::world::member::Member;
use crate::world::{files, pluggable};

pub(crate) fn start(folder: &Path, bed: &Bed, ports: &BTreeMap<To, u16>) -> anyhow::Result<Vec<Member>> {
    for sidecar in &bed.sidecars {
        files::working_folder(folder, sidecar.id)?;
    }
    let apps: Vec<Value> = bed.sidecars.iter().map(|sidecar| app(sidecar, bed, ports)).collect();
    // JSON is YAML.
    fs::write(folder.join("dapr.yaml"), json!({ "version": 1, "apps": apps }).to_string())?;
    let mut command = Command::new(e2e::program());
    command.args(["run", "-f", "dapr.yaml"]).args(bed.flags).current_dir(folder).envs(bed.environment.iter().copied());
    command.env(pluggable::FOLDER, pluggable::sockets(folder));
    Ok(vec![Member::start("daprlet", command)])
}

fn app(sidecar: &Sidecar, bed: &Bed, ports: &BTreeMap<To, u16>) -> Value {
    let command = || {
        let module = e2e::wasm(sidecar.id).display().to_string();
        [vec!["wasmedge".to_owned()], files::settings(sidecar.id, bed, ports), vec![module]].concat()
    };
    let fields = [
        ("appID", Some(json!(sidecar.id))),
        ("appDirPath", Some(json!(sidecar.id))),
        ("appPort", ports.get(&To::App(sidecar.id)).map(|port| json!(port))),
        ("daprHTTPPort", ports.get(&To::Dapr(sidecar.id)).map(|port| json!(port))),
        ("resourcesPath", Some(json!(format!("../{}", files::resources(bed, sidecar.id))))),
        ("configFilePath", sidecar.configuration.map(|_| json!(format!("../{}.yaml", sidecar.id)))),
        ("command", (sidecar.app == App::Service).then(|| json!(command()))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
