//! Shutdown: on signals, with broken output, with all child processes, and with the right exit code.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{free_ports, request};
use rustix::process::{Pid, Signal, kill_process};

/// Timeout of each step on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(begin.elapsed() < TIMEOUT, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A daprlet that is killed with the test.
struct Daprlet(Child);

impl Drop for Daprlet {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daprlet {
    fn start(folder: &Path, arguments: &[&str], output: [Stdio; 2]) -> Self {
        let [stdout, stderr] = output;
        let mut command = Command::new(e2e::program());
        command.arg("run").args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        Self(command.spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap(), signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        let child = &mut self.0;
        until("it does not end", || child.try_wait().unwrap())
    }
}

/// Creates a run template with these entries of `apps`.
fn template(apps: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dapr.yaml"), format!("version: 1\napps:\n{apps}")).unwrap();
    folder
}

fn is_alive(port: u16) -> Option<()> {
    let answer = request("GET", &format!("http://127.0.0.1:{port}/v1.0/healthz/outbound")).send();
    (answer.status == 204).then_some(())
}

/// Creates an unread pipe, a pipe whose reader is closed, and a full disk. The returned reader keeps the pipe open.
fn broken_outputs() -> Vec<(&'static str, [Stdio; 2], Option<std::io::PipeReader>)> {
    let (unread, blocked) = std::io::pipe().unwrap();
    let (gone, closed) = std::io::pipe().unwrap();
    drop(gone);
    let mut outputs = vec![
        ("blocked", [blocked.try_clone().unwrap().into(), blocked.into()], Some(unread)),
        ("closed", [closed.try_clone().unwrap().into(), closed.into()], None),
    ];
    if let Ok(full) = File::options().write(true).open("/dev/full") {
        outputs.push(("full", [full.try_clone().unwrap().into(), full.into()], None));
    }
    outputs
}

#[test]
fn signal_ends_daprlet_despite_broken_output() {
    let flood = "while :; do echo 0123456789012345678901234567890123456789; done";
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        for (name, output, _unread) in broken_outputs() {
            let [port] = free_ports();
            let folder = template(&format!(
                "- {{appID: a, appDirPath: ., daprHTTPPort: {port}, command: [sh, -c, '{flood}']}}\n"
            ));
            let mut daprlet = Daprlet::start(folder.path(), &["-f", "dapr.yaml"], output);
            until(name, || is_alive(port));
            daprlet.signal(signal);
            let begin = Instant::now();
            assert_eq!(daprlet.wait().code(), Some(0), "{name} {signal:?}");
            assert!(begin.elapsed() < Duration::from_secs(10), "{name} {signal:?}: {:?}", begin.elapsed());
        }
    }
}

#[test]
fn failed_apps_restart_despite_broken_output() {
    let wasm = wat::parse_str(r#"(module (func (export "_start") (loop br 0)))"#).unwrap();
    for (name, output, _unread) in broken_outputs() {
        let folder = template(
            "- {appID: a, appDirPath: ., command: [sh, -c, 'echo again >> starts; exit 3']}\n\
             - {appID: b, appDirPath: ., command: [wasmedge, b.wasm]}\n",
        );
        std::fs::write(folder.path().join("b.wasm"), &wasm).unwrap();
        let _daprlet = Daprlet::start(folder.path(), &["-f", "dapr.yaml", "--guest-cpu", "1"], output);
        let starts = || std::fs::read_to_string(folder.path().join("starts")).unwrap_or_default().lines().count();
        until(name, || (starts() >= 3).then_some(()));
    }
}

#[test]
fn native_process_groups_end_with_daprlet() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let script = "sleep 600 & echo $! > new; mv new pid; wait";
        let folder = template(&format!("- {{appID: a, appDirPath: ., command: [sh, -c, '{script}']}}\n"));
        let mut daprlet = Daprlet::start(folder.path(), &["-f", "dapr.yaml"], [Stdio::null(), Stdio::null()]);
        let pid = until("it does not start", || std::fs::read_to_string(folder.path().join("pid")).ok());
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        daprlet.signal(signal);
        daprlet.wait();
        until("what the application started lives on", || {
            rustix::process::test_kill_process(pid).is_err().then_some(())
        });
    }
}

#[test]
fn only_app_ends_the_run_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["run", "--app-id", "a", "--", "sh", "-c", "echo bye; exit 7"].map(str::to_owned);
    let daprlet = e2e::daprlet(folder.path(), &arguments);
    assert_eq!(daprlet.wait().code(), Some(7), "{}", daprlet.said());
    assert!(daprlet.said().contains("== a == bye"), "{}", daprlet.said());
    let wasm = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                    (memory (export "memory") 1) (func (export "_start") i32.const 9 call $exit))"#;
    std::fs::write(folder.path().join("a.wasm"), wat::parse_str(wasm).unwrap()).unwrap();
    let arguments = ["run", "--app-id", "a", "--", "wasmedge", "a.wasm"].map(str::to_owned);
    let daprlet = e2e::daprlet(folder.path(), &arguments);
    assert_eq!(daprlet.wait().code(), Some(9), "{}", daprlet.said());
}

