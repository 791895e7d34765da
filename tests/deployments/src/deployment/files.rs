//! The files of a deployment, equal for both kinds except for server addresses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::deployment::Servers;
use crate::request::To;
use crate::topology::{Config, SECRETS_ENV, SECRETS_FILE, Topology};

/// Writes a resource directory for each sidecar, and its configuration if it has one.
///
/// `outside` is the address of a server that is not an application.
pub(crate) fn write(folder: &Path, topology: &Topology, servers: &Servers, outside: &str) -> anyhow::Result<()> {
    fs::write(folder.join("secrets.json"), SECRETS_FILE)?;
    fs::write(folder.join("secrets.env"), SECRETS_ENV)?;
    for sidecar in &topology.sidecars {
        let resources = folder.join("resources").join(sidecar.id);
        fs::create_dir_all(&resources)?;
        for (number, text) in sidecar.components.iter().enumerate() {
            let text = text
                .replace("{redis}", &servers.redis)
                .replace("{mysql}", &servers.mysql)
                .replace("{outside}", outside)
                .replace("{shared}", &servers.shared.display().to_string())
                .replace("{folder}", &folder.display().to_string());
            fs::write(resources.join(format!("{number}.yaml")), text)?;
        }
        if let Some(configuration) = sidecar.configuration {
            fs::write(folder.join(format!("{}.yaml", sidecar.id)), configuration)?;
        }
    }
    if let Some(config) = topology.config {
        copy(folder, config, servers).with_context(|| config.folder().to_owned())?;
    }
    Ok(())
}

/// Copies the project's own components with other addresses, and a shorter delivery interval than five seconds.
fn copy(folder: &Path, config: Config, servers: &Servers) -> anyhow::Result<()> {
    let from = e2e::repository().join(config.folder());
    let to = folder.join(config.folder());
    fs::create_dir_all(&to)?;
    fs::create_dir_all(folder.join("data"))?;
    for file in fs::read_dir(from)? {
        let file = file?.path();
        if let (Some(name), true) = (file.file_name(), file.extension().is_some_and(|it| it == "yaml")) {
            let text = fs::read_to_string(&file)?;
            let text = text.replace("127.0.0.1:6379", &servers.redis).replace("@every 5s", "@every 1s");
            fs::write(to.join(name), text)?;
        }
    }
    let url = match config {
        Config::Development => &servers.mysql_url,
        Config::Production => &servers.mysql,
    };
    let secrets = serde_json::json!({ "DB_URL": { "MYSQL": url }, "REDIS": { "PASSWORD": "" } });
    fs::write(to.join("secrets.json"), secrets.to_string())?;
    Ok(())
}

/// Returns the component directory of a sidecar, relative to the deployment's.
pub(crate) fn resources(topology: &Topology, id: &str) -> String {
    topology.config.map_or_else(|| format!("resources/{id}"), |config| config.folder().to_owned())
}

/// Creates the working directory of an application, as `appDirPath` of the project's `dapr.yaml` says.
pub(crate) fn working_folder(folder: &Path, id: &str) -> anyhow::Result<PathBuf> {
    let folder = folder.join(id);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Returns the environment of a service as flags, which are the same for every runtime.
///
/// These are the ports, which differ between deployments, and the topology's settings.
pub(crate) fn settings(id: &'static str, topology: &Topology, ports: &BTreeMap<To, u16>) -> Vec<String> {
    let port = |name: &str, to: To| format!("{name}={}", ports.get(&to).copied().unwrap_or_default());
    let settings = [port("APP_PORT", To::App(id)), port("DAPR_HTTP_PORT", To::Dapr(id))];
    settings.iter().chain(&topology.settings).flat_map(|it| ["--env".to_owned(), it.clone()]).collect()
}
