//! Writes the sample images into a given directory, by default `docs/`.

use std::path::PathBuf;

use anyhow::Context as _;
use sample_picture::Scene;

fn main() -> anyhow::Result<()> {
    let docs = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs"), PathBuf::from);
    for scene in Scene::ALL {
        let path = docs.join(scene.file());
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        std::fs::write(&path, sample_picture::jpeg(scene)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
