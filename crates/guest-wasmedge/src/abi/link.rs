//! Resolves a module's imports to host functions.
//!
//! Where two generations of a function share a name, each is registered under its name and number of parameters
//! (`sock_accept/2`, `sock_accept/3`), so that even a module that imports both gets the right ones.

use wasmtime::{Caller, Extern, ExternType, Linker, Module, Store};

use super::receive::{self, Out};
use super::{connect, descriptor, files, lookup, nn, options, poll, send};
use crate::errno::Errno;
use crate::state::GuestState;

const MODULE: &str = "wasi_snapshot_preview1";

type Guest<'a> = Caller<'a, GuestState>;

/// Functions whose second generation is also imported as `NAME_v2`, with its number of parameters.
const SECOND_GENERATION: &[(&str, usize)] = &[
    ("sock_open", 3),
    ("sock_bind", 3),
    ("sock_connect", 3),
    ("sock_listen", 2),
    ("sock_accept", 3),
    ("sock_recv", 6),
    ("sock_recv_from", 8),
    ("sock_send", 5),
    ("sock_send_to", 7),
    ("sock_getlocaladdr", 3),
    ("sock_getpeeraddr", 3),
];

/// Registers WASI preview 1, with files and sockets, and `wasi-nn`.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p1::add_to_linker_async(linker, |state| &mut state.wasi)?;
    linker.allow_shadowing(true);
    add_descriptors(linker)?;
    add_connections(linker)?;
    add_transfers(linker)?;
    nn::add_to_linker(linker)
}

fn add_descriptors(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "clock_time_get", |mut guest: Guest<'_>, clock: u32, _precision: u64, out: u32| {
        Errno::code(descriptor::now(&mut guest, clock, out))
    })?;
    linker.func_wrap_async(MODULE, "fd_close", |guest, (fd,): (u32,)| Box::new(descriptor::close(guest, fd)))?;
    linker.func_wrap_async(MODULE, "path_open", |guest, parameters: files::PathOpen| {
        Box::new(files::path_open(guest, parameters))
    })?;
    linker.func_wrap_async(MODULE, "fd_renumber", |guest, (from, to): (u32, u32)| {
        Box::new(files::renumber(guest, from, to))
    })?;
    linker.func_wrap_async(MODULE, "fd_read", |guest, (fd, iovecs, n, out): (u32, u32, u32, u32)| {
        Box::new(descriptor::read(guest, fd, iovecs, n, out))
    })?;
    linker.func_wrap_async(MODULE, "fd_write", |guest, (fd, iovecs, n, out): (u32, u32, u32, u32)| {
        Box::new(descriptor::write(guest, fd, iovecs, n, out))
    })?;
    linker.func_wrap_async(MODULE, "random_get", |guest, (buffer, length): (u32, u32)| {
        Box::new(descriptor::random(guest, buffer, length))
    })?;
    linker.func_wrap_async(MODULE, "fd_fdstat_get", |guest, (fd, out): (u32, u32)| {
        Box::new(descriptor::status(guest, fd, out))
    })?;
    linker.func_wrap_async(MODULE, "fd_fdstat_set_flags", |guest, (fd, flags): (u32, u32)| {
        Box::new(descriptor::set_flags(guest, fd, flags))
    })?;
    linker.func_wrap_async(MODULE, "fd_filestat_get", |guest, (fd, out): (u32, u32)| {
        Box::new(descriptor::file_status(guest, fd, out))
    })?;
    for (name, edge_triggered) in [("poll_oneoff", false), ("epoll_oneoff", true)] {
        linker.func_wrap_async(MODULE, name, move |mut guest, (wanted, events, n, out): (u32, u32, u32, u32)| {
            Box::new(async move { Errno::code(poll::poll(&mut guest, wanted, events, n, out, edge_triggered).await) })
        })?;
    }
    Ok(())
}

