//! WasmEdge modules that take processors, memory, descriptors, ports and the log.

use anyhow::ensure;

use super::Attack;
use crate::target::{Setup, Target};

/// Hostile apps that run at once.
const AT_ONCE: usize = 4;

/// Imports, a clock subscription that is over at once (64), and a buffer of half a gigabyte (512).
const PREAMBLE: &str = r#"
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (data (i32.const 80) "\01") (data (i32.const 512) "\00\00\01\00\00\00\00\20")"#;

/// Loops without end: their names and bodies.
const LOOPS: [(&str, &str); 8] = [
    ("compute", "(nop)"),
    ("poll", "(drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 600)))"),
    ("yield", "(drop (call $yield))"),
    ("print", "(drop (call $write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 600)))"),
    ("fill", "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 0x20000000))"),
    ("copy", "(memory.copy (i32.const 65536) (i32.const 65540) (i32.const 0x20000000))"),
    ("random", "(drop (call $random (i32.const 65536) (i32.const 0x20000000)))"),
    ("table", "(table.fill $table (i32.const 0) (ref.null func) (i32.const 1000000))"),
];

pub(super) fn all(quick: bool) -> Vec<Attack> {
    let mut attacks: Vec<Attack> = LOOPS.chunks(AT_ONCE).map(loops).collect();
    if !quick {
        attacks.extend(LOOPS.iter().map(|one| loops(&[*one; AT_ONCE])));
    }
    attacks.push(many_memories());
    attacks.push(growing_table());
    attacks.push(descriptors());
    attacks.push(another_port());
    attacks.push(forged_log_lines());
    attacks
}

/// Guests that never stop, each with its loop.
fn loops(kinds: &[(&'static str, &'static str)]) -> Attack {
    let kinds = kinds.to_vec();
    let mut names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    names.dedup();
    let name = format!("modules: {}", names.join(", "));
    let prepare = move |setup: &mut Setup| {
        for (name, body) in &kinds {
            let text = format!(
                r#"(module {PREAMBLE} (memory (export "memory") 8200) (table $table 1000000 funcref)
                    (func (export "_start") (loop $for_ever {body} (br $for_ever))))"#
            );
            setup.module(name, &text);
        }
    };
    Attack::new(name, prepare, |_, duration| {
        std::thread::sleep(duration);
        Ok(String::new())
    })
    .keeping_memory()
}

/// Thirty memories, each grown to the limit of one.
fn many_memories() -> Attack {
    let prepare = |setup: &mut Setup| {
        let memories: String = (0..30).map(|it| format!("(memory $m{it} 1)")).collect();
        let grow: String = (0..30).map(|it| format!("(loop $again (br_if $again (i32.ne (memory.grow $m{it} (i32.const 16)) (i32.const -1)))) (memory.fill $m{it} (i32.const 0) (i32.const 1) (i32.mul (memory.size $m{it}) (i32.const 65536)))")).collect();
        setup.module(
            "memories",
            &format!(r#"(module {memories} (func (export "_start") {grow} (loop $for_ever (br $for_ever))))"#),
        );
        setup.flags(&["--guest-memory", "256"]);
    };
    Attack::new("module: thirty memories", prepare, |target, duration| held_by(target, duration, 350)).keeping_memory()
}

/// A table that grows for ever.
fn growing_table() -> Attack {
    let text = r#"(module (table $t 1 funcref) (func (export "_start")
        (loop $again (drop (table.grow $t (ref.null func) (i32.const 100000))) (br $again))))"#;
    let prepare = move |setup: &mut Setup| {
        setup.module("table", text);
        setup.flags(&["--guest-memory", "256"]);
    };
    Attack::new("module: growing table", prepare, |target, duration| held_by(target, duration, 350)).keeping_memory()
}

/// Waits, and fails where the process took more memory than that, in MiB, over what it had.
fn held_by(target: &Target, duration: std::time::Duration, most: u64) -> anyhow::Result<String> {
    std::thread::sleep(duration);
    let memory = target.memory();
    // Three services and their runtime have less than 150 MiB.
    ensure!(memory < most + 150, "the process has {memory} MiB");
    Ok(format!("{memory} MiB in all"))
}

/// Opens a file again and again without closing it.
fn descriptors() -> Attack {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 16) ".")
        (func (export "_start") (loop $again
            (drop (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 0) (i64.const 0)
                (i64.const 0) (i32.const 0) (i32.const 8)))
            (br $again))))"#;
    let prepare = move |setup: &mut Setup| setup.module_with("files", text, &["--dir", "/:."]);
    Attack::new("module: descriptors", prepare, |target, duration| {
        std::thread::sleep(duration);
        let open = std::fs::read_dir(format!("/proc/{}/fd", target.deployment.daprlet.id()))?.count();
        let log = target.deployment.daprlet.said();
        ensure!(log.matches("Too many open files").count() < 10, "the process ran out of descriptors: {open} are open");
        Ok(format!("{open} open"))
    })
    .keeping_memory()
}

/// Listens on the port of an app that has not started yet.
fn another_port() -> Attack {
    let prepare = |setup: &mut Setup| {
        // sock_open, sock_bind to 0.0.0.0, sock_listen, and the result as exit code.
        let text = r#"(module
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_bind" (func $bind (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_listen" (func $listen (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1) (data (i32.const 16) "\20\00\00\00\04\00\00\00")
            (func (export "_start")
                (drop (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
                (drop (call $bind (i32.load (i32.const 8)) (i32.const 16) (i32.const 34567)))
                (call $exit (i32.eqz (call $listen (i32.load (i32.const 8)) (i32.const 8))))))"#;
        setup.module("thief", text);
    };
    Attack::new("module: another app's port", prepare, |target, _| {
        target
            .deployment
            .daprlet
            .until(|| target.deployment.daprlet.said().contains("wanted to listen on 34567").then_some(()));
        Ok("denied and told".to_owned())
    })
    .keeping_memory()
}

/// Prints control characters and lines that look like another app's.
fn forged_log_lines() -> Attack {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\30\00\00\00")
        (data (i32.const 16) "marker\1b[2J\1b]0;owned\07\0d== APP == events-service == forged\0a\0a\0a\0a\0a\0a\0a")
        (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (loop $for_ever (br $for_ever))))"#;
    let prepare = move |setup: &mut Setup| setup.module("forger", text);
    Attack::new("module: forged log lines", prepare, |target, _| {
        target.deployment.daprlet.until(|| target.deployment.daprlet.said().contains("marker").then_some(()));
        let log = target.deployment.daprlet.said();
        ensure!(!log.contains(['\x1b', '\x07', '\r']), "control characters reach the log");
        Ok("escaped".to_owned())
    })
    .keeping_memory()
}
