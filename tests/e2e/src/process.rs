//! A process under test.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Timeout of everything that tests wait for. The first compilation of the modules takes longest.
const WAIT_TIMEOUT: Duration = Duration::from_secs(180);

/// Variable with the path of the local app registry, or `none`.
pub const REGISTRY: &str = "DAPRLET_REGISTRY";

/// A running program and its output.
pub struct Process {
    name: String,
    child: Mutex<Child>,
    said: Arc<Mutex<Vec<String>>>,
    followers: [JoinHandle<()>; 2],
}

/// Returns the path of the program built with the tests.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn program() -> PathBuf {
    let given = std::env::var_os("DAPRLET_BIN").map(PathBuf::from);
    let program = given.unwrap_or_else(|| {
        let mut folder = std::env::current_exe().expect("a path");
        folder.pop();
        if folder.ends_with("deps") {
            folder.pop();
        }
        folder.join(format!("daprlet{}", std::env::consts::EXE_SUFFIX))
    });
    assert!(program.exists(), "{} is missing; `cargo build -p daprlet` makes it", program.display());
    program
}

/// Starts `daprlet` with these arguments in `folder`.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn daprlet(folder: &Path, arguments: &[String]) -> Process {
    let mut command = Command::new(program());
    Process::spawn(command.args(arguments).current_dir(folder))
}

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Tests run in parallel, and their applications have the same ids.
        if !command.get_envs().any(|(name, _)| name == REGISTRY) {
            command.env(REGISTRY, "none");
        }
        // An error that captures a backtrace reads the whole program's symbols.
        command.env("RUST_LIB_BACKTRACE", "0");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{name}: {error}"));
        let said = Arc::<Mutex<Vec<String>>>::default();
        let followers = [
            follow(child.stdout.take().expect("stdout"), said.clone()),
            follow(child.stderr.take().expect("stderr"), said.clone()),
        ];
        Self { name, child: Mutex::new(child), said, followers }
    }

    /// Returns the output so far.
    ///
    /// # Panics
    /// Never in practice.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().expect("lines").join("\n")
    }

    /// Polls until `ready` returns a value.
    ///
    /// # Panics
    /// On timeout, or if the process exits; the panic shows its output.
    pub fn until<T>(&self, mut ready: impl FnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(value) = ready() {
                return value;
            }
            let ended = self.child.lock().expect("the child").try_wait().expect("a status");
            assert!(ended.is_none(), "{} has ended with {ended:?}:\n{}", self.name, self.said());
            assert!(
                begin.elapsed() < WAIT_TIMEOUT,
                "{}: nothing happened for {WAIT_TIMEOUT:?}:\n{}",
                self.name,
                self.said()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns true if the process has exited.
    ///
    /// # Panics
    /// Never in practice.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.child.lock().expect("the child").try_wait().expect("a status").is_some()
    }

    /// Waits until the process exits and its output is complete, and returns its status.
    ///
    /// # Panics
    /// If the process does not exit.
    #[must_use]
    pub fn wait(&self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            let status = self.child.lock().expect("the child").try_wait().expect("a status");
            // The last lines may arrive after the exit.
            if let Some(status) = status.filter(|_| self.followers.iter().all(JoinHandle::is_finished)) {
                return status;
            }
            assert!(begin.elapsed() < WAIT_TIMEOUT, "it did not end:\n{}", self.said());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the process id.
    ///
    /// # Panics
    /// Never in practice.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.lock().expect("the child").id()
    }

    /// Sends SIGINT, as Ctrl-C does.
    ///
    /// # Panics
    /// If the process has exited already.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let pid = i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a living process");
    }

    /// Kills the process with SIGKILL, and waits for its end.
    ///
    /// # Panics
    /// Never in practice.
    pub fn kill(&self) {
        let mut child = self.child.lock().expect("the child");
        // It may have exited already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn follow(stream: impl Read + Send + 'static, said: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            said.lock().expect("lines").push(line);
        }
    })
}
