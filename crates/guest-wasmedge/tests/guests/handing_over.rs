//! Requests on open connections of a busy guest, which another instance might take sooner.

use std::fs;
use std::sync::Arc;

use inference::{Graphs, Library};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Setting, start, until};

/// Builds a guest that accepts one connection on port 8080, then runs `code`.
fn server(code: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_bind" (func $bind (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_listen" (func $listen (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "init_execution_context" (func $init (param i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "set_input" (func $set_input (param i32 i32 i32) (result i32)))
            (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
            (memory (export "memory") 16)
            (data (i32.const 16) "slow")
            (data (i32.const 32) "\7f\00\00\01") ;; 127.0.0.1
            (data (i32.const 40) "\20\00\00\00\04\00\00\00") ;; where that is, and how long
            ;; A tensor: where its four dimensions are, that it has floats, where these are, and how many bytes.
            (data (i32.const 64) "\60\00\00\00\04\00\00\00\01\00\00\00\00\10\00\00\00\30\09\00")
            (data (i32.const 96) "\01\00\00\00\03\00\00\00\e0\00\00\00\e0\00\00\00")
            (func (export "_start")
                (drop (call $load (i32.const 16) (i32.const 4) (i32.const 0)))
                (drop (call $init (i32.load (i32.const 0)) (i32.const 4)))
                (drop (call $set_input (i32.load (i32.const 4)) (i32.const 0) (i32.const 64)))
                (drop (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
                (drop (call $bind (i32.load (i32.const 8)) (i32.const 40) (i32.const 8080)))
                (drop (call $listen (i32.load (i32.const 8)) (i32.const 8)))
                (drop (call $accept (i32.load (i32.const 8)) (i32.const 12)))
                {code}))"#
    )
}

/// Checks that a request on an accepted connection is requeued before the guest ends.
async fn is_handed_over_by_a_guest_that(code: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.onnx");
    fs::write(&file, test_models::slow()).unwrap();
    let graph = Library::default().load(&file).unwrap();
    let graphs = Arc::new(Graphs::new("app".to_owned(), "--nn-preload", vec![("slow".to_owned(), graph)]));
    let guest = start(server(code).as_bytes(), Setting { graphs, instances: 2, ..Setting::default() });

    let (address, queue) = guest.network.listener(8080).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    until(|| (guest.activity.accepted() == 1).then_some(())).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    until(|| (!queue.is_empty() || guest.end.is_finished()).then_some(())).await;
    assert!(!queue.is_empty(), "the guest has ended without handing its connection over");
    assert_eq!(guest.activity.connections(), 0);
    guest.end.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn request_moves_while_its_guest_is_busy() {
    is_handed_over_by_a_guest_that("(loop $for_ever (br $for_ever))").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_moves_while_the_host_runs_its_guests_model() {
    is_handed_over_by_a_guest_that("(drop (call $compute (i32.load (i32.const 4))))").await;
}
