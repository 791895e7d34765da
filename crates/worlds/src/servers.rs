//! The servers that components lead to: a Redis and a MariaDB for each world.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use test_servers::{Server, mariadb};

use crate::world::Servers;

/// Running servers of two worlds.
pub struct Running([Pair; 2]);

/// The running servers of one world.
pub struct Pair {
    /// Redis.
    pub redis: Server,
    /// MariaDB.
    pub mysql: Server,
}

/// What a Redis keeps when it is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redis {
    /// Nothing: fast, and enough where nobody kills it.
    Forgetful,
    /// Everything that it has acknowledged, at the price of a write to the disk for each change.
    Durable,
}

impl Running {
    /// Starts them.
    ///
    /// # Errors
    /// When one is not installed.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self([Pair::start(Redis::Forgetful)?, Pair::start(Redis::Forgetful)?]))
    }

    /// What the first or second world uses, with an empty database `name`.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub fn of(&self, world: usize, name: &str) -> anyhow::Result<Servers> {
        self.0.get(world).context("there are two worlds")?.of(name)
    }
}

impl Pair {
    /// Starts them.
    ///
    /// # Errors
    /// When one is not installed.
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

    /// What a world uses, with an empty database `name`.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub fn of(&self, name: &str) -> anyhow::Result<Servers> {
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
