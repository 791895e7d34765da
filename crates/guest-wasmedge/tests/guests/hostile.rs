//! Guests with code that no compiler emits.
//!
//! Each harms only itself, and the host reports why it ended.

use std::time::Duration;

use guest_wasmedge::{GuestError, Limits, Preopen};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{ENGINE, Setting, fixture, start};

/// Builds a guest that calls one function and exits with its result.
fn exits_with(import: &str, parameters: &str, arguments: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "{import}" (func $tested (param {parameters}) (result i32)))
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (drop (call $open (i32.const 1) (i32.const 2) (i32.const 0)))
                (call $exit (call $tested {arguments}))))"#
    )
}

async fn exit_code(wat: &str) -> i32 {
    start(wat.as_bytes(), Setting::default()).end.await.unwrap().unwrap()
}

const FAULT: i32 = 21;
const BADF: i32 = 8;
const INVAL: i32 = 28;

#[tokio::test(flavor = "multi_thread")]
async fn wild_pointers_are_faults_in_every_socket_function() {
    let fd = "(i32.load (i32.const 0))";
    let wild = "(i32.const -8)";
    let one = "(i32.const 1)";
    for (import, parameters, arguments) in [
        ("sock_open", "i32 i32 i32", format!("{one} {one} {wild}")),
        ("sock_bind", "i32 i32 i32", format!("{fd} {wild} {one}")),
        ("sock_connect", "i32 i32 i32", format!("{fd} {wild} {one}")),
        ("sock_accept", "i32 i32", format!("{fd} {wild}")),
        ("sock_accept", "i32 i32 i32", format!("{fd} {one} {wild}")),
        ("sock_send", "i32 i32 i32 i32 i32", format!("{fd} {wild} {one} {one} {one}")),
        ("sock_getlocaladdr", "i32 i32 i32 i32", format!("{fd} {wild} {one} {one}")),
        ("sock_getlocaladdr", "i32 i32 i32", format!("{fd} {wild} {one}")),
        ("sock_getsockopt", "i32 i32 i32 i32 i32", format!("{fd} (i32.const 0) {one} {wild} {wild}")),
        ("sock_setsockopt", "i32 i32 i32 i32 i32", format!("{fd} (i32.const 0) (i32.const 0) {wild} {wild}")),
        ("poll_oneoff", "i32 i32 i32 i32", format!("{wild} {wild} {one} {wild}")),
        ("epoll_oneoff", "i32 i32 i32 i32", format!("(i32.const 8) {wild} {one} {wild}")),
        ("fd_write", "i32 i32 i32 i32", format!("{one} {wild} {one} {wild}")),
        ("clock_time_get", "i32 i64 i32", format!("{one} (i64.const 1) {wild}")),
        (
            "sock_getaddrinfo",
            "i32 i32 i32 i32 i32 i32 i32 i32",
            format!("{wild} {one} {wild} {one} {wild} {wild} {one} {wild}"),
        ),
    ] {
        // A module may import a function only once under each type, so `sock_open` itself is not tested this way twice.
        assert_eq!(exit_code(&exits_with(import, parameters, &arguments)).await, FAULT, "{import} ({parameters})");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_descriptors_and_senseless_counts_are_refused() {
    let cases = [
        ("sock_listen", "i32 i32", "(i32.const 99999999) (i32.const 1)", BADF),
        ("sock_shutdown", "i32 i32", "(i32.const -1) (i32.const 1)", BADF),
        ("fd_close", "i32", "(i32.const 65599)", BADF),
        ("poll_oneoff", "i32 i32 i32 i32", "(i32.const 8) (i32.const 8) (i32.const 0) (i32.const 8)", INVAL),
        ("poll_oneoff", "i32 i32 i32 i32", "(i32.const 8) (i32.const 8) (i32.const -1) (i32.const 8)", INVAL),
        (
            "sock_send",
            "i32 i32 i32 i32 i32",
            "(i32.load (i32.const 0)) (i32.const 8) (i32.const 2000) (i32.const 0) (i32.const 4)",
            INVAL,
        ),
    ];
    for (import, parameters, arguments, expected) in cases {
        assert_eq!(exit_code(&exits_with(import, parameters, arguments)).await, expected, "{import}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_may_import_both_generations_of_a_function() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "sock_accept" (func $first (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_accept" (func $second (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_open_v2" (func $open (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (drop (call $open (i32.const 1) (i32.const 2) (i32.const 0)))
            (call $exit (i32.add
                (call $first (i32.load (i32.const 0)) (i32.const 8))
                (call $second (i32.const 99999999) (i32.const 0) (i32.const 8))))))"#;
    assert_eq!(exit_code(wat).await, INVAL + BADF);
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_end_at_the_guests_limit() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $opened i32)
            (loop $more
                (if (i32.eqz (call $open (i32.const 1) (i32.const 2) (i32.const 0)))
                    (then
                        (local.set $opened (i32.add (local.get $opened) (i32.const 1)))
                        (br_if $more (i32.lt_u (local.get $opened) (i32.const 100000))))))
            (call $exit (local.get $opened))))"#;
    let limits = Limits { descriptors: 100, ..Limits::default() };
    let guest = start(wat.as_bytes(), Setting { limits, ..Setting::default() });
    assert_eq!(guest.end.await.unwrap().unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_end_at_the_limit_and_closing_frees_one() {
    // Opens until that fails, closes one, opens one, and exits with the count, or above 200 if a step goes wrong.
    let open = "(call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0) (i64.const 2) (i64.const 0) \
                (i32.const 0) (i32.const 0))";
    let wat = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "f")
        (func (export "_start") (local $opened i32) (local $failed i32)
            (loop $more
                (local.set $failed {open})
                (if (i32.eqz (local.get $failed))
                    (then
                        (local.set $opened (i32.add (local.get $opened) (i32.const 1)))
                        (br_if $more (i32.lt_u (local.get $opened) (i32.const 100000))))))
            (if (i32.ne (local.get $failed) (i32.const 33)) (then (call $exit (i32.const 201))))
            (if (call $close (i32.load (i32.const 0))) (then (call $exit (i32.const 202))))
            (if {open} (then (call $exit (i32.const 203))))
            (if (i32.eqz {open}) (then (call $exit (i32.const 204))))
            (if (call $renumber (i32.load (i32.const 0)) (i32.const 4)) (then (call $exit (i32.const 205))))
            (if {open} (then (call $exit (i32.const 206))))
            (if (i32.eqz {open}) (then (call $exit (i32.const 207))))
            (call $exit (local.get $opened))))"#
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f"), "").unwrap();
    let limits = Limits { descriptors: 100, ..Limits::default() };
    let preopens = vec![Preopen { host: folder.path().to_owned(), guest: "d".to_owned(), read_only: true }];
    let guest = start(wat.as_bytes(), Setting { limits, preopens, ..Setting::default() });
    assert_eq!(guest.end.await.unwrap().unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_loop_lets_others_run_and_is_ended() {
    let limits = Limits { busy: Duration::from_millis(300), ..Limits::default() };
    let spinning: Vec<_> = (0..4)
        .map(|_| {
            let wat =
                br#"(module (memory (export "memory") 1) (func (export "_start") (loop $for_ever (br $for_ever))))"#;
            start(wat, Setting { limits: limits.clone(), ..Setting::default() })
        })
        .collect();
    let neighbour = start(&fixture("plain-server"), Setting::default());
    let (address, _) = neighbour.network.listener(8080).await;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    for guest in spinning {
        let ended = guest.end.await.unwrap().unwrap_err();
        assert!(ended.report().contains("without waiting"), "{}", ended.report());
    }
    neighbour.end.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_report_names_the_function() {
    let wat =
        br#"(module (memory (export "memory") 1) (func $doomed unreachable) (func (export "_start") (call $doomed)))"#;
    let ended = start(wat, Setting::default()).end.await.unwrap().unwrap_err();
    assert!(matches!(ended, GuestError::Trap(_)));
    let report = ended.report();
    assert!(report.contains("unreachable") && report.contains("doomed"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_growth_beyond_the_limit_fails() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)))))"#;
    let limits = Limits { memory: 1 << 20, ..Limits::default() };
    let guest = start(wat.as_bytes(), Setting { limits, ..Setting::default() });
    assert_eq!(guest.end.await.unwrap().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_missing_imports_are_named_at_once() {
    let wat = br#"(module
        (import "env" "magic" (func))
        (import "wasi_snapshot_preview1" "sock_open" (func (param i64)))
        (import "wasmedge_process" "wasmedge_process_run" (func))
        (memory (export "memory") 1) (func (export "_start")))"#;
    let ended = start(wat, Setting::default()).end.await.unwrap().unwrap_err();
    let GuestError::UnknownImports(names) = ended else { panic!("{ended:?}") };
    let expected = [
        "env.magic",
        "wasi_snapshot_preview1.sock_open (with other parameters)",
        "wasmedge_process.wasmedge_process_run",
    ];
    assert_eq!(names, expected);
}

#[test]
fn invalid_modules_have_distinct_errors() {
    assert!(matches!(ENGINE.compile(b"\x7fELF..."), Err(GuestError::SharedObject)));
    assert!(matches!(ENGINE.compile(b"#!/bin/sh"), Err(GuestError::NotWasm)));
    assert!(matches!(ENGINE.compile(b"\0asm\x01\0\0\0\xff"), Err(GuestError::Compile(_))));
}

/// Data of a `poll_oneoff` clock subscription that expires at once.
const CLOCK: &str = r#"(data (i32.const 64) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01")"#;

#[tokio::test(flavor = "multi_thread")]
async fn polling_without_waiting_does_not_evade_the_limit() {
    let wat = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1) {CLOCK}
            (func (export "_start") (loop $for_ever
                (drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 512)))
                (br $for_ever))))"#
    );
    let limits = Limits { busy: Duration::from_millis(300), ..Limits::default() };
    let guest = start(wat.as_bytes(), Setting { limits, ..Setting::default() });
    let ended = guest.end.await.unwrap().unwrap_err();
    assert!(ended.is_hung());
    assert!(ended.report().contains("without waiting"), "{}", ended.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn printing_much_at_once_is_a_short_write() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 3)
        (func (export "_start")
            (i32.store (i32.const 4) (i32.const 60000))
            (i32.store (i32.const 12) (i32.const 131072))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 16)))
            (call $exit (i32.shr_u (i32.load (i32.const 16)) (i32.const 10)))))"#;
    assert_eq!(exit_code(wat).await, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_fill_the_whole_buffer() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 16)
        (func (export "_start")
            (if (i32.ne (call $random (i32.const 0) (i32.const 1048576)) (i32.const 0)) (then (call $exit (i32.const 1))))
            (if (i64.eqz (i64.load (i32.const 1048568))) (then (call $exit (i32.const 2))))
            (if (i32.eqz (call $random (i32.const 1) (i32.const 1048576))) (then (call $exit (i32.const 3))))
            (call $exit (i32.const 0))))"#;
    assert_eq!(exit_code(wat).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_memories_and_tables_of_a_guest_count() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (memory $second 1) (table $table 1 funcref)
        (func (export "_start") (local $refused i32)
            (if (i32.eq (memory.grow (i32.const 9)) (i32.const -1)) (then (call $exit (i32.const 100))))
            (if (i32.eq (memory.grow $second (i32.const 9)) (i32.const -1))
                (then (local.set $refused (i32.const 1))))
            (if (i32.eq (table.grow $table (ref.null func) (i32.const 50000)) (i32.const -1))
                (then (local.set $refused (i32.add (local.get $refused) (i32.const 2)))))
            (call $exit (local.get $refused))))"#;
    let limits = Limits { memory: 1 << 20, ..Limits::default() };
    let guest = start(wat.as_bytes(), Setting { limits, ..Setting::default() });
    assert_eq!(guest.end.await.unwrap().unwrap(), 3);
}
