//! Real servers for tests.
//!
//! Each is started on a free port with its own directory, and stopped when dropped; tests may kill and restart it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper of tests fails them by panicking, and says when one did not run"
)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Timeout of a server's start.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Timeout of the stop of all its threads.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Delay between two checks.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A running server.
pub struct Server {
    command: Command,
    process: Child,
    /// Port on loopback.
    pub port: u16,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    /// Starts `program` on a free port; `None` if it is not installed. On CI it must be installed.
    ///
    /// # Panics
    /// If it is missing on CI, or does not start.
    pub fn start(program: &str, arguments: impl FnOnce(&Path, u16) -> Vec<String>) -> Option<Self> {
        Self::start_on(free_port(), program, arguments)
    }

    /// Starts `program` on this port.
    ///
    /// # Panics
    /// If it is missing on CI, or does not start.
    pub fn start_on(port: u16, program: &str, arguments: impl FnOnce(&Path, u16) -> Vec<String>) -> Option<Self> {
        Self::start_with(port, program, |_, _| Vec::new(), arguments)
    }

    /// Starts `program` on this port, with these environment variables.
    fn start_with(
        port: u16,
        program: &str,
        environment: impl FnOnce(&Path, u16) -> Vec<(&'static str, String)>,
        arguments: impl FnOnce(&Path, u16) -> Vec<String>,
    ) -> Option<Self> {
        let Some(path) = find(program) else {
            assert!(std::env::var_os("CI").is_none(), "{program} is not installed, and on CI it must be");
            println!("DID NOT RUN: {program} is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(folder.path(), port);
        let mut command = Command::new(path);
        command.envs(environment(folder.path(), port)).args(arguments).current_dir(folder.path()).stdin(Stdio::null());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { command, process, port, _folder: folder };
        server.wait_until_it_accepts();
        Some(server)
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills the server with SIGKILL, and waits for its end.
    pub fn kill(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Asks the server to end, and waits until it has.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let _ = self.process.wait();
    }

    /// Stops it from answering. Its connections stay open.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        // On a busy machine the signal reaches a thread long after it was sent.
        let begin = Instant::now();
        while self.has_running_thread() && begin.elapsed() < STOP_TIMEOUT {
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Returns true if a thread is not stopped; false where the system does not say.
    fn has_running_thread(&self) -> bool {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.id())) else { return false };
        threads.filter_map(Result::ok).any(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('T'))
        })
    }

    /// Lets it answer again.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = i32::try_from(self.id()).ok().and_then(Pid::from_raw).unwrap();
        // It may be gone, which shows in other ways.
        let _ = kill_process(process, signal);
    }

    /// Restarts the server on the same port and in the same directory, with its data.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.process = self.command.spawn().unwrap();
        self.wait_until_it_accepts();
    }

    fn wait_until_it_accepts(&self) {
        let start = Instant::now();
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(start.elapsed() < START_TIMEOUT, "the server does not accept connections");
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Returns the path of a program. Some servers are in directories that are only on root's search path.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Starts a Redis that has everything on disk before it responds.
///
/// # Panics
/// If it is missing on CI, or does not start.
#[must_use]
pub fn durable_redis() -> Option<Server> {
    Server::start("redis-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.display().to_string()];
        let network = ["--bind", "127.0.0.1", "--port", &port, "--dir", &folder];
        let durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
        network.into_iter().chain(durable).map(str::to_owned).collect()
    })
}

/// Starts a NATS server with `JetStream`, which keeps its streams on disk.
///
/// # Panics
/// If it is missing on CI, or does not start.
#[must_use]
pub fn nats() -> Option<Server> {
    Server::start("nats-server", |folder, port| {
        let [port, folder] = [port.to_string(), folder.join("jetstream").display().to_string()];
        ["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir", &folder].map(str::to_owned).to_vec()
    })
}

/// Starts a Mosquitto that writes its sessions to disk when it ends.
///
/// # Panics
/// If it is missing on CI, or does not start.
#[must_use]
pub fn mosquitto() -> Option<Server> {
    Server::start("mosquitto", |folder, port| {
        let file = folder.join("mosquitto.conf");
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let settings = [
            format!("listener {port} 127.0.0.1"),
            "allow_anonymous true".to_owned(),
            "persistence true".to_owned(),
            format!("persistence_location {}/", folder.display()),
            "max_queued_messages 0".to_owned(),
            format!("user {user}\n"),
        ];
        std::fs::write(&file, settings.join("\n")).unwrap();
        vec!["-c".into(), file.display().to_string()]
    })
}

/// Starts a RabbitMQ server for the user `guest`.
///
/// Erlang's registry of nodes, `epmd`, starts with it, and stays for other nodes of this machine.
///
/// # Panics
/// If it is missing on CI, or does not start.
#[must_use]
pub fn rabbitmq() -> Option<Server> {
    let environment = |folder: &Path, port: u16| {
        let file = |name: &str| folder.join(name).display().to_string();
        vec![
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("HOME", folder.display().to_string()),
            // Without this, a shell stays in front of the server, and is killed in its place.
            ("RABBITMQ_ALLOW_INPUT", "true".to_owned()),
            ("RABBITMQ_CONFIG_FILE", file("rabbitmq")),
            ("RABBITMQ_CONF_ENV_FILE", file("environment")),
            ("RABBITMQ_DIST_PORT", free_port().to_string()),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", file("plugins")),
            ("RABBITMQ_LOG_BASE", file("logs")),
            ("RABBITMQ_MNESIA_BASE", file("data")),
            ("RABBITMQ_NODENAME", format!("test{port}@localhost")),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODE_PORT", port.to_string()),
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-noinput".to_owned()),
        ]
    };
    // Debian's program of this name on the search path runs it as another user.
    Server::start_with(free_port(), "/usr/lib/rabbitmq/bin/rabbitmq-server", environment, |_, _| Vec::new())
}

/// Starts a MariaDB that `root` may use without a password; it has a database `mysql`.
///
/// # Panics
/// If it is missing on CI, or does not start.
#[must_use]
pub fn mariadb() -> Option<Server> {
    Server::start("mariadbd", |folder, port| {
        let data = folder.join("data");
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        install_mariadb(&data, &user);
        vec![
            "--no-defaults".into(),
            format!("--user={user}"),
            format!("--datadir={}", data.display()),
            format!("--socket={}", folder.join("socket").display()),
            "--bind-address=127.0.0.1".into(),
            format!("--port={port}"),
        ]
    })
}

/// Creates the system tables. MariaDB's own initialisation sometimes fails on a machine that is busy with other
/// servers; it gets a second attempt, and the panic shows its output.
fn install_mariadb(data: &Path, user: &str) {
    let install = || {
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install.arg(format!("--datadir={}", data.display())).arg(format!("--user={user}")).output().unwrap()
    };
    let mut done = install();
    if !done.status.success() {
        // Leftovers of the failed attempt would be in the way.
        let _ = std::fs::remove_dir_all(data);
        done = install();
    }
    let said = [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(done.status.success(), "mariadb-install-db: {said}");
}

/// First port, and number of ports: none that a system uses for outgoing connections.
///
/// Such a connection could take the port of a killed server, and prevent its restart.
const PORT_RANGE: (u32, u32) = (12_000, 18_000);

/// Returns a free port that this process has not returned before: servers bind it some time later.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (lowest, count) = PORT_RANGE;
    // Processes that run at the same time start far from each other.
    let first = std::process::id().wrapping_mul(7919);
    let tried = (0..count).map(|_| lowest + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count);
    let mut tried = tried.filter_map(|port| u16::try_from(port).ok());
    tried.find(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok()).unwrap()
}
