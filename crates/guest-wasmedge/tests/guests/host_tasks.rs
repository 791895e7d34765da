//! Guests that call host tasks in this process, as services call their sidecar.

use crate::support::{ECHO, Setting, start};

/// Builds a guest that sends one byte to [`ECHO`] and polls for the reply without waiting.
///
/// It exits with that byte, or with 100 plus the error.
fn looks_without_waiting() -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_recv" (func $receive (param i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 32) "\7f\00\00\01") ;; 127.0.0.1
            (data (i32.const 40) "\20\00\00\00\04\00\00\00") ;; where that is, and how long
            (data (i32.const 48) "\07") ;; what is sent
            (data (i32.const 56) "\30\00\00\00\01\00\00\00") ;; and where it is
            (func (export "_start") (local $fd i32) (local $failed i32)
                (drop (call $open (i32.const 1) (i32.const 2) (i32.const 0)))
                (local.set $fd (i32.load (i32.const 0)))
                (drop (call $connect (local.get $fd) (i32.const 40) (i32.const {ECHO})))
                (drop (call $flags (local.get $fd) (i32.const 4)))
                (drop (call $send (local.get $fd) (i32.const 56) (i32.const 1) (i32.const 0) (i32.const 8)))
                (i32.store8 (i32.const 48) (i32.const 0))
                (loop $again
                    (local.set $failed
                        (call $receive
                            (local.get $fd) (i32.const 56) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 12)))
                    (br_if $again (i32.eq (local.get $failed) (i32.const 6)))) ;; nothing yet
                (if (local.get $failed) (then (call $exit (i32.add (i32.const 100) (local.get $failed)))))
                (call $exit (i32.load8_u (i32.const 48)))))"#
    )
}

#[tokio::test]
async fn called_host_task_starts_though_guest_never_waits() {
    let guest = start(looks_without_waiting().as_bytes(), Setting::default());
    assert_eq!(guest.end.await.unwrap().unwrap(), 7);
}
