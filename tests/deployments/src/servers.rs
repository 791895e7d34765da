//! The servers that components connect to: a Redis and a MariaDB for each deployment.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use test_servers::{Server, mariadb};

use crate::deployment::Servers;

/// DeploymentServers servers of two deployments.
pub struct DeploymentServers([ServerPair; 2]);

/// DeploymentServers servers of one deployment.
pub struct ServerPair {
    /// Redis.
    pub redis: Server,
    /// MariaDB.
    pub mysql: Server,
}

/// Durability of Redis when it is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redis {
    /// Keeps nothing: fast, and enough if it is not killed.
    Forgetful,
    /// Keeps all acknowledged writes, at the price of a disk write for each.
    Durable,
}

impl DeploymentServers {
    /// Starts the servers.
    ///
    /// # Errors
    /// If one is not installed.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self([ServerPair::start(Redis::Forgetful)?, ServerPair::start(Redis::Forgetful)?]))
    }

    /// Returns the addresses for the first or second deployment, with an empty database `name`.
    ///
    /// # Errors
    /// If the database cannot be created.
    pub fn create_database(&self, deployment: usize, name: &str) -> anyhow::Result<Servers> {
        self.0.get(deployment).context("there are two deployments")?.create_database(name)
    }
}

impl ServerPair {
    /// Starts the servers.
    ///
    /// # Errors
    /// If one is not installed.
    pub fn start(redis: Redis) -> anyhow::Result<Self> {
        let kept: &[&str] = match redis {
            Redis::Forgetful => &["--save", ""],
            Redis::Durable => &["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
        };
        let redis = Server::start("redis-server", |_, port| {
            let port = port.to_string();
            let given = ["--port", &port, "--bind", "127.0.0.1"];
            given.iter().chain(kept).map(|it| (*it).to_owned()).collect()
        });
        let redis = redis.context("redis-server is not installed; `cargo xtask setup --real` installs it")?;
        let mysql = mariadb().context("MariaDB is not installed; `cargo xtask setup --real` installs it")?;
        Ok(Self { redis, mysql })
    }

    /// Returns the addresses, with an empty database `name`.
    ///
    /// # Errors
    /// If the database cannot be created.
    pub fn create_database(&self, name: &str) -> anyhow::Result<Servers> {
        let port = self.mysql.port;
        let made = Command::new("mariadb")
            .args(["--no-defaults", "--host=127.0.0.1", "--user=root", &format!("--port={port}")])
            .arg(format!("--execute=CREATE OR REPLACE DATABASE {name} CHARACTER SET utf8mb4"))
            .output()
            .context("the program `mariadb`")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Ok(Servers {
            redis: format!("127.0.0.1:{}", self.redis.port),
            mysql: format!("root:@tcp(127.0.0.1:{port})/{name}"),
            mysql_url: format!("mysql://root@127.0.0.1:{port}/{name}"),
            shared: PathBuf::new(),
            mysql_process: self.mysql.id(),
            database: name.to_owned(),
        })
    }
}
