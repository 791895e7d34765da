//! Functions of WasmEdge's socket ABI, and those of preview 1 that sockets change, with any arguments in any order.

#![no_main]

use std::sync::{Arc, LazyLock};

use fuzz::{HostFunction, call_host};
use inference::Graphs;
use libfuzzer_sys::fuzz_target;

const FUNCTIONS: &[HostFunction] = &[
    ("sock_open", "iii"),
    ("sock_bind", "iii"),
    ("sock_listen", "ii"),
    ("sock_accept", "ii"),
    ("sock_connect", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_recv_from", "iiiiiiii"),
    ("sock_send", "iiiii"),
    ("sock_send_to", "iiiiiii"),
    ("sock_shutdown", "ii"),
    ("sock_getsockopt", "iiiii"),
    ("sock_setsockopt", "iiiii"),
    ("sock_getlocaladdr", "iiii"),
    ("sock_getpeeraddr", "iiii"),
    ("sock_getaddrinfo", "iiiiiiii"),
    ("poll_oneoff", "iiii"),
    ("epoll_oneoff", "iiii"),
    ("fd_read", "iiii"),
    ("fd_write", "iiii"),
    ("fd_close", "i"),
    ("fd_renumber", "ii"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_filestat_get", "ii"),
    ("path_open", "iiiiillii"),
    ("random_get", "ii"),
    ("clock_time_get", "ili"),
];

static NO_GRAPHS: LazyLock<Arc<Graphs>> = LazyLock::new(Arc::default);

fuzz_target!(|bytes: &[u8]| call_host("wasi_snapshot_preview1", FUNCTIONS, &NO_GRAPHS, bytes));
