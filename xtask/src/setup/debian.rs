//! Installs packages on Debian, without starting their servers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::repository::run;

/// Debian runs this program to ask whether a freshly installed server may start; 101 means no.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const NO_SERVER_STARTS: &str = "#!/bin/sh\nexit 101\n";
/// Packages with a server, and their units.
const SERVERS: &[(&str, &str)] = &[
    ("redis-server", "redis-server"),
    ("nats-server", "nats-server"),
    ("rabbitmq-server", "rabbitmq-server"),
    ("mosquitto", "mosquitto"),
    ("mariadb-server", "mariadb"),
];
/// Exists if systemd runs, and not if it is only installed.
const SYSTEMD: &str = "/run/systemd/system";

/// Returns true if packages can be installed without a password.
pub(crate) fn can_install() -> bool {
    Path::new("/usr/bin/apt-get").is_file() && rustix::process::geteuid().is_root()
}

/// Installs packages. Tests start their own servers, so the system's servers stay disabled, also after the next boot.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let policy = Policy::set()?;
    run(apt_get().args(["update", "--quiet"]))?;
    run(apt_get().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages))?;
    drop(policy);
    let is_new = |package: &str| packages.contains(&package);
    let units: Vec<&str> = SERVERS.iter().filter(|(package, _)| is_new(package)).map(|(_, unit)| *unit).collect();
    if Path::new(SYSTEMD).is_dir() && !units.is_empty() {
        run(Command::new("systemctl").args(["disable", "--now"]).args(units))?;
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Forbids server starts until dropped; an existing policy is left alone.
struct Policy {
    is_ours: bool,
}

impl Policy {
    fn set() -> Result<Self> {
        let is_ours = !Path::new(POLICY).exists();
        if is_ours {
            let set = fs::write(POLICY, NO_SERVER_STARTS)
                .and_then(|()| fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)));
            set.with_context(|| format!("cannot write {POLICY}"))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.is_ours {
            // If it cannot be removed, apt-get's next user will notice; the installation itself is fine.
            let _ = fs::remove_file(POLICY);
        }
    }
}
