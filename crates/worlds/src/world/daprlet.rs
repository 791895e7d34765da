//! All sidecars in one daprlet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::bed::{App, Bed};
use crate::request::To;
use crate::world::files;
use crate::world::member::Member;

pub(crate) fn start(folder: &Path, bed: &Bed, ports: &BTreeMap<To, u16>) -> anyhow::Result<Vec<Member>> {
    let apps: Vec<_> = bed
        .sidecars
        .iter()
        .map(|sidecar| {
            let mut app = json!({
                "appID": sidecar.id,
                "appDirPath": ".",
                "daprHTTPPort": ports.get(&To::Dapr(sidecar.id)),
                "resourcesPath": files::resources(bed, sidecar.id),
            });
            if let Some(port) = ports.get(&To::App(sidecar.id)) {
                app["appPort"] = json!(port);
            }
            if sidecar.app == App::Service {
                app["command"] =
                    json!(files::service(&["wasmedge".to_owned()], &e2e::wasm(sidecar.id), sidecar.id, bed, ports));
            }
            if sidecar.configuration.is_some() {
                app["configFilePath"] = json!(format!("{}.yaml", sidecar.id));
            }
            app
        })
        .collect();
    // JSON is YAML.
    fs::write(folder.join("dapr.yaml"), json!({ "version": 1, "apps": apps }).to_string())?;
    let mut command = Command::new(e2e::program());
    command.args(["run", "-f", "dapr.yaml"]).current_dir(folder).envs(bed.environment.iter().copied());
    Ok(vec![Member::start("daprlet", command)])
}
