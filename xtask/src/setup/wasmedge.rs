//! Real WasmEdges from Debian's packages, unpacked into separate directories.
//!
//! The system stays unchanged: their libraries may be newer than this machine's, so each runs with its own loader.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::real::{self, WASMEDGES};
use crate::repository::{output, run};

/// Debian's list of package servers.
const SOURCES: &str = "/etc/apt/sources.list.d/debian.sources";
/// Keyring of the package signatures.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Unpacks each missing version.
pub(crate) fn install() -> Result<()> {
    for (version, release) in WASMEDGES {
        let folder = real::folder("wasmedge", version)?;
        if folder.join("wasmedge").is_file() {
            continue;
        }
        if !Path::new(SOURCES).is_file() {
            bail!(
                "WasmEdge {version} is not installed, and this is no Debian: install it as https://wasmedge.org says, and \
                 name it with WASMEDGE"
            );
        }
        eprintln!("Unpacking WasmEdge {version}");
        unpack(version, release, &folder)?;
    }
    Ok(())
}

fn unpack(version: &str, release: &str, folder: &Path) -> Result<()> {
    for part in ["lists/partial", "cache/archives/partial", "packages"] {
        fs::create_dir_all(folder.join(part)).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let list = folder.join("sources.list");
    fs::write(&list, format!("deb [signed-by={KEYRING}] {} {release} main\n", server()?))?;
    run(apt("apt-get", folder).args(["update", "--quiet=2"]))?;
    let packages = required_packages(folder)?;
    run(apt("apt-get", folder).args(["download", "--quiet"]).args(&packages).current_dir(folder.join("packages")))?;
    let root = folder.join("root");
    for package in fs::read_dir(folder.join("packages"))? {
        run(Command::new("dpkg").arg("--extract").arg(package?.path()).arg(&root))?;
    }
    let launcher = folder.join("wasmedge.part");
    write_launcher(&launcher, &root.join("usr"))?;
    let said = output(Command::new(&launcher).arg("--version"))?;
    ensure!(said.contains(version), "Debian's {release} has another WasmEdge than {version}: {}", said.trim_end());
    fs::rename(&launcher, folder.join("wasmedge"))?;
    // Intermediate files take a hundred megabytes.
    for part in ["lists", "cache", "packages"] {
        fs::remove_dir_all(folder.join(part))?;
    }
    Ok(())
}

/// Returns the server of this machine's own packages.
fn server() -> Result<String> {
    let text = fs::read_to_string(SOURCES).context(SOURCES)?;
    let found = text.lines().find_map(|line| line.strip_prefix("URIs:")).map(str::trim);
    found.map(str::to_owned).with_context(|| format!("{SOURCES} names no server"))
}

/// Creates a command of one of apt's programs, with separate package lists.
fn apt(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let mut set = |name: &str, value: OsString| {
        let mut option = OsString::from(format!("--option={name}="));
        option.push(value);
        command.arg(option);
    };
    set("Dir::Etc::SourceList", folder.join("sources.list").into());
    set("Dir::Etc::SourceParts", "/dev/null".into());
    set("Dir::State::Lists", folder.join("lists").into());
    set("Dir::Cache", folder.join("cache").into());
    // The files are ours, and not readable for apt's own user.
    set("APT::Sandbox::User", "root".into());
    command
}

/// Returns WasmEdge's package and all its library packages, including the loader.
fn required_packages(folder: &Path) -> Result<Vec<String>> {
    let without =
        ["--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"];
    let tree = output(apt("apt-cache", folder).args(["depends", "--recurse"]).args(without).arg("wasmedge"))?;
    // Packages are at the beginning of a line; their dependencies are indented, and virtual ones are in brackets.
    let mut packages: Vec<String> = tree
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    packages.sort();
    packages.dedup();
    ensure!(!packages.is_empty(), "apt has no package wasmedge");
    Ok(packages)
}

fn write_launcher(launcher: &Path, prefix: &Path) -> Result<()> {
    let libraries = fs::read_dir(prefix.join("lib"))?.filter_map(Result::ok).map(|entry| entry.path());
    let libraries = libraries.filter(|path| path.is_dir()).find(|path| path.join("libc.so.6").exists());
    let libraries = libraries.context("the packages have no libc")?;
    let loader = fs::read_dir(&libraries)?.filter_map(Result::ok).map(|entry| entry.path());
    let loader = loader
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux")));
    let loader = loader.context("the packages have no loader")?;
    let (loader, libraries, program) = (loader.display(), libraries.display(), prefix.join("bin/wasmedge"));
    let text = format!("#!/bin/sh\nexec '{loader}' --library-path '{libraries}' '{}' \"$@\"\n", program.display());
    fs::write(launcher, text)?;
    fs::set_permissions(launcher, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
