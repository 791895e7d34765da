//! The servers that components lead to: a Redis and a MariaDB for each world.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use test_servers::{Server, mariadb};

use crate::world::Servers;

/// Running servers.
pub struct Running {
    redis: [Server; 2],
    mysql: [Server; 2],
}

impl Running {
    /// Starts them.
    ///
    /// # Errors
    /// When one is not installed.
    pub fn start() -> anyhow::Result<Self> {
        let redis = || {
            let started = Server::start("redis-server", |_, port| {
                vec![
                    "--port".into(),
                    port.to_string(),
                    "--bind".into(),
                    "127.0.0.1".into(),
                    "--save".into(),
                    String::new(),
                ]
            });
            started.context("redis-server is not installed; `cargo xtask setup --real` installs it")
        };
        let mysql = || mariadb().context("MariaDB is not installed; `cargo xtask setup --real` installs it");
        Ok(Self { redis: [redis()?, redis()?], mysql: [mysql()?, mysql()?] })
    }

    /// What the first or second world uses, with an empty database `name`.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub fn of(&self, world: usize, name: &str) -> anyhow::Result<Servers> {
        let redis = self.redis.get(world).context("there are two worlds")?.port;
        let mysql = self.mysql.get(world).context("there are two worlds")?;
        let port = mysql.port;
        let made = Command::new("mariadb")
            .args(["--no-defaults", "--host=127.0.0.1", "--user=root", &format!("--port={port}")])
            .arg(format!("--execute=CREATE OR REPLACE DATABASE {name} CHARACTER SET utf8mb4"))
            .output()
            .context("the program `mariadb`")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Ok(Servers {
            redis: format!("127.0.0.1:{redis}"),
            mysql: format!("root:@tcp(127.0.0.1:{port})/{name}"),
            mysql_url: format!("mysql://root@127.0.0.1:{port}/{name}"),
            shared: PathBuf::new(),
            mysql_process: mysql.id(),
            database: name.to_owned(),
        })
    }
}
