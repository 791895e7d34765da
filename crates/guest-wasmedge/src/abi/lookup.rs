//! `sock_getaddrinfo`: resolves names to addresses, into a list that the guest has allocated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use wasmtime::Caller;

use super::{address, services, split};
use crate::errno::Errno;
use crate::memory::{Memory, at};
use crate::socket::Family;
use crate::state::GuestState;

/// Longest name that DNS allows, in bytes.
const MAX_NAME: u32 = 254;

/// Buffer that WasmEdge's guests reserve for a canonical name, with its final zero, in bytes.
const MAX_CANONICAL_NAME: usize = 30;

/// `__wasi_aiflags_t`.
mod flag {
    pub(super) const PASSIVE: u16 = 1;
    pub(super) const CANONICAL_NAME: u16 = 2;
    pub(super) const NUMERIC_HOST: u16 = 4;
    pub(super) const NUMERIC_SERVICE: u16 = 8;
    /// All flags: with those above, IPv4-mapped IPv6 addresses and "only configured families". This host has both.
    pub(super) const ALL: u16 = 0x7F;
}

/// `__wasi_sock_type_t`, and the `__wasi_protocol_t` that goes with each.
type SocketType = (u8, u8);
const DATAGRAM: SocketType = (1, 2);
const STREAM: SocketType = (2, 1);

/// Fields of `__wasi_addrinfo_t` by which the guest filters results.
struct Hints {
    flags: u16,
    family: Option<Family>,
    /// Socket types and their protocols, in the order of the results.
    kinds: Vec<SocketType>,
}

impl Hints {
    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

pub(super) async fn lookup(
    caller: &mut Caller<'_, GuestState>,
    (node, node_len): (u32, u32),
    (service, service_len): (u32, u32),
    hints: u32,
    (results, max, found): (u32, u32, u32),
) -> Result<(), Errno> {
    let (memory, state) = split(caller)?;
    let node = text(&memory, node, node_len)?;
    let service = text(&memory, service, service_len)?;
    if node.is_empty() && service.is_empty() {
        return Err(Errno::AI_NONAME);
    }
    if max == 0 {
        return Err(Errno::AI_MEMORY);
    }
    let hints = read_hints(&memory, hints)?;
    if hints.has(flag::CANONICAL_NAME) && node.is_empty() {
        return Err(Errno::AI_BADFLAG);
    }
    let ports = ports(&service, &hints)?;
    let known = if node.is_empty() { Some(own_addresses(hints.has(flag::PASSIVE))) } else { literal(&node) };
    let ips = match known {
        Some(ips) => ips,
        None if hints.has(flag::NUMERIC_HOST) => return Err(Errno::AI_NONAME),
        None => {
            let resolving = state.network.resolve(node.clone());
            state.meter.suspend();
            let resolved = resolving.await;
            caller.data_mut().resume();
            resolved.map_err(|error| match error.kind() {
                std::io::ErrorKind::PermissionDenied => Errno::ACCES,
                _ => Errno::AI_NONAME,
            })?
        }
    };
    let ips = ips.into_iter().filter(|ip| hints.family.is_none_or(|family| (family == Family::V4) == ip.is_ipv4()));
    let found_entries: Vec<_> =
        ips.flat_map(|ip| ports.iter().map(move |(kind, port)| (SocketAddr::new(ip, *port), *kind))).collect();
    if found_entries.is_empty() {
        return Err(Errno::AI_NONAME);
    }
    let (mut memory, _) = split(caller)?;
    let mut entry = memory.u32(results)?;
    let mut written = 0;
    for (address, kind) in found_entries.into_iter().take(max as usize) {
        if entry == 0 {
            break;
        }
        // Only the first entry has the canonical name, as in any `getaddrinfo`.
        let name = if written == 0 && hints.has(flag::CANONICAL_NAME) { node.as_str() } else { "" };
        entry = write_entry(&mut memory, entry, (address, kind, name), hints.flags)?;
        written += 1;
    }
    memory.write_u32(found, written)
}

/// Resolves the port of a service for each requested kind of socket that has it.
fn ports(service: &str, hints: &Hints) -> Result<Vec<(SocketType, u16)>, Errno> {
    let number = if service.is_empty() { Some(0) } else { service.parse().ok() };
    if let Some(port) = number {
        return Ok(hints.kinds.iter().map(|kind| (*kind, port)).collect());
    }
    if hints.has(flag::NUMERIC_SERVICE) {
        return Err(Errno::AI_NONAME);
    }
    let port =
        |kind: &SocketType| Some((*kind, services::port(service, if *kind == DATAGRAM { "udp" } else { "tcp" })?));
    let ports: Vec<_> = hints.kinds.iter().filter_map(port).collect();
    if ports.is_empty() { Err(Errno::AI_SERVICE) } else { Ok(ports) }
}

fn text(memory: &Memory<'_>, ptr: u32, len: u32) -> Result<String, Errno> {
    if len > MAX_NAME {
        return Err(Errno::INVAL);
    }
    let bytes = memory.bytes(ptr, len)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| Errno::INVAL)
}