#[test]
fn exit_of_one_app_leaves_the_others_running() {
    let [port] = free_ports();
    let folder = template(&format!(
        "- {{appID: done, appDirPath: ., command: [sh, -c, 'echo ran >> done']}}\n\
         - {{appID: failing, appDirPath: ., command: [sh, -c, 'echo ran >> failing; exit 3']}}\n\
         - {{appID: other, appDirPath: ., daprHTTPPort: {port}}}\n"
    ));
    let daprlet = e2e::daprlet(folder.path(), &["run", "-f", "dapr.yaml"].map(str::to_owned));
    let runs = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default().lines().count();
    daprlet.until(|| (runs("failing") >= 3).then_some(()));
    assert_eq!((runs("done"), is_alive(port)), (1, Some(())));
    assert!(daprlet.said().contains("restarting: the process has ended: exit status: 3"), "{}", daprlet.said());
}

/// An application that delays its response until told to send it.
struct SlowApp {
    port: u16,
    asked: mpsc::Receiver<()>,
    answer: mpsc::Sender<()>,
}

impl SlowApp {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ((tell, asked), (answer, release)) = (mpsc::channel(), mpsc::channel());
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = [0; 4096];
                // The first connection only probes the port.
                if matches!(stream.read(&mut head), Ok(1..)) && head.starts_with(b"GET /slow ") {
                    tell.send(()).unwrap();
                    let _ = release.recv();
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone");
            }
        });
        Self { port, asked, answer }
    }
}

/// Starts a daprlet beside a slow application that has a request in flight.
fn with_request_under_way(more: &[&str]) -> (Daprlet, SlowApp, thread::JoinHandle<String>) {
    let app = SlowApp::start();
    let [port] = free_ports();
    let (app_port, dapr_port) = (app.port.to_string(), port.to_string());
    let arguments = ["--app-id", "a", "--app-port", &app_port, "--dapr-http-port", &dapr_port];
    let folder = tempfile::tempdir().unwrap();
    let output = [Stdio::null(), Stdio::null()];
    let daprlet = Daprlet::start(folder.path(), &[&arguments, more].concat(), output);
    until("it is not ready", || is_alive(port));
    let asking = thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"GET /v1.0/invoke/a/method/slow HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut response = String::new();
        let _ = stream.read_to_string(&mut response);
        response
    });
    app.asked.recv_timeout(TIMEOUT).unwrap();
    (daprlet, app, asking)
}

#[test]
fn shutdown_completes_invocation_in_flight() {
    let (mut daprlet, app, asking) = with_request_under_way(&["--dapr-graceful-shutdown-seconds", "60"]);
    daprlet.signal(Signal::TERM);
    thread::sleep(Duration::from_millis(200));
    assert!(daprlet.0.try_wait().unwrap().is_none(), "it does not wait");
    app.answer.send(()).unwrap();
    let response = asking.join().unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK") && response.contains("done"), "{response}");
    assert_eq!(daprlet.wait().code(), Some(0));
}

#[test]
fn graceful_shutdown_respects_its_timeout() {
    let (mut daprlet, _app, asking) = with_request_under_way(&["--dapr-graceful-shutdown-seconds", "0"]);
    daprlet.signal(Signal::TERM);
    assert_eq!(daprlet.wait().code(), Some(0));
    assert_eq!(asking.join().unwrap(), "");
}

#[test]
fn second_signal_ends_daprlet_at_once() {
    let (mut daprlet, _app, _asking) = with_request_under_way(&["--dapr-graceful-shutdown-seconds", "600"]);
    // The second signal may arrive before the first is handled, and then both count as one.
    let child = &daprlet.0;
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let status = until("the second signal does not end it", || {
        let _ = kill_process(pid, Signal::TERM);
        thread::sleep(Duration::from_millis(50));
        daprlet.0.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(143));
}

#[test]
fn unstartable_module_aborts_the_start_with_the_reason() {
    let exit = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                    (memory (export "memory") 1) (func (export "_start") i32.const 64 call $exit))"#;
    for (module, expected) in [
        (r#"(module (import "env" "missing" (func)) (func (export "_start")))"#, "imports what does not exist"),
        (r#"(module (memory 65536) (func (export "_start")))"#, "--guest-memory limits its memory"),
        (r#"(module (func (export "_start") unreachable))"#, "unreachable"),
        (exit, "refuses its settings (exit code 64)"),
    ] {
        let folder =
            template("- {appID: a, appDirPath: ., command: [wasmedge, a.wasm]}\n- {appID: b, appDirPath: .}\n");
        std::fs::write(folder.path().join("a.wasm"), wat::parse_str(module).unwrap()).unwrap();
        let daprlet = e2e::daprlet(folder.path(), &["run", "-f", "dapr.yaml"].map(str::to_owned));
        let code = daprlet.wait().code();
        assert!(code == Some(64) && daprlet.said().contains(expected), "{code:?} {}", daprlet.said());
    }
}

#[test]
fn start_names_the_apps_it_waits_for() {
    let [nobody] = free_ports();
    let folder =
        template(&format!("- {{appID: a, appDirPath: .}}\n- {{appID: b, appDirPath: ., appPort: {nobody}}}\n"));
    let daprlet = e2e::daprlet(folder.path(), &["run", "-f", "dapr.yaml"].map(str::to_owned));
    let expected =
        format!("ready: 1 of 2; waiting for b (nothing listens on 127.0.0.1:{nobody}; start the application)");
    daprlet.until(|| daprlet.said().contains(&expected).then_some(()));
}

#[test]
fn usage_error_of_the_parser_is_64() {
    for arguments in [&["frobnicate"][..], &["run", "--app-port", "ninety"], &["run", "--log-level", "loud"]] {
        let ended = Command::new(e2e::program()).args(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(64), "{arguments:?}");
    }
    let help = Command::new(e2e::program()).arg("--help").output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("Exit codes:"));
}
