//! The real `daprd`, built from the module in `tools/daprd`.

use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::go;
use crate::real::{self, DAPRD_MODULE};
use crate::repository::Repository;

const PACKAGE: &str = "github.com/dapr/dapr/cmd/daprd";
/// Packages between two progress lines if they cannot be rewritten in place.
const PACKAGES_PER_LINE: usize = 250;

/// Builds `daprd`, unless this version exists. Go caches compiled packages, so that an interrupted build resumes.
pub(crate) fn install(repository: &Repository) -> Result<()> {
    let version = real::dapr_version(repository)?;
    let folder = real::folder("daprd", &version)?;
    let program = folder.join("daprd");
    if program.is_file() {
        return Ok(());
    }
    eprintln!("Building daprd {version}; the first time, that takes some minutes");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let part = folder.join("daprd.part");
    let mut go = go::command(repository).context("daprd is a Go program: install Go (https://go.dev/dl)")?;
    go.current_dir(repository.path(DAPRD_MODULE)).env("CGO_ENABLED", "0");
    go.args(["build", "-v", "-trimpath", "-tags", "allcomponents", "-ldflags"]);
    go.arg(format!("-s -w -X github.com/dapr/dapr/pkg/buildinfo.version={version}"));
    let mut building = go.arg("-o").arg(&part).arg(PACKAGE).stderr(Stdio::piped()).spawn().context("go")?;
    // With -v, go prints each package that it compiles on its own line.
    let lines = building.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).lines());
    let mut last = String::new();
    for (number, line) in lines.map_while(Result::ok).enumerate() {
        tell(number + 1);
        last = line;
    }
    let status = building.wait()?;
    ensure!(status.success(), "go build failed ({status}): {last}");
    fs::rename(&part, &program).with_context(|| format!("cannot write {}", program.display()))?;
    eprintln!("\nBuilt {}", program.display());
    Ok(())
}

fn tell(packages: usize) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{packages} packages");
    } else if packages.is_multiple_of(PACKAGES_PER_LINE) {
        eprintln!("{packages} packages");
    }
}