fn add_connections(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "sock_open", |mut guest: Guest<'_>, family: u32, kind: u32, out: u32| {
        Errno::code(connect::open(&mut guest, family, kind, out))
    })?;
    linker.func_wrap(MODULE, "sock_bind", |mut guest: Guest<'_>, fd: u32, address: u32, port: u32| {
        Errno::code(connect::bind(&mut guest, fd, address, port))
    })?;
    linker.func_wrap(MODULE, "sock_listen", |mut guest: Guest<'_>, fd: u32, _backlog: u32| {
        Errno::code(connect::listen(&mut guest, fd))
    })?;
    linker.func_wrap(MODULE, "sock_shutdown", |mut guest: Guest<'_>, fd: u32, how: u32| {
        Errno::code(connect::shutdown(&mut guest, fd, how))
    })?;
    linker.func_wrap_async(MODULE, "sock_connect", |mut guest, (fd, address, port): (u32, u32, u32)| {
        Box::new(async move { Errno::code(connect::connect(&mut guest, fd, address, port).await) })
    })?;
    linker.func_wrap_async(MODULE, "sock_accept/2", |mut guest, (fd, out): (u32, u32)| {
        Box::new(async move { Errno::code(connect::accept(&mut guest, fd, 0, out).await) })
    })?;
    linker.func_wrap_async(MODULE, "sock_accept/3", |mut guest, (fd, flags, out): (u32, u32, u32)| {
        Box::new(async move { Errno::code(connect::accept(&mut guest, fd, flags, out).await) })
    })?;
    for (name, peer) in [("sock_getlocaladdr", false), ("sock_getpeeraddr", true)] {
        let first = move |mut guest: Guest<'_>, fd: u32, address: u32, family: u32, port: u32| {
            Errno::code(connect::name(&mut guest, peer, fd, address, Some(family), port))
        };
        let second = move |mut guest: Guest<'_>, fd: u32, address: u32, port: u32| {
            Errno::code(connect::name(&mut guest, peer, fd, address, None, port))
        };
        linker.func_wrap(MODULE, &format!("{name}/4"), first)?;
        linker.func_wrap(MODULE, &format!("{name}/3"), second)?;
    }
    let get = |mut guest: Guest<'_>, fd: u32, level: u32, name: u32, value: u32, len: u32| {
        Errno::code(options::get(&mut guest, fd, (level, name), value, len))
    };
    linker.func_wrap(MODULE, "sock_getsockopt", get)?;
    let set = |mut guest: Guest<'_>, fd: u32, level: u32, name: u32, value: u32, len: u32| {
        Errno::code(options::set(&mut guest, fd, (level, name), value, len))
    };
    linker.func_wrap(MODULE, "sock_setsockopt", set)?;
    Ok(())
}

fn add_transfers(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "sock_recv",
        |mut guest, (fd, iovecs, n, flags, count, out_flags): (u32, u32, u32, u32, u32, u32)| {
            let out = Out { count, flags: Some(out_flags) };
            Box::new(async move { Errno::code(receive::receive(&mut guest, fd, iovecs, n, flags, out).await) })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "sock_recv_from/7",
        |mut guest, (fd, iovecs, n, sender, flags, count, out_flags): (u32, u32, u32, u32, u32, u32, u32)| {
            let out = Out { count, flags: Some(out_flags) };
            let what = (fd, iovecs, n, flags);
            Box::new(
                async move { Errno::code(receive::receive_with_sender(&mut guest, what, sender, None, out).await) },
            )
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "sock_recv_from/8",
        |mut guest,
         (fd, iovecs, n, sender, flags, port, count, out_flags): (u32, u32, u32, u32, u32, u32, u32, u32)| {
            let out = Out { count, flags: Some(out_flags) };
            let what = (fd, iovecs, n, flags);
            Box::new(async move {
                Errno::code(receive::receive_with_sender(&mut guest, what, sender, Some(port), out).await)
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "sock_send",
        |mut guest, (fd, iovecs, n, _flags, count): (u32, u32, u32, u32, u32)| {
            Box::new(async move { Errno::code(send::send(&mut guest, fd, iovecs, n, count).await) })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "sock_send_to",
        |mut guest, (fd, iovecs, n, receiver, port, _flags, count): (u32, u32, u32, u32, u32, u32, u32)| {
            Box::new(
                async move { Errno::code(send::send_to(&mut guest, (fd, iovecs, n), (receiver, port), count).await) },
            )
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "sock_getaddrinfo",
        |mut guest,
         (node, node_len, service, service_len, hints, results, max, found): (
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
        )| {
            let results = (results, max, found);
            Box::new(async move {
                Errno::code(lookup::lookup(&mut guest, (node, node_len), (service, service_len), hints, results).await)
            })
        },
    )?;
    Ok(())
}

/// Resolves the imports of `module`, in its order. Otherwise names all that do not exist here.
pub(crate) fn resolve(
    linker: &Linker<GuestState>,
    store: &mut Store<GuestState>,
    module: &Module,
) -> Result<Vec<Extern>, Vec<String>> {
    let mut resolved = Vec::new();
    let mut unknown = Vec::new();
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let wanted = import.ty();
        let arity = if let ExternType::Func(function) = &wanted { function.params().len() } else { 0 };
        let found = candidates(name, arity).into_iter().find_map(|name| linker.get(&mut *store, from, &name).ok());
        match found {
            Some(found) if fits(&found.ty(&*store), &wanted) => resolved.push(found),
            Some(_) => unknown.push(format!("{from}.{name} (with other parameters)")),
            None => unknown.push(format!("{from}.{name}")),
        }
    }
    if unknown.is_empty() { Ok(resolved) } else { Err(unknown) }
}

/// Names under which an import may be registered, the most specific first.
fn candidates(name: &str, arity: usize) -> Vec<String> {
    let plain = name.strip_suffix("_v2").filter(|plain| SECOND_GENERATION.contains(&(plain, arity))).unwrap_or(name);
    vec![format!("{plain}/{arity}"), plain.to_owned()]
}

fn fits(found: &ExternType, wanted: &ExternType) -> bool {
    match (found, wanted) {
        (ExternType::Func(found), ExternType::Func(wanted)) => found.matches(wanted),
        _ => false,
    }
}
