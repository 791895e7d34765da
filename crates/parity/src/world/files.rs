//! The files of a bed, the same for both worlds but for the addresses of their servers.

use std::fs;
use std::path::Path;

use crate::bed::{Bed, SECRETS_FILE};
use crate::world::Servers;

/// Writes a folder of resources and, if it has one, a configuration for each sidecar.
pub(crate) fn write(folder: &Path, bed: &Bed, servers: &Servers) -> anyhow::Result<()> {
    fs::write(folder.join("secrets.json"), SECRETS_FILE)?;
    for sidecar in &bed.sidecars {
        let resources = folder.join("resources").join(sidecar.id);
        fs::create_dir_all(&resources)?;
        for (number, text) in sidecar.components.iter().enumerate() {
            let text = text
                .replace("{redis}", &servers.redis)
                .replace("{mysql}", &servers.mysql)
                .replace("{folder}", &folder.display().to_string());
            fs::write(resources.join(format!("{number}.yaml")), text)?;
        }
        if let Some(configuration) = sidecar.configuration {
            fs::write(folder.join(format!("{}.yaml", sidecar.id)), configuration)?;
        }
    }
    Ok(())
}
