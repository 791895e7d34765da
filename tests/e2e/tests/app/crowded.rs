//! A small service beside eight kinds of guests that take all resources they can, four at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::{Process, free_ports, wasm};

/// Duration of each measurement.
const MEASUREMENT_TIME: Duration = Duration::from_secs(2);

/// Timeout of the shutdown beside busy guests.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Imports of the guests, and two pages with an expired clock subscription and an iovec of half a gigabyte.
const HEAD: &str = r#"
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (data (i32.const 80) "\01") (data (i32.const 512) "\00\00\01\00\00\00\00\20")"#;

/// Guests: name, and the body of an endless loop.
const KINDS: [(&str, &str); 8] = [
    ("computes", "(nop)"),
    ("polls", "(drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 600)))"),
    ("yields", "(drop (call $yield))"),
    ("prints", "(drop (call $write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 600)))"),
    ("fills", "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 0x20000000))"),
    ("copies", "(memory.copy (i32.const 65536) (i32.const 65540) (i32.const 0x20000000))"),
    ("random", "(drop (call $random (i32.const 65536) (i32.const 0x20000000)))"),
    ("tables", "(table.fill $table (i32.const 0) (ref.null func) (i32.const 1000000))"),
];

/// A daprlet with the plain server on a port, and these guests.
struct Crowd {
    _folder: tempfile::TempDir,
    daprlet: Process,
    port: u16,
}

impl Crowd {
    fn start(kinds: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port] = free_ports();
        let server = serde_json::json!(["wasmedge", wasm("plain-server"), port.to_string()]);
        let mut apps = format!("- {{appID: server, appDirPath: ., appPort: {port}, command: {server}}}\n");
        for (name, does) in kinds {
            let code = format!(
                r#"(module {HEAD} (memory (export "memory") 8200) (table $table 1000000 funcref)
                    (func (export "_start") (loop $for_ever {does} (br $for_ever))))"#
            );
            std::fs::write(folder.path().join(format!("{name}.wasm")), wat::parse_str(code).unwrap()).unwrap();
            apps += &format!("- {{appID: {name}, appDirPath: ., command: [wasmedge, {name}.wasm]}}\n");
        }
        std::fs::write(folder.path().join("dapr.yaml"), format!("version: 1\napps:\n{apps}")).unwrap();
        let arguments = ["run", "-f", "dapr.yaml", "--cache", "cache"].map(str::to_owned);
        let daprlet = e2e::daprlet(folder.path(), &arguments);
        daprlet.until(|| TcpStream::connect(("127.0.0.1", port)).ok());
        Self { _folder: folder, daprlet, port }
    }

    /// Measures requests per second over one connection, and the 99th percentile of the latency.
    fn measure(&self) -> (f64, Duration) {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        stream.get_ref().set_nodelay(true).unwrap();
        ask(&mut stream);
        let (begin, mut times) = (Instant::now(), Vec::new());
        while begin.elapsed() < MEASUREMENT_TIME {
            let asked = Instant::now();
            ask(&mut stream);
            times.push(asked.elapsed());
        }
        let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
        times.sort();
        (rate, times[times.len() * 99 / 100])
    }
}

fn ask(stream: &mut BufReader<TcpStream>) {
    stream.get_ref().write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
}

#[test]
fn small_service_responds_beside_greedy_guests() {
    let (rate, p99) = Crowd::start(&[]).measure();
    println!("alone: {rate:.0}/s, p99 {p99:?}");
    for kinds in KINDS.chunks(4) {
        let names: Vec<_> = kinds.iter().map(|(name, _)| *name).collect();
        let crowd = Crowd::start(kinds);
        let (crowded, p99) = crowd.measure();
        let begin = Instant::now();
        crowd.daprlet.interrupt();
        let _ = crowd.daprlet.wait();
        let ending = begin.elapsed();
        println!(
            "beside {names:?}: {crowded:.0}/s ({:.0} %), p99 {p99:?}, ended in {ending:?}",
            100.0 * crowded / rate
        );
        // On an idle machine: 60 % and 25 ms. A test shares its processors with others.
        assert!(crowded > rate / 10.0 && p99 < Duration::from_millis(100), "{names:?}");
        assert!(ending < SHUTDOWN_TIMEOUT, "{names:?}: {ending:?}");
    }
}