fn read_hints(memory: &Memory<'_>, ptr: u32) -> Result<Hints, Errno> {
    if ptr == 0 {
        return Ok(Hints { flags: 0, family: None, kinds: vec![STREAM, DATAGRAM] });
    }
    let flags = memory.u16(ptr)?;
    if flags & !flag::ALL != 0 {
        return Err(Errno::AI_BADFLAG);
    }
    let family = match memory.u8(at(ptr, 2, 1)?)? {
        0 => None,
        1 => Some(Family::V4),
        2 => Some(Family::V6),
        _ => return Err(Errno::AI_FAMILY),
    };
    let kind = memory.u8(at(ptr, 3, 1)?)?;
    let protocol = memory.u8(at(ptr, 4, 1)?)?;
    // Zero means any.
    let is_asked_for = |(its_kind, its_protocol): &SocketType| {
        (kind == 0 || kind == *its_kind) && (protocol == 0 || protocol == *its_protocol)
    };
    let kinds: Vec<_> = [STREAM, DATAGRAM].into_iter().filter(is_asked_for).collect();
    if kinds.is_empty() { Err(Errno::AI_SOCKTYPE) } else { Ok(Hints { flags, family, kinds }) }
}

fn own_addresses(passive: bool) -> Vec<IpAddr> {
    if passive {
        vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
    } else {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    }
}

fn literal(node: &str) -> Option<Vec<IpAddr>> {
    if node.eq_ignore_ascii_case("localhost") {
        return Some(own_addresses(false));
    }
    node.parse().ok().map(|ip| vec![ip])
}

/// Fills one `__wasi_addrinfo_t` and the `__wasi_sockaddr_t` it points to. Returns the address of the next entry.
fn write_entry(
    memory: &mut Memory<'_>,
    entry: u32,
    (address, (kind, protocol), name): (SocketAddr, SocketType, &str),
    flags: u16,
) -> Result<u32, Errno> {
    let [family, _] = address::family_number(address).to_le_bytes();
    memory.write(entry, &flags.to_le_bytes())?;
    memory.write(at(entry, 2, 1)?, &[family, kind, protocol])?;
    // The fields of Linux's sockaddr_in, or of its sockaddr_in6 with flow and scope.
    let octets = address::octets(address.ip());
    let port = &address.port().to_be_bytes()[..];
    let data = match address {
        SocketAddr::V4(_) => [port, octets.as_slice(), &[0; 8]].concat(),
        SocketAddr::V6(_) => [port, &[0; 4], octets.as_slice(), &[0; 4]].concat(),
    };
    let len = u32::try_from(data.len()).map_err(|_| Errno::INVAL)?;
    let socket_address = memory.u32(at(entry, 3, 4)?)?;
    if socket_address != 0 {
        let room = memory.u32(at(socket_address, 1, 4)?)?;
        let data_ptr = memory.u32(at(socket_address, 2, 4)?)?;
        // Guests announce 14 bytes, as for IPv4, and allocate 26.
        if room < 14 {
            return Err(Errno::INVAL);
        }
        memory.write(data_ptr, &data)?;
        memory.write(socket_address, &[family])?;
        memory.write_u32(at(socket_address, 1, 4)?, len)?;
        memory.write_u32(at(entry, 2, 4)?, len + 2)?;
    }
    let canonical_name = memory.u32(at(entry, 4, 4)?)?;
    let fits = !name.is_empty() && name.len() < MAX_CANONICAL_NAME && canonical_name != 0;
    let name_len = if fits { name.len() } else { 0 };
    if fits {
        memory.write(canonical_name, &[name.as_bytes(), &[0]].concat())?;
    }
    memory.write_u32(at(entry, 5, 4)?, u32::try_from(name_len).unwrap_or(0))?;
    memory.u32(at(entry, 6, 4)?)
}
